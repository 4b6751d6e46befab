"""Ads name files of the library by content; a snapshot holds what was measured."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile

from governance.tests.api_clients import person
from trafficking import qa, rules
from trafficking.media.library import add_upload, files_of
from trafficking.media.tests.made import image, video
from trafficking.models import Ad
from trafficking.snapshots import ticket_snapshot
from trafficking.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
HASH = "ab" * 32


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "uploads"
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "incoming"


def library_file(ticket, content: bytes = b"", name: str = "boat.png"):
    upload = SimpleUploadedFile(name, content or image(1080, 1080))
    return add_upload(brand=ticket.campaign.brand, upload=upload, by=person("Trafficker")).row


def ad_with(ticket, **values) -> Ad:
    ad = ticket.ad_sets.get().ads.get()
    for name, value in values.items():
        setattr(ad, name, value)
    ad.save()
    return ad


def codes(ticket) -> set[str]:
    return {each.code for each in rules.media_findings(ticket_snapshot(ticket))}


def test_the_snapshot_holds_the_file_in_place_of_its_hash():
    ticket = make_ticket()
    row = library_file(ticket)
    ad_with(
        ticket,
        media=[{"kind": "IMAGE", "file": row.sha256}],
        cards=[{"file": row.sha256, "headline": "Boat"}],
    )
    [ad] = ticket_snapshot(ticket).ad_sets[0].ads
    assert ad.media[0].file == row.as_file() and ad.media[0].id == ""
    assert ad.cards[0].file == row.as_file() and ad.cards[0].headline == "Boat"
    assert [kind for kind, _file in ad.files] == ["IMAGE", "CARD"]
    assert codes(ticket) == set()


def test_files_cost_one_query_and_none_where_none_is_used(django_assert_num_queries):
    ticket = make_ticket(ad_sets=3)
    row = library_file(ticket)
    sets = list(ticket.ad_sets.prefetch_related("ads"))
    governed = ticket.campaign.channel_names.select_related("convention").get()
    with django_assert_num_queries(0):
        ticket_snapshot(ticket, sets, governed=governed)
    for ad in Ad.objects.all():
        ad.media = [{"kind": "IMAGE", "file": row.sha256}]
        ad.save()
    sets = list(ticket.ad_sets.prefetch_related("ads"))
    with django_assert_num_queries(1):
        ticket_snapshot(ticket, sets, governed=governed)


def test_a_file_that_the_library_lacks_is_a_finding():
    ticket = make_ticket()
    ad_with(ticket, media=[{"kind": "IMAGE", "file": HASH}])
    [found] = rules.media_findings(ticket_snapshot(ticket))
    assert (found.code, found.field, found.severity) == (
        "media.unknown_file",
        "ad_sets[0].ads[0].media",
        "block",
    )
    assert HASH in found.message
    assert "media.unknown_file" in {each.code for each in qa.check_ticket(ticket).findings}


def test_another_brands_file_is_unknown():
    row = library_file(make_ticket())
    assert files_of(row.brand_id, [row.sha256]) == {row.sha256: row.as_file()}
    assert files_of(row.brand_id + 1000, [row.sha256]) == {}


@pytest.mark.parametrize(("kind", "content", "code"), [
    ("VIDEO", image(100, 100), "media.wrong_kind"), ("IMAGE", video(), "media.wrong_kind"),
    ("THUMBNAIL", video(), "media.wrong_kind"), ("YOUTUBE_VIDEO", video(), "media.not_uploadable"),
    ("VIDEO", video(), None), ("LOGO", image(100, 100), None),
])  # fmt: skip
def test_a_file_must_be_of_the_sort_that_it_is_used_as(kind, content, code):
    ticket = make_ticket()
    row = library_file(ticket, content)
    ad_with(ticket, media=[{"kind": kind, "file": row.sha256}])
    assert codes(ticket) == ({code} if code else set())


@pytest.mark.parametrize(("field", "value", "code"), [
    ("media", [{"kind": "IMAGE"}], "media.one_source"),
    ("media", [{"kind": "IMAGE", "id": "a", "file": HASH}], "media.one_source"),
    ("media", [{"kind": "IMAGE", "file": "boat.png"}], "shape.invalid"),
    ("media", [{"kind": "IMAGE", "file": HASH.upper()}], "shape.invalid"),
    ("media", [{"file": HASH}], "shape.invalid"),
    ("media", [{"kind": "IMAGE", "file": HASH, "url": "https://x.test"}], "shape.invalid"),
    ("media", "boat.png", "shape.invalid"),
    ("cards", [{"headline": "Boat"}], "media.one_source"),
    ("cards", [{"media_id": "a", "file": HASH}], "media.one_source"),
    ("cards", [{"file": 3}], "shape.invalid"),
])  # fmt: skip
def test_a_malformed_medium_or_card_is_refused_even_in_a_draft(field, value, code):
    ticket = make_ticket()
    with pytest.raises(ValidationError) as error:
        ad_with(ticket, **{field: value})
    assert code in [each.code for each in error.value.error_dict[field]]


def test_the_platforms_own_ids_are_as_good_as_before():
    ticket = make_ticket()
    ad_with(ticket, media=[{"kind": "IMAGE", "id": "abc"}], cards=[{"media_id": "abc", "headline": "Boat"}])
    [ad] = ticket_snapshot(ticket).ad_sets[0].ads
    assert (ad.media[0].id, ad.media[0].file, ad.cards[0].media_id) == ("abc", None, "abc")
