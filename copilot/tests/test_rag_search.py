"""Searching guidelines: what answers comes first, nothing comes where nothing answers, and each sees their own."""

from __future__ import annotations

import pytest

from copilot.models import GuidelineDocument
from copilot.search import engine
from copilot.tests.guideline_world import GUIDE, read
from governance.models import Grant
from governance.tests.api_clients import client_of
from governance.tests.factories import BrandFactory, UserFactory

pytestmark = pytest.mark.django_db
OTHER = "# Zebra brand\n\n## Stripes\n\nThe secret zebra launch is in March. Stripes are black and white, never grey."


def search(client, query, **more):
    answer = client.post("/api/v1/rag/search", {"query": query, **more}, format="json")
    assert answer.status_code == 200, answer.content
    return answer.json()


@pytest.fixture
def boss():
    return client_of(UserFactory(is_superuser=True))


def test_the_passage_that_answers_comes_with_its_place(boss):
    read("acme-guide.md", GUIDE)
    answer = search(boss, "How much clear space does the Acme logo need?")
    first = answer["results"][0]
    assert (
        "anvil's height" in first["text"] and first["document"] == "acme-guide.md" and first["page"] is None
    )
    assert first["section"].startswith("Acme brand guidelines") and 0 < first["score"] <= 1
    assert answer["mode"] == "local"


def test_words_that_only_mean_the_same_find_it(boss):
    read("acme-guide.md", GUIDE)
    assert "rotate" in search(boss, "May I tilt the Acme emblem?")["results"][0]["text"]


def test_where_nothing_is_relevant_the_list_is_empty(boss):
    read("acme-guide.md", GUIDE)
    assert search(boss, "How long do I bake a sourdough loaf?")["results"] == []
    GuidelineDocument.objects.all().delete()
    assert search(boss, "logo")["results"] == []


def test_a_person_finds_what_is_of_their_brands_and_of_all(boss):
    mine, other = BrandFactory(), BrandFactory(code="ZEB")
    read("zebra.md", OTHER, brand=other)
    read("acme-guide.md", GUIDE, brand=mine)
    read("house.md", "# House rules\n\nEvery zebra joke needs the approval of legal.")
    person = UserFactory(roles=["Trafficker"])
    Grant.objects.create(user=person, brand=mine)
    found = search(client_of(person), "When is the secret zebra launch?", top_k=20)["results"]
    assert {each["document"] for each in found} <= {"acme-guide.md", "house.md"}
    assert not any("March" in each["text"] for each in found)
    assert "March" in search(boss, "When is the secret zebra launch?")["results"][0]["text"]
    of_mine = search(boss, "When is the secret zebra launch?", brand=mine.code, top_k=20)["results"]
    assert "zebra.md" not in {each["document"] for each in of_mine}


def test_who_has_no_grant_or_no_role_finds_nothing():
    read("acme-guide.md", GUIDE)
    assert (
        search(client_of(UserFactory(roles=["Trafficker"])), "clear space of the Acme logo")["results"] == []
    )
    answer = client_of(UserFactory()).post("/api/v1/rag/search", {"query": "x"}, format="json")
    assert answer.status_code == 403


def test_a_replaced_or_deleted_document_is_found_no_more(boss):
    read("acme-guide.md", GUIDE)
    assert search(boss, "Acme logo clear space")["results"]
    read("acme-guide.md", "# Acme\n\nThe logo is purple.")
    assert "purple" in search(boss, "Acme logo")["results"][0]["text"]
    assert not any("anvil" in each["text"] for each in search(boss, "Acme anvil clear space")["results"])


def test_an_upload_through_the_api_is_read_and_deleted(boss, django_capture_on_commit_callbacks):
    from django.core.files.uploadedfile import SimpleUploadedFile

    from copilot.guidelines.indexing import index_document

    file = SimpleUploadedFile("acme.md", GUIDE.encode())
    answer = boss.post("/api/v1/guidelines", {"file": file}, format="multipart")
    assert answer.status_code == 201 and answer.json()["state"] == "WAITING"
    index_document(answer.json()["id"])
    shown = boss.get(f"/api/v1/guidelines/{answer.json()['id']}").json()
    assert shown["state"] == "READY" and shown["progress"] == 100
    assert boss.delete(f"/api/v1/guidelines/{shown['id']}").status_code == 204
    assert not GuidelineDocument.objects.exists()


def test_who_has_one_market_of_a_brand_does_not_change_its_guidelines():
    from governance.tests.factories import MarketFactory

    brand = BrandFactory()
    row = read("acme.md", GUIDE, brand=brand)
    person = UserFactory(roles=["Data admin"])
    Grant.objects.create(user=person, brand=brand, market=MarketFactory())
    assert client_of(person).delete(f"/api/v1/guidelines/{row.public_id}").status_code == 403


def test_an_index_is_made_once_for_the_same_documents():
    read("acme.md", GUIDE)
    rows = GuidelineDocument.objects.all()
    assert engine.index_of(rows) is engine.index_of(rows)
