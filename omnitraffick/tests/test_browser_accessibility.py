"""axe-core on the pages where people spend their day, dark and light: no serious or critical violation."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from omnitraffick.tests.admin_world import submitted
from omnitraffick.tests.test_admin_browser import (  # noqa: F401  (world is a fixture)
    CHROMIUM,
    Visitor,
    playwright,
    world,
)

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium here (apt-get install chromium, or set CHROMIUM)"),
    pytest.mark.django_db(transaction=True),
]
#: Worse than these are violations that keep somebody from working.
TOLERATED = ("minor", "moderate")


def violations(page: Any) -> list[str]:
    """ "color-contrast (serious): .ot-note" of what axe finds."""
    found = axe.Axe().run(page).response["violations"]
    return [
        f"{each['id']} ({each['impact']}): {[node['target'][0] for node in each['nodes']][:4]}"
        for each in found
        if each["impact"] not in TOLERATED
    ]


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_no_page_of_the_day_has_a_serious_violation(world, live_server, theme):  # noqa: F811
    ticket = submitted(world)
    pages = {
        "desk": reverse("admin:index"),
        "tickets": reverse("admin:trafficking_ticket_changelist"),
        "ticket": reverse("admin:trafficking_ticket_change", args=[ticket.pk]),
        "board": reverse("admin:board"),
        "builder": reverse("admin:trafficking_ticket_build"),
        "waiting": reverse("admin:trafficking_ticket_waiting"),
        "plan": reverse("admin:trafficking_plan_change", args=[ticket.plans.get().pk]),
        "rule builder": reverse("admin:governance_builtrule_add"),
        "trail": reverse("admin:trail"),
        "notices": reverse("admin:governance_notice_changelist"),
        "markets": reverse("admin:governance_market_changelist"),
        "import": reverse("admin:campaigns_importrun_upload"),
    }
    told = {}
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        visitor = Visitor(browser, live_server.url, theme)
        visitor.go("admin:login")
        told["login"] = violations(visitor.page)
        visitor.sign_in("boss")
        for name, url in pages.items():
            visitor.page.goto(live_server.url + url)
            visitor.page.wait_for_load_state("networkidle")
            visitor.page.wait_for_timeout(500)  # what fades in has its own colours by then
            told[name] = violations(visitor.page)
        browser.close()
    found = [f"{name}: {each}" for name, listed in told.items() for each in listed]
    assert not found, "\n".join(found)
