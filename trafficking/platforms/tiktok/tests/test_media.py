"""Files of ours: checked before anything is sent, uploaded once, awaited, found again."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from decimal import Decimal

import pytest

from trafficking.platforms.base import (
    Applied,
    Card,
    Connection,
    InDoubt,
    Media,
    NotFound,
    Rejected,
    RetryLater,
)
from trafficking.platforms.changes import disagreements
from trafficking.platforms.sandbox_base import Fault
from trafficking.platforms.tiktok import PLATFORM
from trafficking.platforms.tiktok.tests.builders import (
    ACCOUNT,
    CONTENTS,
    COVER_HASH,
    FILM,
    POSTER,
    ad,
    ad_set,
    smart_ticket,
    ticket,
    with_ad,
)
from trafficking.platforms.tiktok.tests.world import World, film_ad

TREE = ticket(ad_sets=tuple(ad_set(each, name=each, ads=(film_ad(f"{each}a"),)) for each in ("s1", "s2")))


def findings(**changes):
    film = replace(FILM, **changes)
    made = with_ad(media=(Media("VIDEO", file=film), Media("THUMBNAIL", file=POSTER)))
    return {each.code: each.severity for each in PLATFORM.compile(made).findings}


def test_each_file_goes_up_once_ahead_of_everything_and_films_are_awaited():
    operations = PLATFORM.compile(TREE).operations
    assert [each.action for each in operations[:3]] == ["upload", "upload", "await"]
    assert [each.ref for each in operations[:3]] == [FILM.ref, POSTER.ref, f"await:{FILM.ref}"]
    assert {each.action for each in operations[3:]} == {"create"}
    assert PLATFORM.check(operations) == []
    first_ad = next(each for each in operations if each.object_type == "ad")
    assert first_ad.bindings["/creatives/0/video_id"] == FILM.ref
    assert first_ad.bindings["/creatives/0/image_ids/0"] == POSTER.ref


def test_what_was_uploaded_is_what_we_have_and_the_ads_show_it():
    world = World()
    world.build(TREE)
    (row,) = world.sandbox.store.rows("kind = 'video'")
    assert row["signature"] == hashlib.md5(CONTENTS[FILM.sha256], usedforsecurity=False).hexdigest()
    assert row["size"] == len(CONTENTS[FILM.sha256])
    for ref in ("ad:s1a", "ad:s2a"):
        fields = world.lives()[ref].fields
        assert (fields["video_id"], fields["image_ids"]) == (world.ids[FILM.ref], [world.ids[POSTER.ref]])


def test_the_proof_compares_ids_once_they_are_known():
    """Before the upload what is wanted names the file; of the bound operations it names what is in the library."""
    world = World()
    compiled = world.build(TREE)
    bound = [replace(each, body=each.bound_body(world.ids)) for each in compiled.operations]
    lives = world.lives()
    for each in PLATFORM.wanted(bound):
        assert disagreements(each, lives[each.ref]) == []
    unbound = {each.ref: each.fields for each in PLATFORM.wanted(compiled.operations)}
    assert unbound["ad:s1a"]["video_id"] == f"<{FILM.ref}>"


def test_planning_again_uses_what_is_in_the_library():
    world = World()
    world.build(TREE)
    again = world.asked(TREE, TREE)
    assert (again.operations, again.changes) == ((), ())


def test_an_ad_that_gets_a_film_of_ours_brings_its_upload():
    world, before = World(), ticket()
    world.build(before)
    group = before.ad_sets[0]
    after = replace(before, ad_sets=(replace(group, ads=(film_ad(group.ads[0].intent_id),)),))
    plan = world.asked(before, after)
    assert [each.action for each in plan.operations] == ["upload", "upload", "await", "update"]
    world.carry_out(plan.operations)
    assert world.lives()["ad:s1a1"].fields["video_id"] == world.ids[FILM.ref]
    assert world.asked(after, after).operations == ()


def test_a_film_that_is_being_processed_is_waited_for():
    world = World(processing_s=90)
    upload, _cover, wait, *_ = PLATFORM.compile(TREE).operations
    world.ids |= world.client.apply(upload, {}).external_ids
    outcome = world.client.apply(wait, world.ids)
    assert isinstance(outcome, RetryLater)
    assert outcome.after == 30
    assert world.client.find(wait, world.ids) == NotFound()
    world.now += 90
    assert world.client.apply(wait, world.ids).external_ids == {wait.ref: world.ids[FILM.ref]}


def test_an_ad_with_an_unready_film_is_refused():
    world = World(processing_s=90)
    operations = PLATFORM.compile(TREE).operations
    world.carry_out((*operations[:2], *operations[3:5]))
    refused = world.client.apply(operations[5], world.ids)
    assert isinstance(refused, Rejected)
    assert "processed" in refused.message


def test_a_film_that_tiktok_can_not_show_is_refused():
    world = World()
    film = replace(FILM, name="REJECTME.mp4")
    made = with_ad(media=(Media("VIDEO", file=film), Media("THUMBNAIL", file=POSTER)))
    upload, cover, wait, *_ = PLATFORM.compile(made).operations
    world.carry_out((upload, cover))
    assert isinstance(world.client.apply(wait, world.ids), Rejected)


@pytest.mark.parametrize("number", [0, 1])
def test_an_upload_without_an_answer_is_found_by_its_content(number):
    world = World()
    operation = PLATFORM.compile(TREE).operations[number]
    assert world.client.find(operation, {}) == NotFound()
    world.sandbox.faults = [Fault("lose_answer", match="/upload/")]
    assert isinstance(world.client.apply(operation, {}), InDoubt)
    found = world.client.find(operation, {})
    assert isinstance(found, Applied)
    assert isinstance(world.client.apply(operation, {}), Rejected)  # the name is taken: never twice


def test_a_file_that_is_gone_or_changed_is_not_sent():
    world = World()
    upload = PLATFORM.compile(TREE).operations[0]
    session = world.client.session
    for opener in (None, lambda sha256: open_other(sha256), lambda sha256: CONTENTS["gone"]):
        client = PLATFORM.client(
            Connection("https://tiktok.sandbox", ACCOUNT, {"access_token": "t"}, open_file=opener), session
        )
        assert isinstance(client.apply(upload, {}), Rejected)
    assert world.sandbox.requests == []


def open_other(_sha256: str):
    from io import BytesIO

    return BytesIO(CONTENTS[COVER_HASH])


@pytest.mark.parametrize(
    ("changes", "code", "severity"),
    [
        ({"content_type": "image/gif"}, "media.type", "block"),
        ({"size": 501 * 1024 * 1024}, "media.too_large", "block"),
        ({"width": 1000, "height": 1200}, "media.ratio", "block"),
        ({"width": 270, "height": 480}, "media.too_small", "block"),
        ({"width": 1080, "height": 1080}, "media.cover_ratio", "block"),
        ({"duration_s": Decimal(61)}, "media.duration", "warn"),
        ({"size": 100_000}, "media.bit_rate", "warn"),
    ],
)
def test_a_film_is_held_against_tiktoks_limits(changes, code, severity):
    assert findings(**changes)[f"tiktok.{code}"] == severity


def test_a_good_film_has_no_findings():
    assert findings() == {"tiktok.budget.daily_average": "warn"}
    assert "tiktok.media.ratio" not in findings(width=1079, height=1920)  # a pixel off is the same shape


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"content_type": "image/webp"}, "type"), ({"size": 51 * 1024 * 1024}, "too_large"),
     ({"width": 2000, "height": 2000}, "pixels")],
)  # fmt: skip
def test_images_are_held_against_tiktoks_limits(changes, code):
    picture = replace(POSTER, **changes)
    cards = (Card("i1"), Card(file=picture))
    compiled = PLATFORM.compile(with_ad(format="CAROUSEL", media=(), cards=cards, config={"music_id": "m"}))
    assert f"tiktok.media.{code}" in {each.code for each in compiled.findings if each.blocking}
    assert not any(each.action == "upload" for each in compiled.operations)


def test_cards_and_automated_ads_take_files_too():
    cards = (Card("i1"), Card(file=POSTER))
    made = with_ad(format="CAROUSEL", media=(), cards=cards, config={"music_id": "m"})
    world = World()
    world.build(made)
    assert world.lives()["ad:a1"].fields["image_ids"] == ["i1", world.ids[POSTER.ref]]
    smart = smart_ticket()
    group = smart.ad_sets[0]
    own = replace(group.ads[0], media=film_ad().media)
    world = World()
    world.build(replace(smart, ad_sets=(replace(group, ads=(own,)),)))
    (creative,) = world.lives()["ad:s1a"].fields["creative_list"]
    assert (creative["video_id"], creative["image_ids"]) == (world.ids[FILM.ref], [world.ids[POSTER.ref]])


def test_a_medium_that_names_nothing_is_none():
    compiled = PLATFORM.compile(with_ad(media=(Media("VIDEO"), Media("THUMBNAIL", "c"))))
    assert "tiktok.media.one_video" in {each.code for each in compiled.findings}
    assert ad().media[0].file is None
