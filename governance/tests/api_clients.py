"""Clients and people for API tests."""

from __future__ import annotations

from typing import Any

from rest_framework.test import APIClient

from governance.models import Grant, User
from governance.tests.factories import UserFactory

ROOT = "/api/v1"


def client_of(user: User) -> APIClient:
    """A client that is signed in as `user` and, like a real one, never sees a server's traceback."""
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(user)
    return client


def person(*roles: str, grants: Any = ((None, None),)) -> User:
    """Someone with these roles and these (brand, market) grants; the default is everything."""
    user = UserFactory(roles=roles)
    for brand, market in grants:
        Grant.objects.create(user=user, brand=brand, market=market)
    return User.objects.get(pk=user.pk)


def error_of(response: Any) -> dict[str, Any]:
    """The envelope's inside, after a look at its form."""
    body = response.json()
    assert set(body) == {"error"}, body
    assert set(body["error"]) == {"code", "message", "request_id", "fields", "rows", "details"}
    assert body["error"]["request_id"] == response["X-Request-ID"] != ""
    return body["error"]


def codes_of(response: Any, field: str) -> list[str]:
    return [entry["code"] for entry in error_of(response)["fields"].get(field, [])]
