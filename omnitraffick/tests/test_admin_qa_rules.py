"""The built-in QA rules in the admin: thresholds are fields, and what they say is what QA goes by."""

from __future__ import annotations

import pytest
from django.urls import reverse

from governance.models import QARule
from governance.tests.api_clients import person
from governance.tests.factories import BrandFactory
from omnitraffick.tests.admin_world import form_values, make_world
from trafficking.services import submit_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(client):
    made = make_world()
    client.force_login(made.data_admin)
    return made


def page_of(kind):
    return reverse("admin:governance_qarule_change", args=[QARule.objects.get(kind=kind).pk])


def saved(client, kind, **changes):
    return client.post(page_of(kind), form_values(client.get(page_of(kind)), **changes))


def test_a_lower_limit_is_what_the_next_submission_goes_by(world, client):
    assert submit_ticket(ticket=world.ticket, by=world.planner).passed
    assert (
        saved(
            client, "BUDGET_LIMITS", daily="1.50", lifetime="2", change_reason="A test of limits"
        ).status_code
        == 302
    )
    rule = QARule.objects.get(kind="BUDGET_LIMITS")
    assert rule.parameters == {"currency": "USD", "daily": "1.5", "lifetime": "2"}
    assert rule.history.first().history_change_reason == "A test of limits"
    world.ticket.refresh_from_db()
    found = submit_ticket(ticket=world.ticket, by=world.planner).findings
    assert any(finding.code.startswith("qa.") and "limit" in finding.code for finding in found), found


@pytest.mark.parametrize(("changes", "field"), [
    ({"daily": "1,000"}, "daily"), ({"daily": ""}, "daily"), ({"daily": "-1"}, "daily"), ({"daily": "10", "lifetime": "5"}, "lifetime"),
])  # fmt: skip
def test_a_limit_that_cannot_be_meant_is_told_at_its_field(world, client, changes, field):
    before = QARule.objects.get(kind="BUDGET_LIMITS").parameters
    answer = saved(client, "BUDGET_LIMITS", **changes)
    assert answer.status_code == 200 and field in answer.context["adminform"].form.errors
    assert QARule.objects.get(kind="BUDGET_LIMITS").parameters == before


def test_words_and_interests_are_lists_and_an_untouched_form_changes_nothing(world, client):
    before = QARule.objects.get(kind="BRAND_SAFETY")
    assert saved(client, "BRAND_SAFETY").status_code == 302
    assert QARule.objects.get(kind="BRAND_SAFETY").version == before.version
    changes = {"words__ALCOHOL": "beer, Rum ,, wine", "words__DATING": "", "ids__meta__ALCOHOL": "6003, 6004"}
    assert saved(client, "BRAND_SAFETY", **changes).status_code == 302
    now = QARule.objects.get(kind="BRAND_SAFETY").parameters
    assert now["terms"]["ALCOHOL"] == ["beer", "Rum", "wine"] and "DATING" not in now["terms"]
    assert now["interest_ids"]["meta"]["ALCOHOL"] == ["6003", "6004"]
    kept = {
        code: words for code, words in before.parameters["terms"].items() if code not in ("ALCOHOL", "DATING")
    }
    assert {code: now["terms"][code] for code in kept} == kept


def test_who_may_not_change_rules_reads_them(world, client):
    client.force_login(person("Data admin", grants=[(BrandFactory(code="MINE"), None)]))
    for kind in QARule.Kind.values:
        answer = client.get(page_of(kind))
        assert answer.status_code == 200 and b'name="_save"' not in answer.content, kind
    assert b"$100,000.00 a day" in client.get(page_of("BUDGET_LIMITS")).content
    client.post(page_of("BUDGET_LIMITS"), {"daily": "1", "lifetime": "2", "version": 1})
    assert QARule.objects.get(kind="BUDGET_LIMITS").parameters["daily"] == "100000"
