"""Files of ours: checked before anything is sent, uploaded once, awaited, found after a lost answer, shown in the ad."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any, BinaryIO

import pytest
import requests

from governance.findings import blocking
from trafficking.platforms.base import (
    AdSnapshot,
    Applied,
    Card,
    Connection,
    File,
    Held,
    InDoubt,
    Media,
    MediaKind,
    NotFound,
    Operation,
    Rejected,
    RetryLater,
    TicketSnapshot,
    stand_in,
)
from trafficking.platforms.changes import disagreements
from trafficking.platforms.meta import PLATFORM
from trafficking.platforms.meta.client import MetaClient
from trafficking.platforms.meta.sandbox import MetaSandbox
from trafficking.platforms.meta.tests.builders import (
    ACCOUNT,
    carousel_ad,
    image_ad,
    one_set,
    ticket,
    video_ad,
)
from trafficking.platforms.meta.tests.journey import TOKEN, bound, fault, held_of
from trafficking.platforms.meta.uploads import Multipart
from trafficking.platforms.sandbox_base import InProcess, serve

URL = "http://meta.test"
PNG = b"\x89PNG\r\n\x1a\n" + b"picture" * 40
THUMB = b"\xff\xd8\xff" + b"thumbnail" * 40
FILM = b"\x00\x00\x00\x18ftypmp42" + b"frames" * 400
CONTENTS = {hashlib.sha256(each).hexdigest(): each for each in (PNG, THUMB, FILM)}


def file_of(content: bytes, **changes: Any) -> File:
    types = {PNG: "image/png", THUMB: "image/jpeg", FILM: "video/mp4"}
    made = File(
        sha256=hashlib.sha256(content).hexdigest(),
        name={PNG: "Moana key art.png", THUMB: "thumb.jpg", FILM: "trailer.mp4"}[content],
        content_type=types[content],
        size=len(content),
        width=1080,
        height=1080,
        duration_s=Decimal(15) if content is FILM else None,
        codec="AVC" if content is FILM else "",
    )
    return replace(made, **changes)


def open_file(sha256: str) -> BinaryIO:
    return io.BytesIO(CONTENTS[sha256])


def film_ad(number: int = 2, **changes: Any) -> AdSnapshot:
    media = (Media("VIDEO", file=file_of(FILM)), Media("THUMBNAIL", file=file_of(THUMB)))
    return video_ad(number, media=media, **changes)


def picture_ad(number: int = 1, **changes: Any) -> AdSnapshot:
    return image_ad(number, media=(Media("IMAGE", file=file_of(PNG)),), **changes)


def filed_ticket() -> TicketSnapshot:
    """Three files used by four ads: an image, a film with its thumbnail, and cards of both kinds."""
    cards = (
        Card(headline="Boat", file=file_of(PNG)), Card(headline="Trailer", file=file_of(FILM)), Card("cccc2222"),
    )  # fmt: skip
    carousel = carousel_ad(3, cards=cards, media=(Media("THUMBNAIL", file=file_of(THUMB)),))
    return one_set(ads=(picture_ad(1), film_ad(2), carousel, picture_ad(4)))


def client(sandbox: MetaSandbox, opener: Any = open_file) -> MetaClient:
    session = requests.Session()
    session.mount(URL, InProcess(sandbox))
    return MetaClient(Connection(URL, ACCOUNT, {"access_token": TOKEN}, open_file=opener), session)


def send(sandbox: MetaSandbox, operations: tuple[Operation, ...], ids: dict[str, str]) -> dict[str, str]:
    for operation in operations:
        outcome = client(sandbox).apply(operation, ids)
        assert isinstance(outcome, Applied), (operation.ref, outcome)
        ids.update(outcome.external_ids)
    return ids


def operation(action: str, name: str = "", snapshot: TicketSnapshot | None = None) -> Operation:
    operations = PLATFORM.compile(snapshot or filed_ticket()).operations
    return next(each for each in operations if each.action == action and name in each.objects[0].name)


# ---------------------------------------------------------------------------------------- the plan


def test_each_file_is_uploaded_once_ahead_of_everything_and_a_video_is_awaited() -> None:
    compiled = PLATFORM.compile(filed_ticket())
    assert blocking(compiled.findings) == []
    assert PLATFORM.check(compiled.operations) == []
    actions = [each.action for each in compiled.operations]
    assert actions == ["upload", "upload", "await", "upload"] + ["create"] * 10
    upload = compiled.operations[0]
    assert (upload.ref, upload.path) == (file_of(PNG).ref, "/v26.0/act_1234567890/adimages")
    assert upload.body == {
        "filename": "Moana key art.png", "content_type": "image/png", "sha256": file_of(PNG).sha256,
    }  # fmt: skip
    film = compiled.operations[1]
    assert film.path.endswith("/advideos")
    assert film.body["title"] == f"{file_of(FILM).sha256[:24]} trailer.mp4"
    wait = compiled.operations[2]
    assert (wait.ref, dict(wait.bindings)) == (f"await:{film.ref}", {"/video_id": film.ref})


def test_creatives_are_bound_to_the_uploads_that_they_show() -> None:
    creatives = [
        each for each in PLATFORM.compile(filed_ticket()).operations if each.object_type == "creative"
    ]
    story = "/object_story_spec"
    png, film, thumb = (file_of(each).ref for each in (PNG, FILM, THUMB))
    assert [dict(each.bindings) for each in creatives] == [
        {f"{story}/link_data/image_hash": png},
        {f"{story}/video_data/video_id": film, f"{story}/video_data/image_hash": thumb},
        {f"{story}/link_data/child_attachments/0/image_hash": png,
         f"{story}/link_data/child_attachments/1/video_id": film,
         f"{story}/link_data/child_attachments/1/image_hash": thumb},
        {f"{story}/link_data/image_hash": png},
    ]  # fmt: skip


def test_a_file_in_the_library_is_not_uploaded_again_and_stands_in_the_bodies() -> None:
    refs = {file_of(PNG).ref: "aa" * 16, file_of(FILM).ref: "4711", file_of(THUMB).ref: "bb" * 16}
    held = [Held(ref, "media", external_id, "", "", "", "", {}) for ref, external_id in refs.items()]
    compiled = PLATFORM.compile(filed_ticket(), held)
    assert blocking(compiled.findings) == []
    assert {each.action for each in compiled.operations} == {"create"}
    creatives = [
        each.body["object_story_spec"] for each in compiled.operations if each.object_type == "creative"
    ]
    assert creatives[0]["link_data"]["image_hash"] == "aa" * 16
    assert creatives[1]["video_data"]["video_id"] == "4711"
    assert (
        creatives[2]["link_data"]["child_attachments"][1] | {"video_id": "4711", "image_hash": "bb" * 16}
        == (creatives[2]["link_data"]["child_attachments"][1])
    )


LIMITS: list[tuple[MediaKind, bytes, dict[str, Any], str, str]] = [
    ("IMAGE", PNG, {"content_type": "image/webp"}, "media.format", "block"),
    ("IMAGE", PNG, {"size": 31 * 1024**2}, "media.too_big", "block"),
    ("IMAGE", PNG, {"width": 400, "height": 400}, "media.few_pixels", "block"),
    ("IMAGE", PNG, {"width": 3000, "height": 600}, "media.ratio", "block"),
    ("IMAGE", PNG, {"width": 0, "height": 0}, "media.unmeasured", "block"),
    ("IMAGE", FILM, {}, "media.kind", "block"),
    ("VIDEO", PNG, {}, "media.kind", "block"),
    ("VIDEO", FILM, {"content_type": "video/webm"}, "media.format", "block"),
    ("VIDEO", FILM, {"size": 2 * 1024**3}, "media.too_big", "block"),
    ("VIDEO", FILM, {"size": 10}, "media.too_small", "block"),
    ("VIDEO", FILM, {"duration_s": Decimal("0.4")}, "media.duration", "block"),
    ("VIDEO", FILM, {"duration_s": Decimal(20000)}, "media.duration", "block"),
    ("VIDEO", FILM, {"duration_s": None}, "media.unmeasured", "block"),
    ("VIDEO", FILM, {"width": 100, "height": 100}, "media.few_pixels", "block"),
    ("VIDEO", FILM, {"width": 1080, "height": 2400}, "media.ratio", "block"),
    ("VIDEO", FILM, {"codec": "ProRes"}, "media.codec", "warn"),
]


@pytest.mark.parametrize(("kind", "content", "changes", "code", "severity"), LIMITS)
def test_what_meta_does_not_take_is_told_before_anything_is_sent(
    kind: MediaKind, content: bytes, changes: dict[str, Any], code: str, severity: str
) -> None:
    media = (Media(kind, file=file_of(content, **changes)),)
    ad = video_ad(media=(*media, Media("THUMBNAIL", "aa"))) if kind == "VIDEO" else image_ad(media=media)
    found = [each for each in PLATFORM.compile(one_set(ads=(ad,))).findings if each.code == f"meta.{code}"]
    assert [(each.severity, each.field) for each in found] == [(severity, "ad_sets[0].ads[0].media[0]")]
    message = PLATFORM.messages[found[0].code]
    assert message.text.format(**found[0].params)
    assert message.remedy.format(**found[0].params)


@pytest.mark.parametrize(
    ("width", "height"), [(1080, 1080), (1080, 1350), (1080, 1920), (1200, 628), (1210, 628), (500, 500)]
)
def test_the_usual_formats_pass(width: int, height: int) -> None:
    ad = image_ad(media=(Media("IMAGE", file=file_of(PNG, width=width, height=height)),))
    assert PLATFORM.compile(one_set(ads=(ad,))).findings == ()


def test_cards_that_are_not_square_are_warned_of() -> None:
    wide = file_of(PNG, width=1200, height=628)
    ad = carousel_ad(cards=(Card(file=wide), Card("bbbb"), Card("cccc")))
    found = PLATFORM.compile(one_set(ads=(ad,))).findings
    assert [(each.code, each.severity, each.field) for each in found] == [
        ("meta.media.card_not_square", "warn", "ad_sets[0].ads[0].cards[0]")
    ]


# ------------------------------------------------------------------------------------ the journey


def test_files_go_up_and_are_seen_in_the_ads() -> None:
    sandbox = MetaSandbox()
    operations = PLATFORM.compile(filed_ticket()).operations
    ids = send(sandbox, operations, {})
    assert ids[file_of(PNG).ref] == hashlib.md5(PNG).hexdigest()
    assert len(sandbox.store.rows("kind = 'image'")) == 2
    tree = client(sandbox).read_tree(ids["campaign"])
    assert isinstance(tree, tuple)
    by_id = {each.external_id: each for each in tree}
    wanted = PLATFORM.wanted(bound(operations, ids))
    assert [bad for each in wanted for bad in disagreements(each, by_id[ids[each.ref]])] == []
    films = [
        each.fields["creative.object_story_spec.video_data.video_id"] for each in tree if each.type == "ad"
    ]
    assert ids[file_of(FILM).ref] in films


def test_planning_again_with_the_librarys_ids_sends_nothing() -> None:
    sandbox = MetaSandbox()
    operations = PLATFORM.compile(filed_ticket()).operations
    ids = send(sandbox, operations, {})
    tree = client(sandbox).read_tree(ids["campaign"])
    assert isinstance(tree, tuple)
    held = held_of(PLATFORM.wanted(bound(operations, ids)), ids, tree)
    held += [
        Held(ref, "media", ids[ref], "", "", "", "", {})
        for ref in (file_of(each).ref for each in (PNG, THUMB, FILM))
    ]
    assert PLATFORM.compile(replace(filed_ticket(), request_type="UPDATE"), held).operations == ()
    swapped = replace(filed_ticket().ad_sets[0].ads[0], media=(Media("IMAGE", file=file_of(THUMB)),))
    more = replace(filed_ticket().ad_sets[0], ads=(swapped, *filed_ticket().ad_sets[0].ads[1:]))
    plan = PLATFORM.compile(replace(filed_ticket(), request_type="UPDATE", ad_sets=(more,)), held)
    assert [(each.action, each.object_type) for each in plan.operations] == [
        ("create", "creative"),
        ("update", "ad"),
    ]
    unknown = PLATFORM.compile(
        replace(filed_ticket(), request_type="UPDATE", ad_sets=(more,)),
        [each for each in held if each.name or each.ref != file_of(THUMB).ref],
    )
    assert unknown.operations[0].action == "upload", "only what is not there yet"


def test_a_video_is_awaited_without_being_sent_again() -> None:
    now = [1000.0]
    sandbox = MetaSandbox(clock=lambda: now[0])
    sandbox.processing_s = 60
    upload, wait = operation("upload", "trailer"), operation("await")
    ids = send(sandbox, (upload,), {})
    early = client(sandbox).apply(wait, ids)
    assert isinstance(early, RetryLater)
    assert early.after == 10
    assert client(sandbox).find(wait, ids) == NotFound()
    story = {"page_id": "1", "video_data": {"video_id": ids[upload.ref], "image_hash": "aa"}}
    creative = replace(operation("create"), body={"name": "k", "object_story_spec": story}, bindings={},
                       object_type="creative", path="/v26.0/act_1234567890/adcreatives")  # fmt: skip
    assert isinstance(client(sandbox).apply(creative, {}), Rejected), "Meta refuses a video that isn't ready"
    now[0] += 61
    assert client(sandbox).apply(wait, ids).external_ids == {wait.ref: ids[upload.ref]}  # type: ignore[union-attr]
    assert isinstance(client(sandbox).apply(creative, {}), Applied)


def test_a_video_that_can_not_be_processed_is_refused_for_good() -> None:
    sandbox = MetaSandbox()
    media = (Media("VIDEO", file=file_of(FILM, name="REJECTME.mp4")), Media("THUMBNAIL", "aa"))
    broken = one_set(ads=(video_ad(media=media),))
    upload, wait = operation("upload", snapshot=broken), operation("await", snapshot=broken)
    ids = send(sandbox, (upload,), {})
    outcome = client(sandbox).apply(wait, ids)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "video_failed"


@pytest.mark.parametrize("name", ["Moana", "trailer"])
@pytest.mark.parametrize("kind", ["lose_answer", "truncate", "server_error_after_commit"])
def test_an_upload_without_an_answer_is_found_by_its_content(kind: str, name: str) -> None:
    sandbox = MetaSandbox()
    upload = operation("upload", name)
    assert client(sandbox).find(upload, {}) == NotFound()
    sandbox.faults = [fault(kind, "POST")]
    assert isinstance(client(sandbox).apply(upload, {}), InDoubt)
    found = client(sandbox).find(upload, {})
    assert isinstance(found, Applied)
    rows = sandbox.store.rows("kind IN ('image', 'video')")
    assert [each.get("hash") or each["id"] for each in rows] == list(found.external_ids.values())


def test_the_same_image_twice_is_one_image() -> None:
    sandbox = MetaSandbox()
    first = send(sandbox, (operation("upload", "Moana"),), {})
    assert send(sandbox, (operation("upload", "Moana"),), {}) == first
    assert len(sandbox.store.rows("kind = 'image'")) == 1


def gone(sha256: str) -> BinaryIO:
    raise LookupError("the library no longer has it")


@pytest.mark.parametrize("opener", [None, gone])
def test_a_file_that_is_gone_is_refused_and_nothing_is_sent(opener: Any) -> None:
    sandbox = MetaSandbox()
    outcome = client(sandbox, opener).apply(operation("upload"), {})
    assert isinstance(outcome, Rejected)
    assert outcome.code == "file_gone"
    assert sandbox.requests == []


@pytest.mark.parametrize(
    ("edge", "field", "content"),
    [
        ("adimages", "filename", b"not a picture"),
        ("advideos", "source", FILM[:500]),
        ("advideos", "source", b"not a film" * 200),
        ("advideos", "filename", FILM),
    ],
)
def test_the_sandbox_looks_at_the_content(edge: str, field: str, content: bytes) -> None:
    form = Multipart({}, field, "x.bin", "application/octet-stream", io.BytesIO(content))
    session = requests.Session()
    sandbox = MetaSandbox()
    session.mount(URL, InProcess(sandbox))
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": form.content_type}
    answer = session.post(f"{URL}/v26.0/act_77/{edge}", data=form.read(), headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == 100
    assert sandbox.store.rows() == []


# ------------------------------------------------------------------------------------- on the wire


@pytest.fixture
def served() -> Iterator[tuple[MetaSandbox, str]]:
    sandbox = MetaSandbox()
    listening = serve(sandbox, "127.0.0.1", 0)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    yield sandbox, f"http://127.0.0.1:{listening.server_address[1]}"
    listening.shutdown()
    listening.server_close()


def test_a_big_video_is_read_while_it_is_sent(served: tuple[MetaSandbox, str]) -> None:
    """5 MB: more than is taken into memory at once. What arrives is, to the byte, what was opened."""
    sandbox, url = served
    film = FILM + bytes(5 * 1024 * 1024)
    opened: list[io.BytesIO] = []

    class Watched(io.BytesIO):
        largest = 0

        def read(self, size: int | None = -1) -> bytes:
            assert size is not None and 0 < size < 1024 * 1024, "never the whole file"
            return super().read(size)

    def watched(sha256: str) -> BinaryIO:
        opened.append(Watched(film))
        return opened[-1]

    session = requests.Session()
    session.trust_env = False
    made = MetaClient(Connection(url, ACCOUNT, {"access_token": TOKEN}, open_file=watched), session)
    outcome = made.apply(operation("upload", "trailer"), {})
    assert isinstance(outcome, Applied), outcome
    assert sandbox.store.rows("kind = 'video'")[0]["size"] == len(film)
    assert opened[0].closed


def test_a_form_says_its_length_and_quotes_its_names() -> None:
    form = Multipart({"title": "a"}, "source", 'x"\r\ny.mp4', "video/mp4", io.BytesIO(b"film"))
    length, whole = len(form), form.read()
    assert len(whole) == length
    assert b'filename="x%22%0D%0Ay.mp4"' in whole
    assert whole.endswith(f"--{form.boundary}--\r\n".encode())


def test_stand_ins_of_files_are_readable() -> None:
    body = PLATFORM.compile(one_set(ads=(picture_ad(),))).operations[3].body
    assert body["object_story_spec"]["link_data"]["image_hash"] == stand_in(file_of(PNG).ref)
    assert ticket().ad_sets[0].ads[0].files == []
