"""API tokens in the admin: made with the secret shown once, revoked by their person or by who manages them."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from governance import tokens
from governance.models import ApiToken
from omnitraffick.tests.admin_world import make_world

pytestmark = pytest.mark.django_db
LIST, ADD = "admin:governance_apitoken_changelist", "admin:governance_apitoken_add"


@pytest.fixture
def world():
    return make_world()


def test_a_person_makes_a_token_and_sees_its_secret_once(world, client):
    client.force_login(world.planner)
    page = client.post(reverse(ADD), {"name": "Export", "scopes": ["read", "write"], "days": "30"})
    row = ApiToken.objects.get()
    secret = re.search(r'id="new-secret">([0-9a-f]{64})<', page.content.decode())[1]
    assert tokens.find_token(secret) == row and row.scopes == ["read", "write"]
    assert "no-store" in page["Cache-Control"]
    for url in (reverse(LIST), reverse("admin:governance_apitoken_change", args=[row.pk])):
        said = client.get(url).content.decode()
        assert row.starts_with in said and secret not in said


def test_a_form_that_is_wrong_makes_none_and_says_why(world, client, settings):
    settings.API_TOKEN_MAX_DAYS = 10
    client.force_login(world.planner)
    page = client.post(reverse(ADD), {"name": "Export", "scopes": ["read"], "days": "11"})
    assert page.status_code == 200 and "10 days at most" in page.content.decode()
    client.post(reverse(ADD), {"name": "Export", "days": "1"})
    assert not ApiToken.objects.exists()


def test_it_is_revoked_by_its_person_and_by_who_manages_all(world, client):
    mine, _secret = tokens.make_token(user=world.planner, name="a", scopes=["read"])
    other, _secret = tokens.make_token(user=world.approver, name="b", scopes=["read"])

    def revoke(row):
        return client.post(reverse("admin:governance_apitoken_revoke", args=[row.pk]), {"reason": "lost"})

    client.force_login(world.planner)
    assert revoke(other).status_code in (302, 403, 404)
    assert ApiToken.objects.get(pk=other.pk).revoked_at is None
    revoke(mine)
    assert ApiToken.objects.get(pk=mine.pk).revoked_at is not None
    client.force_login(world.data_admin)
    assert client.get(reverse("admin:governance_apitoken_revoke", args=[other.pk])).status_code == 200
    revoke(other)
    assert ApiToken.objects.get(pk=other.pk).revoked_at is not None


def test_the_list_shows_ones_own_and_a_data_admin_all(world, client):
    tokens.make_token(user=world.approver, name="Somebody's", scopes=["read"])
    client.force_login(world.planner)
    assert "Somebody" not in client.get(reverse(LIST)).content.decode()
    client.force_login(world.data_admin)
    assert "Somebody" in client.get(reverse(LIST)).content.decode()


def test_nobody_edits_or_deletes_one(world, client):
    row, _secret = tokens.make_token(user=world.boss, name="a", scopes=["read"])
    client.force_login(world.boss)
    client.post(
        reverse("admin:governance_apitoken_change", args=[row.pk]), {"name": "b", "scopes": '["deploy"]'}
    )
    client.post(reverse("admin:governance_apitoken_delete", args=[row.pk]), {"post": "yes"})
    row = ApiToken.objects.get()
    assert (row.name, row.scopes) == ("a", ["read"])
