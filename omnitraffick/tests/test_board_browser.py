"""Board and lists in a real browser: dragging, moving by keyboard, and rows that pulse when they go live."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest

from deploy.tests.conftest import sandboxes  # noqa: F401  (a fixture)
from deploy.tests.test_engine import approved, run_until_it_rests
from governance.models import SavedView
from omnitraffick.tests.admin_world import make_world
from omnitraffick.tests.test_admin_browser import CHROMIUM, PASSWORD, THEMES, Visitor, playwright
from trafficking.models import PlatformObject, Ticket
from trafficking.statuses import Status
from trafficking.tests.factories import make_campaign, make_ticket

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
    for person in (made.planner, made.approver, made.boss):
        person.set_password(PASSWORD)
        person.save()
    with mock.patch("deploy.services.enqueue"):
        yield made
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def in_column(key: str, ticket: Ticket) -> str:
    return f".ot-column[data-column={key}] .ot-card[data-live-id='{ticket.pk}']"


@contextmanager
def nothing_new(page: Any) -> Iterator[None]:
    """The page is told that nothing has changed: SQLite in memory has one writer and no waiting."""
    page.route("**/live/**", lambda route: route.fulfill(status=304))
    page.wait_for_timeout(500)
    yield
    page.unroute("**/live/**")


@pytest.mark.parametrize("theme", THEMES)
def test_cards_are_dragged_moved_by_keyboard_and_follow_the_worker(world, live_server, theme):
    ticket = world.ticket
    broken = make_ticket(
        campaign=make_campaign(name="Second Wave"),
        account=world.account,
        ad_set={"geo": {}},
        owner=world.planner,
    )
    ready = approved(
        make_ticket(campaign=make_campaign(name="Third Wave"), account=world.account),
        world.boss,
        world.approver,
    )
    SavedView(owner=world.boss, page="board", name="Only mine", query="mine=1", shared=True).save()
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        visitor = Visitor(browser, live_server.url, theme)
        page = visitor.page
        page.set_viewport_size({"width": 1280, "height": 900})
        visitor.sign_in("boss")
        page.goto(f"{live_server.url}/admin/board/")
        with nothing_new(page):
            page.drag_and_drop(in_column("draft", ticket), ".ot-column[data-column=qa] .ot-cards")
            page.wait_for_selector(in_column("approval", ticket))
            assert "QA passed" in page.inner_text("#board-said")
            # by keyboard: open the card's menu, choose, and the focus is back on the card
            page.focus(f"{in_column('draft', broken)} summary")
            page.keyboard.press("Enter")
            page.keyboard.press("Tab")
            page.keyboard.press("Enter")
            page.wait_for_selector(in_column("qa", broken))
            page.wait_for_selector("#board-said li")
            assert "No location is targeted" in page.inner_text("#board-said")
            assert page.evaluate("document.activeElement.closest('.ot-card')?.dataset.liveId") == str(
                broken.pk
            )
            visitor.picture("board-refused")
            # a refused drop: the card is back where it was
            page.drag_and_drop(in_column("qa", broken), ".ot-column[data-column=live] .ot-cards")
            page.wait_for_selector("#board-said:has-text('Only what is built can go live')")
            assert page.is_visible(in_column("qa", broken))
            page.drag_and_drop(in_column("approval", ready), ".ot-column[data-column=trafficking] .ot-cards")
            page.wait_for_selector(f"{in_column('trafficking', ready)} progress")
            visitor.picture("board")
            run_until_it_rests(ready)
        assert Ticket.objects.get(pk=ready.pk).status == Status.TRAFFICKED_SUCCESS
        page.wait_for_selector(
            f"{in_column('trafficking', ready)}:has-text('Trafficked').ot-pulse", timeout=20000
        )
        with nothing_new(page):
            PlatformObject.objects.filter(ticket=ready, object_type="campaign").update(status="ACTIVE")
        page.wait_for_selector(in_column("live", ready), timeout=20000)
        page.wait_for_function("document.getElementById('ot-live-region').textContent.includes('Third Wave')")
        visitor.picture("board-live")
        page.click(".ot-chip:has-text('Only mine')")
        page.wait_for_selector(".ot-chip[aria-current]:has-text('Only mine')")
        assert page.locator(".ot-card").count() == 0
        browser.close()
    assert not visitor.complaints, "\n".join(visitor.complaints)


@pytest.mark.parametrize("theme", THEMES)
def test_rows_of_the_list_change_live_and_stop_quietly_after_signing_out(world, live_server, theme):
    ticket = approved(world.ticket, world.boss, world.approver)
    from deploy.services import start_deployment

    start_deployment(ticket=ticket, by=world.boss)
    SavedView(
        owner=world.boss, page="tickets", name="To mend", query="status__exact=QA_FAILED", shared=True
    ).save()
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        visitor = Visitor(browser, live_server.url, theme)
        page = visitor.page
        page.set_viewport_size({"width": 1280, "height": 900})
        visitor.sign_in("boss")
        page.goto(f"{live_server.url}/admin/trafficking/ticket/")
        row = f"[data-live-id='{ticket.pk}']"
        page.wait_for_selector(f"{row} progress")
        visitor.picture("tickets-progress")
        with nothing_new(page):
            run_until_it_rests(ticket)
        page.wait_for_selector(f"tr.ot-pulse {row}:has-text('Trafficked')", timeout=20000)
        page.click(".ot-views summary")
        visitor.picture("tickets-views")
        page.goto(f"{live_server.url}/admin/campaigns/campaign/")
        visitor.picture("campaigns-centre")
        page.check("input.action-select, input[name=_selected_action]")
        page.goto(f"{live_server.url}/admin/trafficking/ticket/?view=all")
        page.wait_for_selector(f"{row}[data-live-key]")
        page.context.clear_cookies()
        page.wait_for_selector(".ot-live-ended", timeout=20000)
        visitor.picture("tickets-signed-out")
        browser.close()
    assert not visitor.complaints, "\n".join(visitor.complaints)
