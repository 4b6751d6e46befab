"""The admin in a real browser: no script or style is refused by the content security policy, and clicking works.

SCREENSHOT_DIR keeps pictures of the pages, dark and light.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.contrib import admin
from django.test import RequestFactory
from django.urls import reverse

from omnitraffick.tests.admin_world import make_world
from trafficking.models import Ticket

CHROMIUM = os.environ.get("CHROMIUM", "") or shutil.which("chromium") or ""
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium here (apt-get install chromium, or set CHROMIUM)"),
    pytest.mark.django_db(transaction=True),
]
PASSWORD = "only-for-this-test-1"


@pytest.fixture
def world(settings: Any) -> Iterator[Any]:
    # the browser's server runs in a thread of its own
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    made = make_world()
    for person in (made.planner, made.approver, made.data_admin, made.boss):
        person.set_password(PASSWORD)
        person.save()
    with mock.patch("deploy.services.enqueue"):
        yield made
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


#: A walk is the same in both; what looks different is read by the accessibility test, in both.
THEMES = os.environ.get("THEMES", "dark").split(",")


class Visitor:
    """One person at one screen; everything that the console complains about is kept."""

    def __init__(self, browser: Any, server: str, theme: str) -> None:
        self.server, self.theme = server, theme
        self.page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
        self.page.add_init_script(f"localStorage.setItem('adminTheme', JSON.stringify('{theme}'))")
        self.complaints: list[str] = []
        self.page.on(
            "console", lambda said: said.type in ("error", "warning") and self.complaints.append(said.text)
        )
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "response", lambda got: got.status >= 400 and self.complaints.append(f"{got.status} {got.url}")
        )

    def sign_in(self, name: str) -> None:
        self.page.wait_for_load_state("networkidle")  # what was asked under way is not asked without cookies
        self.page.context.clear_cookies()
        self.go("admin:login")
        self.page.fill("input[name=username]", name)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.click("button[type=submit]")
        self.page.wait_for_url(f"{self.server}{reverse('admin:index')}")

    def go(self, name: str, *args: Any) -> None:
        self.page.goto(self.server + reverse(name, args=args))
        self.page.wait_for_load_state("networkidle")

    def picture(self, name: str) -> None:
        folder = os.environ.get("SCREENSHOT_DIR")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.wait_for_timeout(300)
            self.page.screenshot(path=f"{folder}/{name}-{self.theme}.png", full_page=True)


@pytest.mark.parametrize("theme", THEMES)
def test_a_ticket_is_submitted_read_approved_and_deployed_by_clicking(world, live_server, theme):
    ticket, campaign = world.ticket.pk, world.campaign.pk
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        visitor = Visitor(browser, live_server.url, theme)
        page = visitor.page
        visitor.sign_in("planner")
        visitor.picture("index")
        visitor.go("admin:campaigns_campaign_changelist")
        visitor.picture("campaigns")
        visitor.go("admin:campaigns_campaign_change", campaign)
        page.fill("input[name=budget]", "50,000")
        page.click("button[name=_continue], input[name=_continue]")
        page.wait_for_selector("text=can be read in two ways")
        visitor.picture("campaign-refused")
        visitor.go("admin:campaigns_campaign_add")
        page.click(".select2-selection >> nth=0")
        page.wait_for_selector(".select2-results__option:has-text('DIS')")
        page.keyboard.press("Escape")
        visitor.picture("campaign-add")
        visitor.go("admin:trafficking_ticket_change", ticket)
        visitor.picture("ticket-draft")
        page.click("a:has-text('Submit')")
        page.click("button:has-text('Submit')")
        page.wait_for_selector("text=QA passed")
        visitor.picture("ticket-ready")
        visitor.go("admin:trafficking_adset_change", 1)
        visitor.picture("ad-set")
        visitor.sign_in("approver")
        visitor.go("admin:trafficking_ticket_changelist")
        visitor.picture("tickets")
        page.check("input.action-select >> nth=0")
        page.wait_for_selector("select[name=action]")
        visitor.picture("tickets-chosen")
        visitor.go("admin:trafficking_ticket_change", ticket)
        page.click("a:has-text('Approve')")
        page.click("summary >> nth=0")
        visitor.picture("approve")
        page.fill("textarea[name=comment]", "Read, and fine.")
        page.click("button:has-text('Approve')")
        page.wait_for_selector("text=Approved: it can be deployed.")
        page.click("a:has-text('Deploy') >> nth=-1")
        page.click("button:has-text('Deploy')")
        page.wait_for_selector("text=It is being deployed")
        visitor.picture("ticket-queued")
        visitor.go("admin:trafficking_ticket_history", ticket)
        visitor.picture("history")
        browser.close()
    assert Ticket.objects.get(pk=ticket).status == "QUEUED"
    assert not visitor.complaints, "\n".join(visitor.complaints)


def test_pages_of_the_vocabulary_work_under_the_content_security_policy(world, live_server):
    account, market = world.account.pk, world.market.pk
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        visitor = Visitor(browser, live_server.url, "dark")
        visitor.sign_in("dataadmin")
        visitor.go("admin:governance_adaccount_change", account)
        visitor.picture("account")
        visitor.go("admin:governance_market_change", market)
        visitor.page.fill("input[name=code]", "USA")
        visitor.page.click("button[name=_continue], input[name=_continue]")
        visitor.page.wait_for_selector("text=I have read what this changes")
        visitor.picture("market-impact")
        visitor.page.check("input[name=impact_accepted]")
        visitor.page.click("button[name=_continue], input[name=_continue]")
        visitor.page.wait_for_selector("text=was changed successfully")
        for name in (
            "governance_namingconvention",
            "governance_qarule",
            "governance_alias",
            "governance_brand",
        ):
            visitor.go(f"admin:{name}_changelist")
            visitor.page.click("#result_list tbody a >> nth=0")
            visitor.page.wait_for_load_state("networkidle")
            visitor.picture(name)
        visitor.go("admin:governance_audience_changelist")
        visitor.picture("empty-list")
        browser.close()
    assert not visitor.complaints, "\n".join(visitor.complaints)


def test_every_list_and_add_page_opens_without_a_complaint(world, live_server):
    asked = RequestFactory().get("/")
    asked.user = world.boss
    pages = [
        f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}"
        for model, page in admin.site._registry.items()
        for name in ("changelist", *(["add"] if page.has_add_permission(asked) else []))
    ]
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        visitor = Visitor(browser, live_server.url, "light")
        visitor.sign_in("boss")
        for name in pages:
            assert visitor.page.goto(visitor.server + reverse(name), wait_until="load").status == 200, name
        visitor.go("admin:campaigns_mediaplan_upload")
        visitor.page.set_input_files(
            "input[name=file]",
            {"name": "plan.csv", "mimeType": "text/csv", "buffer": b"brand,market\nNOPE,US\n"},
        )
        visitor.page.click("button:has-text('Read the file')")
        visitor.page.wait_for_selector("text=nothing can be imported yet")
        visitor.picture("import-errors")
        visitor.go("admin:deploy_deployment_changelist")
        visitor.picture("empty-ledger")
        visitor.go("admin:django_celery_beat_periodictask_add")
        visitor.picture("periodic-task")
        browser.close()
    assert not visitor.complaints, "\n".join(visitor.complaints)
