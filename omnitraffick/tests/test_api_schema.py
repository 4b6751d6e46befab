"""The API keeps what its OpenAPI document says, and its pages keep to the site's content security policy."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

from governance.models import NamingConvention
from governance.scopes import Scope
from governance.tests.api_clients import person
from governance.tokens import make_token
from omnitraffick.wsgi import application
from trafficking.tests.factories import make_ticket

PER_OPERATION = 16


def test_the_document_is_made_without_a_warning():
    out = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out)
    assert "/api/v1/campaigns:" in out.getvalue()
    assert "/api/v1/deploy/status/{task_id}:" in out.getvalue()


@pytest.mark.django_db
def test_the_docs_page_runs_under_the_content_security_policy():
    page = Client().get("/api/docs/")
    assert page.status_code == 200
    policy = page["Content-Security-Policy"]
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
    html = page.content.decode()
    assert "://" not in html.replace("http://www.w3.org", ""), "something is loaded from elsewhere"
    for tag in html.split("<script")[1:]:
        opening, inside = tag.split(">", 1)
        assert "src=" in opening
        assert not inside.split("</script>")[0].strip()
    script = Client().get("/api/docs/?script=")
    assert script["Content-Type"].startswith("application/javascript")


@pytest.mark.django_db
def test_the_document_says_how_errors_and_headers_look():
    document = Client().get("/api/schema/?format=json").json()
    post = document["paths"]["/api/v1/campaigns"]["post"]
    assert {"201", "400", "401", "403", "409", "422"} <= set(post["responses"])
    assert post["responses"]["400"]["content"]["application/json"]["schema"]["$ref"].endswith("/ErrorBody")
    assert "Idempotency-Key" in {each["name"] for each in post["parameters"]}
    patch = document["paths"]["/api/v1/tickets/{id}"]["patch"]
    assert "If-Match" in {each["name"] for each in patch["parameters"]}
    for method in document["paths"]["/api/v1/auth/token"]:
        names = {
            each["name"] for each in document["paths"]["/api/v1/auth/token"][method].get("parameters", [])
        }
        assert "Idempotency-Key" not in names


@pytest.fixture
def kept_connection() -> Iterator[None]:
    """The WSGI application ends requests by closing connections; here one holds the test's transaction.

    Django's own test client does the same for itself.
    """
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.usefixtures("kept_connection")
def test_whatever_is_sent_the_api_answers_as_documented_and_never_fails():
    """A dozen generated requests for each operation, against the WSGI application, rolled back at the end."""
    user = person("Data admin", "Trafficker", "Approver")
    _row, token = make_token(user=user, name="schema", scopes=list(Scope.values), days=1)
    standing = _world()
    schema = schemathesis.openapi.from_wsgi("/api/schema/?format=json", application)
    failures: list[str] = []
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path == "/api/v1/auth/token":
            continue  # its DELETE would end the token that this test holds
        _try(operation, {"Authorization": f"Token {token}"}, standing, failures)
    assert not failures, "\n\n".join(failures[:5])


def _try(operation: Any, headers: dict[str, str], standing: dict[str, str], failures: list[str]) -> None:
    """Every other request to a single row goes to one that stands."""
    collection = operation.path.removeprefix("/api/v1/").split("/")[0]
    count = itertools.count()

    @settings(
        max_examples=PER_OPERATION, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy())
    def run(case: Any) -> None:
        if "id" in (case.path_parameters or {}) and collection in standing and next(count) % 2:
            case.path_parameters["id"] = standing[collection]
        response = case.call(headers=headers)
        try:
            case.validate_response(response, checks=[not_a_server_error, response_schema_conformance])
        except BaseExceptionGroup as problem:
            failures.append(f"{operation.label}: {[str(each)[:600] for each in problem.exceptions]}")
        except AssertionError as problem:
            failures.append(f"{operation.label}: {str(problem)[:600]}")

    run()


def _world() -> dict[str, str]:
    """Something to find: collection -> the public id of a row that stands in it."""
    ticket = make_ticket()
    campaign = ticket.campaign
    rows = {
        "tickets": ticket, "campaigns": campaign, "brands": campaign.brand, "markets": campaign.market,
        "channels": ticket.channel, "ad-accounts": ticket.ad_account,
        "naming-conventions": NamingConvention.in_force_or_none(),
    }  # fmt: skip
    return {name: str(row.public_id) for name, row in rows.items()}
