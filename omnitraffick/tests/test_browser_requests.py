"""Requests, kill switch, drift and inventory in a real browser, dark and light: no complaint, and clicking works."""

from __future__ import annotations

import os
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
from django.urls import reverse

from deploy import alerts, drift, inventory
from deploy.models import KillSwitch
from deploy.tests.conftest import sandboxes  # noqa: F401  (a fixture)
from deploy.tests.test_engine import approved, deployed
from omnitraffick.tests.admin_world import make_world
from omnitraffick.tests.test_admin_browser import CHROMIUM, PASSWORD, THEMES, Visitor, playwright
from trafficking import requests, services
from trafficking.models import ApprovalRule, PlatformObject, Ticket

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium here (apt-get install chromium, or set CHROMIUM)"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def world(sandboxes: Any) -> Iterator[Any]:  # noqa: F811
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    made = make_world()
    for person in (made.planner, made.approver, made.data_admin, made.boss):
        person.set_password(PASSWORD)
        person.save()
    with mock.patch("deploy.services.enqueue"), mock.patch("deploy.stops.hurry"):
        approved(made.ticket, made.boss, made.approver)
        deployed(made.ticket, made.boss)
        with mock.patch("deploy.inventory._enqueue"):
            inventory.import_account(account=made.account, by=made.boss)
        assert inventory.claim(made.account)
        while inventory.read_step(made.account) is not None:
            pass
        yield made
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def make_drift(ticket: Ticket) -> None:
    """As if somebody had changed the budget and switched the campaign on in the platform's own screen."""
    row = PlatformObject.objects.get(ticket=ticket, object_type="ad_set")
    applied = {**row.applied, "lifetime_budget": "90000"}
    PlatformObject.objects.filter(pk=row.pk).update(applied=applied, applied_status="ACTIVE")
    assert drift.judge_tree(ticket)


def make_change(world: Any) -> Ticket:
    made = requests.start_request(
        base=world.ticket,
        request_type="UPDATE",
        by=world.boss,
        note="The client wants more for the same days.",
    )
    row = made.ad_sets.get()
    row.budget, row.age_min = Decimal("1250.50"), 25
    row.save()
    made = Ticket.objects.get(pk=made.pk)
    report = services.submit_ticket(ticket=made, by=world.boss)
    assert report.passed, [each.message for each in report.findings]
    return made


@pytest.mark.parametrize("theme", THEMES)
def test_requests_are_asked_read_and_proved_by_clicking(world, live_server, theme):
    changed = make_change(world)
    ApprovalRule(approvers=2, from_amount=Decimal("5000"), note="").save()
    run = world.ticket.deployments.get()
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        visitor = Visitor(browser, live_server.url, theme)
        page = visitor.page
        page.set_viewport_size({"width": 1280, "height": 900})
        visitor.sign_in("boss")
        visitor.go("admin:trafficking_ticket_change", world.ticket.pk)
        visitor.picture("built-ticket")
        page.click("a:has-text('Activate')")
        page.wait_for_selector("text=Ad sets and ads")
        visitor.picture("activate-form")
        page.fill("textarea[name=note]", "Go.")
        page.click("button:has-text('Activate')")
        page.wait_for_selector("text=waits for approval")
        visitor.picture("activate-ticket")
        visitor.sign_in("approver")
        visitor.go("admin:trafficking_ticket_approve", changed.pk)
        visitor.picture("approve-change")
        visitor.go("admin:deploy_deployment_proof", run.pk)
        visitor.picture("proof")
        visitor.go("admin:trafficking_approvalrule_changelist")
        visitor.picture("approval-rules")
        browser.close()
    assert not visitor.complaints, "\n".join(visitor.complaints)
    assert Ticket.objects.latest("pk").request_type == "ACTIVATE"


@pytest.mark.parametrize("theme", THEMES)
def test_stops_drift_and_inventory_by_clicking(world, live_server, theme):
    make_drift(world.ticket)
    alerts.raise_alert(
        "alert.account_unreadable",
        severity="CRITICAL",
        ad_account=world.account,
        account="Acme",
        reason="token",
    )
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        visitor = Visitor(browser, live_server.url, theme)
        page = visitor.page
        page.set_viewport_size({"width": 1280, "height": 900})
        visitor.sign_in("boss")
        visitor.picture("desk")
        page.click("a:has-text('Stop…')")
        page.select_option("select[name=what]", f"ACCOUNT:{world.account.pk}")
        page.fill("textarea[name=reason]", "Budget a hundred times too large")
        visitor.picture("engage")
        page.click("button:has-text('Stop now')")
        page.wait_for_selector("text=is being stopped")
        visitor.picture("stopped")
        visitor.go("admin:deploy_killswitch_changelist")
        visitor.picture("kill-switches")
        page.click("a:has-text('See and release')")
        page.click("a:has-text('Release…')")
        visitor.picture("release")
        page.fill("textarea[name=comment]", "Mended")
        page.click("button:has-text('Release')")
        page.wait_for_selector("text=being started again")
        visitor.go("admin:deploy_drift_changelist")
        visitor.picture("drift")
        page.check("input.action-select >> nth=0")
        page.check("input.action-select >> nth=1")
        page.select_option("select[name=action]", "ask_ignore")
        page.click("button[name=index]")
        page.wait_for_selector("text=It is let be")
        visitor.picture("drift-decide")
        page.fill("textarea[name=comment]", "Agreed with the client")
        page.click("button:has-text('Ignore')")
        page.wait_for_selector("text=ignored.")
        page.goto(
            f"{visitor.server}{reverse('admin:deploy_existingobject_changelist')}?ad_account__id__exact={world.account.pk}"
        )
        page.wait_for_load_state("networkidle")
        visitor.picture("existing")
        visitor.go("admin:deploy_alert_changelist")
        visitor.picture("alerts")
        visitor.go("admin:governance_adaccount_change", world.account.pk)
        visitor.picture("account-page")
        visitor.go("admin:trafficking_ticket_changelist")
        page.check("input.action-select >> nth=0")
        page.select_option("select[name=action]", "bulk_change")
        page.click("button[name=index]")
        page.wait_for_selector("text=By how many per cent")
        page.fill("input[name=percent]", "10")
        page.click("button:has-text('Show before and after')")
        page.wait_for_selector("text=Make and submit 1 ticket")
        visitor.picture("bulk-preview")
        page.click("button:has-text('Make and submit')")
        page.wait_for_selector("text=QA passed: it waits for approval.")
        visitor.picture("bulk-results")
        browser.close()
    assert not visitor.complaints, "\n".join(visitor.complaints)
    assert KillSwitch.objects.get().state == "RELEASING"
