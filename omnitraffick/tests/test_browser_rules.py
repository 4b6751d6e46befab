"""A data admin builds a rule by clicking, tries it, switches it on; the next ticket is refused by it."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from governance.models import BuiltRule
from omnitraffick.tests.test_admin_browser import (  # noqa: F401  (world is a fixture)
    CHROMIUM,
    THEMES,
    Visitor,
    playwright,
    world,
)
from trafficking.models import Ticket

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium here (apt-get install chromium, or set CHROMIUM)"),
    pytest.mark.django_db(transaction=True),
]


def pick(page: Any, name: str, text: str, at: int = 0) -> None:
    """Type into a searched choice, by keyboard alone."""
    box = page.get_by_role("combobox", name=name, exact=True).nth(at)
    box.focus()
    box.press_sequentially(text)
    # the whole list is offered first, then what fits the text
    page.locator(".ot-rule-list:not([hidden]) [role=option]:first-child", has_text=text).wait_for()
    box.press("ArrowDown")
    box.press("Enter")


@pytest.mark.parametrize("theme", THEMES)
def test_a_rule_is_built_tried_and_switched_on_and_refuses_the_next_ticket(world, live_server, theme):  # noqa: F811
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        visitor = Visitor(browser, live_server.url, theme)
        page = visitor.page
        page.set_viewport_size({"width": 1280, "height": 900})
        visitor.sign_in("dataadmin")
        visitor.go("admin:governance_builtrule_add")
        page.fill("input[name=name]", "Meta is closed")
        pick(page, "Field", "Platform")
        pick(page, "Value", "Meta")
        page.wait_for_selector(".ot-rule-said:has-text('IF'):has-text('Meta')")
        page.click("button:has-text('Add group')")
        pick(page, "Field", "Brand", at=1)
        pick(page, "Value", "DIS", at=1)
        page.wait_for_selector(".ot-rule-said:has-text('DIS')")
        page.fill("input[name=message]", "Meta is closed for this brand until March.")
        page.fill("input[name=remedy]", "Ask the brand team.")
        visitor.picture("rule-builder")
        page.click("button[name=_continue], input[name=_continue]")
        page.wait_for_selector("text=Not tried as it stands")
        page.click("button:has-text('Try it')")
        page.wait_for_selector("text=It would have blocked 1 of 1 tickets.")
        visitor.picture("rule-trial")
        page.click("button:has-text('Switch on')")
        page.wait_for_selector("text=Switched on: QA asks it from now on.")
        visitor.sign_in("planner")
        page.goto(live_server.url + reverse("admin:trafficking_ticket_change", args=[world.ticket.pk]))
        page.click("a:has-text('Submit')")
        page.click("button:has-text('Submit')")
        page.wait_for_selector("text=Meta is closed for this brand until March.")
        visitor.picture("rule-refused")
        browser.close()
    assert visitor.complaints == []
    rule = BuiltRule.objects.get()
    assert (rule.status, rule.tried_hits) == ("ON", 1)
    ticket = Ticket.objects.get(pk=world.ticket.pk)
    assert ticket.status == "QA_FAILED"
    assert f"rule.{rule.public_id}" in {each["code"] for each in ticket.findings}
