"""A planner builds a ticket in a real browser: names as they type, a finding at its field, mended, saved and submitted."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from omnitraffick.tests.test_admin_browser import (  # noqa: F401  (world is a fixture)
    CHROMIUM,
    THEMES,
    Visitor,
    playwright,
    world,
)
from trafficking.models import Ticket
from trafficking.tests.factories import next_week

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium here (apt-get install chromium, or set CHROMIUM)"),
    pytest.mark.django_db(transaction=True),
]


def choose(page: Any, field: str, text: str) -> None:
    """Type into a searched choice and take the first that is offered."""
    box = page.locator(f'[data-at="{field}"] .ot-pick-input').first
    box.click()
    box.press_sequentially(text)
    option = page.locator(f'[data-at="{field}"] [role=option]', has_text=text).first
    option.wait_for()
    option.click()


@pytest.mark.parametrize("theme", THEMES)
def test_a_ticket_is_built_with_live_names_and_findings_at_their_fields(world, live_server, theme):  # noqa: F811
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        visitor = Visitor(browser, live_server.url, theme)
        page = visitor.page
        page.set_viewport_size({"width": 1280, "height": 900})
        visitor.sign_in("planner")
        visitor.go("admin:trafficking_ticket_build")
        visitor.picture("builder-empty")
        page.check('input[name="campaign.mode"][value=new]')
        choose(page, "campaign.brand", "DIS")
        choose(page, "campaign.market", "US")
        page.fill('input[name="campaign.name"]', "Frozen Spring")
        page.select_option('select[name="campaign.objective"]', "TRAFFIC")
        page.fill('input[name="campaign.budget"]', "5000")
        page.fill('input[name="campaign.start_on"]', next_week().isoformat())
        page.fill('input[name="campaign.end_on"]', next_week().isoformat())
        choose(page, "ticket.channel", "META")
        # the only account that serves them is there already, with its currency
        page.wait_for_selector('[data-at="ticket.budget"] [data-currency]:has-text("USD")')
        page.wait_for_selector(
            f'[data-name-at="campaign.name"] code:has-text("DIS_US_META_{next_week():%Y}_FrozenSpring")'
        )
        page.check('input[name="ticket.special_ad_categories"][value=NONE]')
        page.select_option('select[name="ticket.political"]', "DOES_NOT_CONTAIN")
        ad_set = "ad_sets[s1]"
        page.fill(f'input[name="{ad_set}.name"]', "Families 🎬")
        page.wait_for_selector(f'[data-name-at="{ad_set}.name"] >> text=can\'t carry')
        visitor.picture("builder-illegal-name")
        page.click(f'[data-name-at="{ad_set}.name"] button')
        page.wait_for_selector(f'[data-name-at="{ad_set}.name"] code:has-text("_FrozenSpring_Families")')
        choose(page, f"{ad_set}.goal", "Clicks")
        page.fill(f'input[name="{ad_set}.budget"]', "1000")
        ad = f"{ad_set}.ads[a1]"
        page.fill(f'input[name="{ad}.name"]', "Wave")
        choose(page, f"{ad}.format", "Image")
        choose(page, f"{ad}.call_to_action", "Learn more")
        page.fill(f'input[name="{ad}.landing_page"]', "https://example.com/moana")
        page.fill(f'textarea[name="{ad}.texts-lines"]', "Set sail with Moana.")
        page.fill(f'textarea[name="{ad}.headlines-lines"]', "Moana is here")
        page.click(f'[data-at="{ad}.media"] [data-act=id]')
        page.fill(f'input[name="{ad}.media-id"] >> visible=true', "a1b2c3d4e5f60718293a4b5c6d7e8f90")
        page.click("[data-act=check]")
        page.wait_for_selector(f'[data-at="{ad_set}.geo"] .ot-remarks:has-text("Mend")')
        visitor.picture("builder-finding")
        choose(page, f"{ad_set}.geo", "United States")
        page.wait_for_selector(
            "#ot-check-state:has-text('no findings'), #ot-check-state:has-text('to note')", timeout=15000
        )
        visitor.picture("builder-clean")
        page.wait_for_load_state("networkidle")
        page.click("button[name=_submit]")
        page.wait_for_selector("text=QA passed")
        visitor.go("admin:trafficking_ticket_build", Ticket.objects.latest("pk").pk)
        page.click("[data-part=set] > details > summary")
        page.click("[data-ot-hours] summary")
        page.focus("[data-hour='8']")
        page.keyboard.press("Space")
        page.keyboard.press("Shift+ArrowRight")
        assert page.input_value(f'input[name="{ad_set}.dayparts-hours"]') == "Mon 8-10"
        visitor.picture("builder-more")
        page.click("[data-act=pick]")
        page.wait_for_selector("dialog[open] .ot-files p")
        page.keyboard.press("Escape")
        page.click("[data-act=add-set]")
        page.wait_for_selector("[data-part=set] >> nth=1")
        visitor.picture("builder-added")
        browser.close()
    assert not visitor.complaints, "\n".join(visitor.complaints)
    ticket = Ticket.objects.latest("pk")
    assert (ticket.status, ticket.campaign.name) == ("READY_FOR_API", "Frozen Spring")
    assert reverse("admin:trafficking_ticket_build", args=[ticket.pk])
