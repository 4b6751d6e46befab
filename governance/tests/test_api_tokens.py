"""API tokens: scoped, expiring, revocable, never wider than their person or than the token that made them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import get_resolver
from django.utils import timezone
from knox.models import AuthToken
from rest_framework.test import APIClient

from governance import tokens
from governance.api.permissions import RolePermission
from governance.governed import unguarded
from governance.models import ApiToken
from governance.scopes import Scope, scope_of
from governance.tests.api_clients import ROOT, client_of, codes_of, error_of, person
from governance.tests.factories import BrandFactory, UserFactory

pytestmark = pytest.mark.django_db
BRANDS, TOKENS = f"{ROOT}/brands", f"{ROOT}/tokens"


def made(user: Any, *scopes: str, **values: Any) -> tuple[ApiToken, APIClient]:
    """A token with these scopes, and a client that carries it."""
    row, secret = tokens.make_token(user=user, name="test", scopes=list(scopes), **values)
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
    return row, client


@pytest.mark.parametrize(
    ("permission", "scope"),
    [
        ("campaigns.view_campaign", "read"), ("campaigns.add_campaign", "write"), ("trafficking.change_ticket", "write"),
        ("trafficking.approve_ticket", "approve"), ("trafficking.deploy_ticket", "deploy"), ("deploy.decide_drift", "deploy"),
        ("deploy.engage_killswitch", "deploy"), ("governance.change_adaccount", "govern"), ("governance.add_grant", "govern"),
        ("trafficking.add_approvalrule", "govern"), ("tracking.add_conversionsource", "tracking"), ("tracking.view_delivery", "read"),
        ("copilot.view_answer", "copilot"), ("governance.add_apitoken", "tokens"), ("governance.view_apitoken", "tokens"),
        ("governance.add_savedview", "write"), ("auth.change_group", "govern"), ("somewhere.invent_thing", "govern"),
    ],
)  # fmt: skip
def test_each_permission_asks_for_one_scope(permission, scope):
    assert scope_of(permission) == scope


def test_a_token_does_what_its_scopes_cover_and_says_what_it_lacks():
    _row, client = made(person("Data admin"), "read")
    assert client.get(BRANDS).status_code == 200
    refused = client.post(BRANDS, {"code": "NIKE", "name": "Nike"})
    error = error_of(refused)
    assert (refused.status_code, error["code"], error["details"]) == (
        403,
        "missing_scope",
        {"scopes": ["govern"]},
    )
    assert 'scope="govern"' in refused["WWW-Authenticate"] and "govern" in error["message"]
    _row, wide = made(person("Data admin"), "read", "govern")
    assert wide.post(BRANDS, {"code": "NIKE", "name": "Nike"}).status_code == 201


def test_a_scope_gives_nothing_that_its_person_may_not_do():
    _row, client = made(person("Analyst"), *Scope.values)
    refused = client.post(BRANDS, {"code": "NIKE", "name": "Nike"})
    assert (refused.status_code, error_of(refused)["code"]) == (403, "permission_denied")


def test_a_superusers_token_is_held_to_its_scopes_too():
    _row, client = made(UserFactory(is_superuser=True), "read")
    assert client.post(BRANDS, {"code": "NIKE", "name": "Nike"}).status_code == 403


def test_a_permission_that_is_asked_for_further_in_is_held_back_as_well():
    """Reverting asks at its door only for what every role has; the row's own permission comes later."""
    brand = BrandFactory()
    brand.name = "Another name"
    brand.save()
    change = brand.history.order_by("-history_id").first().history_id
    _row, reader = made(person("Data admin"), "read")
    url = f"{ROOT}/trail/governance.brand/{change}/revert"
    refused = reader.post(url, {"version": brand.version})
    assert refused.status_code in (403, 404, 409)
    brand.refresh_from_db()
    assert brand.name == "Another name"


def test_every_scope_that_an_endpoint_needs_is_told_in_the_document():
    paths = APIClient().get("/api/schema/?format=json").json()["paths"]
    assert paths["/api/v1/tickets/{id}/approve"]["post"]["x-required-scope"] == "approve"
    assert paths["/api/v1/deploy"]["post"]["x-required-scope"] == "deploy"
    assert paths["/api/v1/campaigns"]["get"]["x-required-scope"] == "read"
    untold = {
        f"{method} {path}" for path, methods in paths.items() for method, operation in methods.items()
        if operation.get("x-required-scope") not in Scope.values
    }  # fmt: skip
    # a conversion comes by the secret of its source: no person, no token
    reports = {"post /api/v1/tracking/event", "post /api/v1/tracking/events"}
    assert untold == {"post /api/v1/auth/token", "delete /api/v1/auth/token", *reports}
    views = {each.callback.cls for each in get_resolver("omnitraffick.api_urls").url_patterns}
    assert {each.__name__ for each in views if RolePermission not in each.permission_classes} == {
        "TokenView",
        "NotThere",
        "EventView",
        "EventsView",
    }


def test_a_password_gives_a_token_of_the_scopes_and_days_that_are_asked_for():
    user = person("Analyst")
    user.set_password("correct horse")
    user.save()
    body = {
        "username": user.username,
        "password": "correct horse",
        "name": "BI",
        "scopes": ["read"],
        "days": 7,
    }
    given = APIClient().post(f"{ROOT}/auth/token", body)
    assert given.status_code == 201 and given.json()["scopes"] == ["read"]
    row = ApiToken.objects.get()
    assert (row.name, row.scopes, row.user) == ("BI", ["read"], user)
    assert timedelta(days=6.9) < row.expires_at - timezone.now() <= timedelta(days=7)
    assert row.secret.expiry - row.expires_at < timedelta(seconds=5)
    assert codes_of(APIClient().post(f"{ROOT}/auth/token", {**body, "scopes": ["all"]}), "scopes[0]")
    assert codes_of(APIClient().post(f"{ROOT}/auth/token", {**body, "days": 0}), "days")


def test_a_token_has_a_scope_and_an_end_within_the_limit(settings):
    settings.API_TOKEN_MAX_DAYS = 30
    user = person("Analyst")
    for values, field in (
        ({"scopes": []}, "scopes"), ({"scopes": ["root"]}, "scopes"), ({"days": 31}, "expires_at"), ({"days": 0}, "expires_at"),
        ({"name": " "}, "name"),
    ):  # fmt: skip
        with pytest.raises(ValidationError) as refused:
            tokens.make_token(**{"user": user, "name": "x", "scopes": ["read"], "days": 1, **values})
        assert field in refused.value.message_dict
    assert not ApiToken.objects.exists() and not AuthToken.objects.exists()


def test_tokens_are_made_listed_and_revoked_through_the_api():
    user = person("Analyst")
    client = client_of(user)
    given = client.post(TOKENS, {"name": "Nightly", "scopes": ["read"], "days": 3})
    assert given.status_code == 201, given.content
    secret, own = given.json()["token"], given.json()["id"]
    carrier = APIClient()
    carrier.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
    assert carrier.get(BRANDS).status_code == 200
    listed = client.get(TOKENS).json()["results"]
    assert [each["name"] for each in listed] == ["Nightly"] and secret not in str(listed)
    assert client.delete(f"{TOKENS}/{own}").status_code == 204
    assert carrier.get(BRANDS).status_code == 401
    assert client.get(f"{TOKENS}/{own}").json()["state"] == "revoked"
    assert client.delete(f"{TOKENS}/{own}").status_code == 204  # once more changes nothing
    assert not AuthToken.objects.exists()


def test_a_token_makes_none_that_may_do_more_or_live_longer_than_itself():
    user = person("Data admin")
    row, client = made(user, "read", "tokens", days=2)
    wider = client.post(TOKENS, {"name": "x", "scopes": ["read", "govern"]})
    assert wider.status_code == 400 and codes_of(wider, "scopes") == ["wider_scope"]
    given = client.post(TOKENS, {"name": "x", "scopes": ["read"], "days": 90})
    assert given.status_code == 201
    child = ApiToken.objects.get(public_id=given.json()["id"])
    assert child.expires_at <= row.expires_at
    _row, without = made(user, "read")
    refused = without.post(TOKENS, {"name": "x", "scopes": ["read"]})
    assert error_of(refused)["details"] == {"scopes": ["tokens"]}


def test_one_sees_ones_own_and_who_manages_them_sees_and_revokes_all():
    ana, boss = person("Analyst"), person("Data admin")
    row, carrier = made(ana, "read")
    other = person("Planner")
    assert client_of(other).get(TOKENS).json()["results"] == []
    assert client_of(other).delete(f"{TOKENS}/{row.public_id}").status_code == 404
    with pytest.raises(PermissionDenied):
        tokens.revoke_token(token=row, by=other)
    limited = person("Data admin", grants=[(BrandFactory(), None)])
    assert client_of(limited).get(TOKENS).json()["results"] == []
    assert [each["username"] for each in client_of(boss).get(TOKENS).json()["results"]] == [ana.username]
    assert client_of(boss).delete(f"{TOKENS}/{row.public_id}").status_code == 204
    assert carrier.get(BRANDS).status_code == 401
    last = row.history.order_by("-history_id").first()
    assert (last.history_user, last.revoked_at is not None) == (boss, True)


def test_an_inactive_person_and_a_token_without_a_row_are_refused():
    user = person("Analyst")
    _row, carrier = made(user, "read")
    _bare, secret = AuthToken.objects.create(user=user)
    assert APIClient().get(BRANDS, HTTP_AUTHORIZATION=f"Token {secret}").status_code == 401
    user.is_active = False
    user.save()
    assert carrier.get(BRANDS).status_code == 401


def test_the_last_use_is_noted_to_the_hour_and_writes_no_history():
    row, client = made(person("Analyst"), "read")
    client.get(BRANDS)
    first = ApiToken.objects.get().last_used_at
    assert first is not None
    client.get(BRANDS)
    assert ApiToken.objects.get().last_used_at == first
    unguarded(ApiToken).update(last_used_at=first - timedelta(hours=2))
    client.get(BRANDS)
    assert ApiToken.objects.get().last_used_at > first
    assert row.history.count() == 1


def test_a_request_with_a_token_asks_for_it_and_its_person_in_one_query(django_assert_num_queries):
    row, secret = tokens.make_token(user=person("Analyst"), name="x", scopes=["read"])
    with django_assert_num_queries(1):
        assert tokens.find_token(secret).user == row.user


def test_neither_secret_nor_hash_is_in_the_history_or_in_an_export():
    row, secret = tokens.make_token(user=UserFactory(is_superuser=True), name="x", scopes=["read"])
    assert secret not in str(list(row.history.values())) and row.secret.digest not in str(
        list(row.history.values())
    )
    body = {"list": "governance.apitoken", "columns": "all"}
    exported = client_of(row.user).post(f"{ROOT}/exports", body)
    said = b"".join(exported.streaming_content) if exported.streaming else exported.content
    assert row.secret.digest.encode() not in said
