"""The media library's pages."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from governance.tests.api_clients import person
from governance.tests.factories import BrandFactory, MarketFactory
from trafficking.media.library import add_upload
from trafficking.media.tests.made import image, video
from trafficking.models import MediaFile
from trafficking.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
LIST = reverse("admin:trafficking_mediafile_changelist")
ADD = reverse("admin:trafficking_mediafile_add")


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "uploads"
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "incoming"


@pytest.fixture
def brand():
    return BrandFactory()


@pytest.fixture
def ana(brand):
    return person("Trafficker", grants=[(brand, MarketFactory())])


@pytest.fixture
def browser(ana):
    return signed_in(ana)


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(name: str, row: MediaFile) -> str:
    return reverse(f"admin:trafficking_mediafile_{name}", args=[row.pk])


def library_file(brand, by, content: bytes = b"", name: str = "boat.png") -> MediaFile:
    return add_upload(brand=brand, upload=SimpleUploadedFile(name, content or image(300, 200)), by=by).row


def add(browser, brand, **values):
    return browser.post(ADD, {"brand": brand.pk, "source_url": "", "name": "", **values}, follow=True)


def test_a_file_is_added_and_its_page_says_how_to_use_it(browser, brand):
    response = add(browser, brand, file=SimpleUploadedFile("boat.png", image(300, 200)))
    row = MediaFile.objects.get()
    text = response.content.decode()
    assert response.redirect_chain == [(page("change", row), 302)]
    assert row.sha256 in text and "300 × 200" in text and "No ad uses it yet." in text
    for platform in ("Meta", "TikTok", "Google"):
        assert platform in text


def test_the_same_content_again_leads_to_the_file_that_is_there(browser, brand, ana):
    row = library_file(brand, ana)
    response = add(browser, brand, file=SimpleUploadedFile("copy.png", image(300, 200)))
    assert response.redirect_chain == [(page("change", row), 302)]
    assert "has this very file already, as “boat.png”" in response.content.decode()


@pytest.mark.parametrize(("values", "text"), [
    ({}, "Choose a file, or write its address"),
    ({"source_url": "https://127.0.0.1/a.png"}, "not on the public internet"),
    ({"source_url": "http://www.example.com/a.png"}, "is not fetched"),
    ({"file": SimpleUploadedFile("a.png", b"<html>" * 9)}, "This is no image or video"),
])  # fmt: skip
def test_what_is_refused_is_told_on_the_form(browser, brand, values, text):
    response = add(browser, brand, **values)
    assert response.status_code == 200 and text in response.content.decode()
    assert not MediaFile.objects.exists()


def test_only_the_persons_brands_can_be_chosen(browser, brand):
    other = BrandFactory(code="NORD")
    assert "NORD" not in browser.get(ADD).content.decode()
    add(browser, other, file=SimpleUploadedFile("a.png", image(10, 10)))
    assert not MediaFile.objects.exists()


def test_the_list_is_filtered_searched_and_read_in_few_queries(
    browser, brand, ana, django_assert_max_num_queries
):
    for number in range(5):
        library_file(brand, ana, image(10 + number, 10), f"boat{number}.png")
    library_file(brand, ana, video(), "film.mp4")
    with django_assert_max_num_queries(14):
        text = browser.get(LIST).content.decode()
    assert "film.mp4" in text and "15 s" in text and "1080 × 1920" in text
    found = browser.get(LIST, {"q": "boat3"}).content.decode()
    assert "boat3.png" in found and "film.mp4" not in found


def test_bytes_and_thumbnail_are_served_to_people_in_reach_only(browser, brand, ana):
    row = library_file(brand, ana)
    content, small = browser.get(page("content", row)), browser.get(page("thumbnail", row))
    assert b"".join(content.streaming_content) == image(300, 200)
    assert content["Content-Disposition"] == 'attachment; filename="boat.png"'
    assert (content["Content-Type"], small["Content-Type"]) == ("image/png", "image/jpeg")
    for answer in (content, small):
        assert (
            answer["X-Content-Type-Options"] == "nosniff" and "sandbox" in answer["Content-Security-Policy"]
        )
        assert answer["Cache-Control"].startswith("private")
    stranger = signed_in(person("Trafficker", grants=[(BrandFactory(code="NORD"), None)]))
    nobody, rightless = Client(), signed_in(person(grants=[(brand, None)]))
    for name in ("content", "thumbnail", "change"):
        assert stranger.get(page(name, row)).status_code in (302, 404)
        assert nobody.get(page(name, row)).status_code == 302
        assert rightless.get(page(name, row)).status_code == 403
    assert row.name not in stranger.get(LIST).content.decode()


def test_a_video_has_no_thumbnail_and_gone_bytes_are_not_there(browser, brand, ana):
    assert browser.get(page("thumbnail", library_file(brand, ana, video(), "a.mp4"))).status_code == 404
    row = library_file(brand, ana)
    row.file.storage.delete(row.file.name)
    assert browser.get(page("content", row)).status_code == 404


def test_files_have_no_public_address(browser, brand, ana):
    row = library_file(brand, ana)
    assert row.file.name not in browser.get(page("change", row)).content.decode()
    for url in (f"/{row.file.name}", f"/media/{row.file.name}", f"/uploads/{row.file.name}"):
        assert browser.get(url).status_code == 404


def test_only_the_name_can_be_changed(browser, brand, ana):
    row = library_file(brand, ana)
    browser.post(
        page("change", row), {"name": "Boat at sea.png", "version": row.version, "width": 1, "sha256": "x"}
    )
    row.refresh_from_db()
    assert (row.name, row.width) == ("Boat at sea.png", 300) and len(row.sha256) == 64


def test_the_page_shows_which_ads_use_it_and_keeps_it_from_being_deleted(browser, ana):
    ticket = make_ticket()
    row = library_file(ticket.campaign.brand, ana)
    ad = ticket.ad_sets.get().ads.get()
    ad.media = [{"kind": "IMAGE", "file": row.sha256}]
    ad.save()
    assert ad.governed_name in browser.get(page("change", row)).content.decode()
    response = browser.post(page("delete", row), {"post": "yes"}, follow=True)
    assert "It is used by 1 ads" in response.content.decode() and MediaFile.objects.exists()


def test_an_unused_file_is_deleted(browser, brand, ana):
    row = library_file(brand, ana)
    browser.post(page("delete", row), {"post": "yes"})
    assert not MediaFile.objects.exists()


def test_the_page_says_what_each_platform_would_refuse_of_the_file(browser, brand, ana):
    small = browser.get(page("change", library_file(brand, ana, image(60, 40), "dot.png"))).content.decode()
    square = browser.get(
        page("change", library_file(brand, ana, image(1200, 1200), "tile.png"))
    ).content.decode()
    for label in ("Meta", "TikTok", "Google"):
        assert label in small
    assert "takes it" not in small.split("<strong>Meta")[1].split("</li>")[0]
    assert "takes it" in square.split("<strong>Meta")[1].split("</li>")[0]
