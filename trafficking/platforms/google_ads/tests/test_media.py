"""Files of ours: checked, uploaded once, recognised when they are read back."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import replace
from decimal import Decimal

import pytest
import requests

from governance.findings import blocking
from trafficking.platforms.base import (
    Applied,
    Connection,
    File,
    InDoubt,
    Media,
    NotFound,
    Rejected,
    RetryLater,
)
from trafficking.platforms.google_ads import PLATFORM
from trafficking.platforms.google_ads.client import GoogleAdsClient
from trafficking.platforms.google_ads.tests.builders import (
    ACCOUNT,
    CREDENTIALS,
    DISPLAY_AD,
    VIDEO_AD,
    codes,
    demand_gen_ad_set,
    display_ad_set,
    ticket,
)
from trafficking.platforms.google_ads.tests.calls import BASE
from trafficking.platforms.google_ads.tests.test_changes import World
from trafficking.platforms.sandbox_base import Fault, InProcess

PNG = b"\x89PNG\r\n\x1a\n" + b"picture"
MP4 = b"\x00\x00\x00\x18ftypmp42" + b"film"
BYTES = {hashlib.sha256(each).hexdigest(): each for each in (PNG, MP4)}


def picture(**changes):
    file = File(hashlib.sha256(PNG).hexdigest(), "shoes.png", "image/png", len(PNG), 1200, 628)
    return replace(file, **changes)


def film(**changes):
    file = File(
        hashlib.sha256(MP4).hexdigest(), "shoes.mp4", "video/mp4", len(MP4), 1920, 1080, Decimal("15"), "AVC"
    )
    return replace(file, **changes)


def display(file=None):
    media = (Media("IMAGE", file=file or picture()), *DISPLAY_AD.media[1:])
    twin = replace(DISPLAY_AD, intent_id="twin", media=media)
    return ticket("DISPLAY", ad_sets=(display_ad_set(ads=(replace(DISPLAY_AD, media=media), twin)),))


def video(file=None):
    media = (Media("VIDEO", file=file or film()), Media("LOGO", "7003"))
    return ticket("DEMAND_GEN", ad_sets=(demand_gen_ad_set(ads=(replace(VIDEO_AD, media=media),)),))


def opened(sha256):
    return io.BytesIO(BYTES[sha256])


class MediaWorld(World):
    def __init__(self, open_file=opened):
        super().__init__()
        self.now = 1_790_000_000.0
        self.sandbox.clock = lambda: self.now
        session = requests.Session()
        session.mount(BASE, InProcess(self.sandbox))
        self.client = GoogleAdsClient(Connection(BASE, ACCOUNT, CREDENTIALS, open_file=open_file), session)


def test_an_image_is_uploaded_once_ahead_of_the_tree_and_bound_into_every_ad_that_shows_it():
    upload, tree = PLATFORM.compile(display()).operations
    assert (upload.ref, upload.action) == (picture().ref, "upload")
    assert "data" not in json.dumps(upload.body)
    assert set(tree.bindings.values()) == {upload.ref}
    assert len(tree.bindings) == 2
    assert PLATFORM.check([upload, tree]) == []


def test_an_uploaded_image_reads_back_as_the_file_that_it_is():
    world = MediaWorld().create(display())
    assert world.proof(display()) == []
    assert world.change(display(), display()).operations == ()
    (asset,) = world.sandbox.store.find("asset", "1234567890")
    assert asset["imageAsset"]["fileSize"] == str(len(PNG))
    assert asset["imageAsset"]["mimeType"] == "IMAGE_PNG"


def test_another_file_is_uploaded_and_the_ad_changed_in_place():
    before = ticket("DISPLAY")
    world = MediaWorld().create(before)
    after = ticket("DISPLAY", ad_sets=(display_ad_set(ads=display().ad_sets[0].ads[:1]),))
    plan = world.change(before, after)
    assert [each.action for each in plan.operations] == ["upload", "update"]
    assert {each.kind for each in plan.changes} == {"learning"}
    world.carry_out(plan.operations)
    assert world.proof(after) == []


@pytest.mark.parametrize("fault", ["lose_answer", "truncate", "server_error_after_commit"])
def test_an_upload_whose_answer_was_lost_is_found_by_its_content(fault):
    world = MediaWorld()
    upload = PLATFORM.compile(display()).operations[0]
    assert world.client.find(upload, {}) == NotFound()
    world.sandbox.faults = [Fault(fault, match="mutate")]
    assert isinstance(world.client.apply(upload, {}), InDoubt)
    found = world.client.find(upload, {})
    again = world.client.apply(upload, {})
    assert isinstance(found, Applied)
    assert found.external_ids == again.external_ids


def test_a_video_goes_to_youtube_is_waited_for_and_becomes_an_asset():
    world = MediaWorld()
    upload, waiting, tree = PLATFORM.compile(video()).operations
    assert [upload.action, waiting.action] == ["upload", "await"]
    assert waiting.ref == f"await:{film().ref}"
    assert set(tree.bindings.values()) == {waiting.ref}
    world.carry_out([upload])
    early = world.client.apply(waiting, world.ids)
    assert isinstance(early, RetryLater)
    assert early.after > 0
    world.now += world.sandbox.processing_s
    world.carry_out([waiting, tree])
    assert len(world.ids[waiting.ref]) == 11
    assert world.proof(video()) == []
    assert world.change(video(), video()).operations == ()


def test_a_video_that_youtube_rejects_is_rejected():
    world = MediaWorld()
    upload, waiting, _tree = PLATFORM.compile(video(film(name="REJECTME.mp4"))).operations
    world.carry_out([upload])
    world.now += world.sandbox.processing_s
    assert isinstance(world.client.apply(waiting, world.ids), Rejected)


def test_a_file_that_is_gone_or_can_not_be_opened_is_rejected_before_anything_is_sent():
    def gone(sha256):
        raise LookupError("no such file")

    upload = PLATFORM.compile(display()).operations[0]
    for open_file in (gone, None):
        world = MediaWorld(open_file)
        assert isinstance(world.client.apply(upload, {}), Rejected)
        assert world.sandbox.requests == []


def test_bytes_go_to_the_apis_own_host_only():
    world = MediaWorld()
    upload = PLATFORM.compile(video()).operations[0]
    start = world.sandbox._start_upload

    def elsewhere(request, customer):
        answer = start(request, customer)
        answer.headers["X-Goog-Upload-URL"] = "https://elsewhere.example/upload"
        return answer

    world.sandbox._start_upload = elsewhere
    assert isinstance(world.client.apply(upload, {}), InDoubt)
    assert len(world.sandbox.requests) == 1


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (display(picture(content_type="image/webp")), "media.type"),
        (display(picture(size=6_000_000)), "media.too_large"),
        (display(picture(width=300, height=157)), "media.too_small"),
        (display(picture(width=1200, height=900)), "media.ratio"),
        (video(film(content_type="video/x-flv")), "media.type"),
        (video(film(duration_s=Decimal(43_201))), "media.too_long"),
    ],
)
def test_what_google_would_not_take_is_found_before_anything_is_sent(wish, code):
    compiled = PLATFORM.compile(wish)
    assert code in codes(compiled)
    assert compiled.operations == ()
    assert {each.field for each in blocking(compiled.findings)} <= {
        f"ad_sets[0].ads[{index}].media[0]" for index in range(2)
    }
