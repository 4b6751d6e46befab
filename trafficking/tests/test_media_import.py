"""A creative sheet names files of the media library, or addresses that are fetched."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile

from governance.tests.api_clients import person
from trafficking.imports import files
from trafficking.imports.service import check_media_plan
from trafficking.media.library import add_upload
from trafficking.media.tests.made import image, video
from trafficking.media.tests.test_fetch import LOCAL, Shop, shop
from trafficking.models import Ad, MediaFile
from trafficking.tests.import_world import ad, attempted, brand, csv_source, imported, line, places, world

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "uploads"
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "incoming"
    world()


@pytest.fixture
def address(settings, monkeypatch):
    """A shop on this machine that has one image; its address."""
    settings.MEDIA_FETCH_HTTP = True
    monkeypatch.setattr(Shop._boat, "__defaults__", (image(640, 480), 200))
    received = files.received_url
    monkeypatch.setattr(files, "received_url", lambda url, network=None: received(url, LOCAL))
    with shop() as port:
        yield f"http://shop.test:{port}"


def library_file(code: str = "DIS", name: str = "boat.png", content: bytes = b"") -> MediaFile:
    upload = SimpleUploadedFile(name, content or image(300, 200))
    return add_upload(brand=brand(code), upload=upload, by=None).row


def stored() -> list[Path]:
    return [path for path in Path(django_settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def test_names_are_found_in_the_brands_library_without_case():
    boat, film = library_file(), library_file(name="Film.mp4", content=video())
    imported([line()], [ad(media=None, media_files=f"BOAT.png | film.mp4 | LOGO:{boat.sha256}")])
    assert Ad.objects.get().media == [
        {"kind": "IMAGE", "file": boat.sha256}, {"kind": "VIDEO", "file": film.sha256}, {"kind": "LOGO", "file": boat.sha256},
    ]  # fmt: skip


def test_files_stand_beside_the_platforms_own_ids():
    boat = library_file()
    imported([line()], [ad(media="THUMBNAIL:abc", media_files="boat.png")])
    assert Ad.objects.get().media == [
        {"kind": "THUMBNAIL", "id": "abc"},
        {"kind": "IMAGE", "file": boat.sha256},
    ]


def test_cards_name_files_too():
    boat = library_file()
    imported([line()], [ad(format="CAROUSEL", cards="file:boat.png ; Boat ; Set sail | bbbb ; Island")])
    assert Ad.objects.get().cards == [
        {"file": boat.sha256, "headline": "Boat", "description": "Set sail"}, {"media_id": "bbbb", "headline": "Island"},
    ]  # fmt: skip


def test_what_is_not_in_the_library_is_told_by_row_and_column_all_at_once():
    library_file()
    library_file("NORD", "reef.png", image(7, 7))
    library_file(name="twice.png", content=image(5, 5))
    library_file(name="Twice.png", content=image(6, 6))
    result = attempted([line()], [
        ad(media_files="bota.png"), ad(name="Two", media_files="boat.png | reef.png"), ad(name="Three", media_files="twice.png"),
        ad(name="Four", format="CAROUSEL", cards="file:gone.png ; Boat"), ad(name="Five", media_files="GIF:1 | " + "0" * 64),
    ])  # fmt: skip
    assert places(result) == {
        ("media.no_such_name", 2, "media_files"), ("media.no_such_name", 3, "media_files"), ("media.name_twice", 4, "media_files"),
        ("media.no_such_name", 5, "cards"), ("media.no_such_name", 6, "media_files"),
    }  # fmt: skip
    assert "Perhaps boat.png." in next(each.remedy for each in result.errors if each.params["row"] == 2)
    assert not Ad.objects.exists()


def test_a_library_out_of_reach_tells_nothing():
    from governance.models import Market

    library_file("NORD")
    ben = person("Trafficker", grants=[(brand("DIS"), Market.objects.get(code="US"))])
    result = attempted([line(brand="NORD")], [ad(media_files="nothing.png")], user=ben)
    assert {code for code, _row, _column in places(result)} == {"import.outside_reach"}


def test_an_address_is_fetched_once_and_kept_in_the_library(address):
    url = f"{address}/boat.png"
    imported(
        [line()], [ad(media=None, media_files=f"IMAGE:{url}"), ad(name="Two", media=None, media_files=url)]
    )
    row = MediaFile.objects.get()
    assert (row.name, row.source_url, row.width, row.brand.code) == ("boat.png", url, 640, "DIS")
    assert [each.media for each in Ad.objects.all()] == [[{"kind": "IMAGE", "file": row.sha256}]] * 2
    assert [path for path, _headers in Shop.seen] == ["/boat.png"]
    assert row.file.storage.exists(row.file.name)


def test_the_same_sheet_again_fetches_nothing_and_changes_nothing(address):
    sheet = [ad(media=None, media_files=f"{address}/boat.png")]
    imported([line()], sheet)
    Shop.seen = []
    again = imported([line()], sheet)
    assert again.ads["unchanged"] == 1 and Shop.seen == []
    assert MediaFile.objects.count() == 1


def test_one_address_for_two_brands_goes_to_both_libraries(address):
    url = f"{address}/boat.png"
    lines = [line("L1"), line("L2", brand="NORD", campaign="Reef")]
    imported(lines, [ad("L1", media=None, media_files=url), ad("L2", media=None, media_files=url)])
    assert {row.brand.code for row in MediaFile.objects.all()} == {"DIS", "NORD"}
    assert [path for path, _headers in Shop.seen] == ["/boat.png"]
    assert all(row.file.storage.exists(row.file.name) for row in MediaFile.objects.all())


def test_a_check_fetches_tells_and_leaves_nothing(address):
    sheet = csv_source([ad(media=None, media_files=f"{address}/boat.png")], "creatives.csv")
    result = check_media_plan(source=csv_source([line()]), creatives=sheet)
    assert not result.errors and len(Shop.seen) == 1
    assert not MediaFile.objects.exists() and not stored()
    broken = csv_source([ad(media=None, media_files=f"{address}/gone")], "creatives.csv")
    assert places(check_media_plan(source=csv_source([line()]), creatives=broken)) == {
        ("media.url_status", 2, "media_files")
    }


def test_a_refused_import_leaves_no_file_and_tells_its_other_errors_too(address):
    result = attempted([line(), line("L2", brand="Nobody")], [
        ad(media=None, media_files=f"{address}/boat.png"), ad(name="Two", media_files=f"{address}/gone"),
        ad(name="Three", media_files="http://metadata.test/x.png"),
    ])  # fmt: skip
    assert places(result) == {
        ("import.unknown_brand", 3, "brand"), ("media.url_status", 3, "media_files"), ("media.url_forbidden", 4, "media_files"),
    }  # fmt: skip
    assert not MediaFile.objects.exists() and not stored()
    assert not list(Path(django_settings.FILE_UPLOAD_TEMP_DIR).iterdir())


@pytest.mark.parametrize(
    "url", ["https://under_score/a.png", "https://www.example.com/" + "a" * 2000, "https://x"]
)
def test_an_address_that_could_not_be_kept_is_refused_like_others(url):
    result = attempted([line()], [ad(media_files=url)])
    assert places(result) == {("media.url_malformed", 2, "media_files")}


def test_all_addresses_together_have_a_time_limit(address, settings):
    settings.MEDIA_FETCH_IMPORT_SECONDS = -1
    result = attempted([line()], [ad(media_files=f"{address}/boat.png")])
    assert places(result) == {("creatives.fetch_time", 2, "media_files")}
    assert Shop.seen == []
