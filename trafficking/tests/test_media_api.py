"""/api/v1/media-files."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from governance.tests.api_clients import ROOT, client_of, codes_of, error_of, person
from governance.tests.factories import BrandFactory, MarketFactory
from trafficking.media.tests.made import image, video
from trafficking.models import MediaFile

pytestmark = pytest.mark.django_db
URL = f"{ROOT}/media-files"


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "uploads"
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "incoming"


@pytest.fixture
def brand():
    return BrandFactory()


@pytest.fixture
def client(brand):
    return client_of(person("Trafficker", grants=[(brand, MarketFactory())]))


def post(client, content: bytes | None = None, **fields):
    file = SimpleUploadedFile("boat.png", image(300, 200) if content is None else content)
    return client.post(URL, {"brand": "DIS", "file": file, **fields}, format="multipart")


def test_a_file_is_brought_in_and_read_again(client):
    response = post(client, name="Boat at sea.png")
    assert response.status_code == 201, response.content
    made = response.json()
    assert (made["brand"], made["name"], made["content_type"]) == ("DIS", "Boat at sea.png", "image/png")
    assert (made["width"], made["height"], made["duration_s"]) == (300, 200, None)
    assert response["Location"].endswith(f"/media-files/{made['id']}")
    assert client.get(f"{URL}/{made['id']}").json() == made
    assert "file" not in made  # where it lies is not told


def test_the_same_content_again_is_the_same_file(client):
    first, again = post(client), post(client, name="Another.png")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert MediaFile.objects.count() == 1


def test_lists_are_filtered_and_searched(client):
    post(client)
    post(client, video(), name="film.mp4")
    assert [each["name"] for each in client.get(URL).json()["results"]] == ["film.mp4", "boat.png"]
    assert [each["name"] for each in client.get(f"{URL}?kind=video").json()["results"]] == ["film.mp4"]
    assert [each["name"] for each in client.get(f"{URL}?search=boat").json()["results"]] == ["boat.png"]
    sha256 = MediaFile.objects.get(name="film.mp4").sha256
    assert [each["name"] for each in client.get(f"{URL}?sha256={sha256}&brand=DIS").json()["results"]] == [
        "film.mp4"
    ]


def test_a_file_that_can_not_be_used_is_told_at_its_field(client):
    response = post(client, b"<html>" * 10)
    assert response.status_code == 400 and codes_of(response, "file") == ["media.unknown_type"]


def test_an_address_that_can_not_be_fetched_is_told_at_its_field(client):
    for url, code in (
        ("https://localhost/boat.png", "media.url_forbidden"),
        ("ftp://x.test/a", "media.url_scheme"),
    ):
        response = client.post(URL, {"brand": "DIS", "url": url})
        assert response.status_code == 400 and codes_of(response, "url") == [code]


def test_exactly_one_of_file_and_address_is_wanted(client):
    neither = client.post(URL, {"brand": "DIS"})
    both = post(client, url="https://www.example.com/a.png")
    assert codes_of(neither, "file") == codes_of(both, "file") == ["one_of"]


def test_unknown_fields_and_missing_brands_are_errors(client):
    response = client.post(URL, {"url": "https://www.example.com/a.png", "sha256": "ab"})
    fields = error_of(response)["fields"]
    assert {name: entries[0]["code"] for name, entries in fields.items()} == {
        "brand": "required",
        "sha256": "unknown_field",
    }


def test_another_brands_library_is_not_there(client):
    BrandFactory(code="NORD")
    other = client_of(person("Trafficker"))
    theirs = post(other, brand="NORD").json()
    assert client.get(f"{URL}/{theirs['id']}").status_code == 404
    assert client.get(URL).json()["results"] == []
    assert codes_of(post(client, brand="NORD"), "brand") == ["does_not_exist"]


def test_an_analyst_reads_and_adds_nothing(client):
    made = post(client).json()
    analyst = client_of(person("Analyst"))
    assert analyst.get(f"{URL}/{made['id']}").status_code == 200
    assert post(analyst).status_code == 403


def test_too_large_a_body_is_refused_before_it_is_read(client, settings):
    settings.MEDIA_MAX_VIDEO_BYTES = 1_000
    response = post(client, bytes(200_000))
    assert response.status_code == 413 and error_of(response)["code"] == "too_large"


def test_an_idempotency_key_repeats_the_answer(client):
    first = post_keyed(client)
    again = post_keyed(client)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again["Idempotent-Replayed"] == "true" and again.json() == first.json()


def post_keyed(client):
    file = SimpleUploadedFile("boat.png", image(300, 200))
    return client.post(
        URL, {"brand": "DIS", "file": file}, format="multipart", headers={"Idempotency-Key": "k1"}
    )


def test_nothing_is_changed_or_deleted_here(client):
    made = post(client).json()
    for method in (client.put, client.patch, client.delete):
        assert method(f"{URL}/{made['id']}", {}).status_code in (403, 405)
    assert MediaFile.objects.count() == 1
