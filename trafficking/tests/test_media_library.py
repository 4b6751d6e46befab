"""A brand's media library: every content once, measured, bounded, and only its people's."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile

from governance.tests.api_clients import person
from governance.tests.factories import BrandFactory, MarketFactory
from trafficking.media.library import add_upload, add_url, delete_file, open_by_hash, thumbnail_name
from trafficking.media.tests.made import image, video
from trafficking.media.tests.test_fetch import CONTENT, LOCAL, shop
from trafficking.models import MediaFile
from trafficking.tests.factories import make_ticket

pytestmark = pytest.mark.django_db


def upload(content: bytes | None = None, name: str = "Boat.PNG") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, image(200, 100) if content is None else content, content_type="text/html")


def refused(brand, content: bytes, by) -> list[str]:
    with pytest.raises(ValidationError) as error:
        add_upload(brand=brand, upload=upload(content), by=by)
    assert set(error.value.error_dict) == {"file"}
    return [each.code for each in error.value.error_dict["file"]]


def stored() -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "uploads"
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "incoming"


@pytest.fixture
def ana():
    return person("Trafficker")


def test_an_upload_is_measured_and_not_believed(ana):
    content = image(200, 100)
    added = add_upload(brand=BrandFactory(), upload=upload(content, "../../etc/Boat trip.exe"), by=ana)
    row = MediaFile.objects.get()
    assert added.created and added.row == row
    assert (row.content_type, row.width, row.height, row.size) == ("image/png", 200, 100, len(content))
    assert row.sha256 == hashlib.sha256(content).hexdigest() and row.uploaded_by == ana
    assert row.name == "Boat trip.exe"  # what people call it; the stored name is ours
    assert Path(row.file.name).name == f"{row.sha256[:32]}.png"
    assert row.history.get().history_user == ana


def test_a_video_is_measured(ana):
    row = add_upload(brand=BrandFactory(), upload=upload(video(), "a.mp4"), by=ana).row
    assert (row.content_type, row.codec, str(row.duration_s)) == ("video/mp4", "AVC", "15.000")
    assert not row.file.storage.exists(thumbnail_name(row))


def test_the_same_content_is_kept_once_and_told(ana):
    brand = BrandFactory()
    first = add_upload(brand=brand, upload=upload(name="one.png"), by=ana)
    again = add_upload(brand=brand, upload=upload(name="two.png"), by=ana)
    assert (first.created, again.created, again.row) == (True, False, first.row)
    assert len(stored()) == 2  # the file and its thumbnail
    other = add_upload(brand=BrandFactory(code="NORD"), upload=upload(), by=ana)
    assert other.created and MediaFile.objects.count() == 2


def test_an_archived_file_comes_back_when_it_is_added_again(ana):
    brand = BrandFactory()
    row = add_upload(brand=brand, upload=upload(), by=ana).row
    row.archive()
    assert add_upload(brand=brand, upload=upload(), by=ana).row.archived_at is None


def test_one_that_somebody_else_adds_in_the_same_moment_is_found(ana, monkeypatch):
    brand = BrandFactory()
    first = add_upload(brand=brand, upload=upload(), by=ana).row
    look, looks = type(MediaFile.objects.all()).filter, []

    def blind_once(rows, *args, **conditions):
        looks.append(conditions)
        return look(rows, *args, **({**conditions, "sha256": ""} if len(looks) == 1 else conditions))

    monkeypatch.setattr("governance.governed.GovernedQuerySet.filter", blind_once, raising=False)
    added = add_upload(brand=brand, upload=upload(), by=ana)
    assert (added.created, added.row) == (False, first)
    assert len(stored()) == 2


def test_limits_are_kept_while_it_comes_in(ana, settings):
    settings.MEDIA_MAX_IMAGE_BYTES, settings.MEDIA_MAX_VIDEO_BYTES = 2_000, 4_000
    brand = BrandFactory()
    assert refused(brand, image(80, 80, "PNG") + bytes(3_000), ana) == ["media.image_too_big"]
    assert refused(brand, video(size=9_000), ana) == ["media.video_too_big"]
    assert add_upload(brand=brand, upload=upload(video(size=3_000)), by=ana).created


@pytest.mark.parametrize(("content", "code"), [
    (b"", "media.empty"), (b"GIF", "media.unknown_type"), (b"<html>" * 20, "media.unknown_type"),
    (image(300, 300)[:-150], "media.broken"),
], ids=["empty", "short", "html", "cut"])  # fmt: skip
def test_what_can_not_be_used_is_refused_and_leaves_nothing(ana, content, code):
    assert refused(BrandFactory(), content, ana) == [code]
    assert not MediaFile.objects.exists() and not stored()
    assert not list(Path(settings.FILE_UPLOAD_TEMP_DIR).rglob("*"))


def test_a_parser_that_dies_or_hangs_takes_nobody_along(ana, monkeypatch):
    import subprocess

    def killed(command, **options):
        return subprocess.CompletedProcess(command, -9, b"", b"")

    monkeypatch.setattr("trafficking.media.measuring.subprocess.run", killed)
    assert refused(BrandFactory(), image(10, 10), ana) == ["media.takes_too_long"]
    monkeypatch.undo()
    monkeypatch.setattr("trafficking.media.measuring.SECONDS", 0.001)
    assert refused(BrandFactory(), image(10, 10), ana) == ["media.takes_too_long"]


def test_the_measuring_process_knows_no_secret(monkeypatch):
    from trafficking.media.measuring import _bare_environment

    monkeypatch.setenv("SECRET_KEY", "very")
    monkeypatch.setenv("DATABASE_URL", "postgres://somewhere")
    assert {"SECRET_KEY", "DATABASE_URL"}.isdisjoint(_bare_environment())


def test_an_address_is_fetched_into_the_library(ana, settings, monkeypatch):
    settings.MEDIA_FETCH_HTTP = True
    content = image(120, 90)
    monkeypatch.setattr("trafficking.media.tests.test_fetch.Shop._boat.__defaults__", (content, 200))
    with shop() as port:
        url = f"http://shop.test:{port}/boat.png"
        row = add_url(brand=BrandFactory(), url=url, by=ana, network=LOCAL).row
    assert (row.name, row.source_url, row.width) == ("boat.png", url, 120)
    assert content != CONTENT


def test_an_address_that_can_not_be_fetched_is_told_at_its_field(ana):
    with pytest.raises(ValidationError) as error:
        add_url(brand=BrandFactory(), url="https://127.0.0.1/boat.png", by=ana)
    assert [each.code for each in error.value.error_dict["source_url"]] == ["media.url_forbidden"]


def test_a_library_is_for_people_of_the_brand_in_any_market(ana):
    brand, other = BrandFactory(), BrandFactory(code="NORD")
    ben = person("Trafficker", grants=[(brand, MarketFactory())])
    assert add_upload(brand=brand, upload=upload(), by=ben).created
    with pytest.raises(PermissionDenied):
        add_upload(brand=other, upload=upload(), by=ben)
    with pytest.raises(PermissionDenied):
        add_url(brand=other, url="https://www.example.com/a.png", by=ben)
    assert list(MediaFile.objects.visible_to(ben)) == list(MediaFile.objects.filter(brand=brand))


def test_bytes_are_opened_by_content(ana):
    row = add_upload(brand=BrandFactory(), upload=upload(), by=ana).row
    with open_by_hash(row.sha256, row.brand_id) as file:
        assert hashlib.sha256(file.read()).hexdigest() == row.sha256
    with pytest.raises(LookupError, match="has no file"):
        open_by_hash(row.sha256, BrandFactory(code="NORD").pk)
    row.file.storage.delete(row.file.name)
    with pytest.raises(LookupError, match="gone from the storage"):
        open_by_hash(row.sha256, row.brand_id)


def test_a_file_that_an_ad_uses_stays(ana, django_capture_on_commit_callbacks):
    ticket = make_ticket()
    row = add_upload(brand=ticket.campaign.brand, upload=upload(), by=ana).row
    ad = ticket.ad_sets.get().ads.get()
    ad.media = [{"kind": "IMAGE", "file": row.sha256}]
    ad.save()
    with pytest.raises(ValidationError, match="used by 1 ads"):
        delete_file(row=row, by=ana)
    ad.media = [{"kind": "IMAGE", "id": "a1b2c3d4e5f60718293a4b5c6d7e8f90"}]
    ad.save()
    with django_capture_on_commit_callbacks(execute=True):
        delete_file(row=row, by=ana)
    assert not MediaFile.objects.exists() and not stored()
