"""From an empty database to a campaign that is live in the sandbox, by clicking only, as README tells it.

A real installation: `manage.py run --no-demo` with its web, worker and sandboxes, on a database of its own.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from omnitraffick.tests.test_admin_browser import CHROMIUM, playwright
from omnitraffick.tests.test_browser_builder import choose
from omnitraffick.tests.test_run import ROOT, Running, environment

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium here (apt-get install chromium, or set CHROMIUM)"),
    pytest.mark.skipif(sys.platform != "linux", reason="stops its children by /proc"),
]
PASSWORDS = {"boss": "First-Campaign-26", "ada": "Second-Pair-Of-Eyes-7"}


class Person:
    """Somebody at a screen of their own."""

    def __init__(self, browser: Any, base: str, name: str) -> None:
        self.base = base
        self.page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        self.complaints: list[str] = []
        self.page.on(
            "response", lambda got: got.status >= 400 and self.complaints.append(f"{got.status} {got.url}")
        )
        self.page.goto(f"{base}/admin/login/")
        self.page.fill("input[name=username]", name)
        self.page.fill("input[name=password]", PASSWORDS[name])
        self.page.click("button[type=submit]")
        self.page.wait_for_selector("#desk-risk")

    def desk(self) -> None:
        self.page.goto(f"{self.base}/admin/")

    def follow(self, text: str) -> None:
        self.page.click(f"a:has-text('{text}') >> visible=true")
        self.page.wait_for_load_state("networkidle")

    def fill(self, **fields: str) -> None:
        for name, value in fields.items():
            self.page.fill(f"[name='{name}']", value)

    def save(self) -> None:
        self.page.click("button[name=_save]")
        self.page.wait_for_selector("text=was added successfully")

    def pick(self, field: str, text: str) -> None:
        """A searched choice of a form of the admin."""
        self.page.click(f"select[name='{field}'] + .select2 .select2-selection")
        self.page.click(f".select2-results__option:has-text('{text}')")


def vocabulary(boss: Person) -> None:
    """The first three steps of the desk."""
    boss.follow("Add a market")
    boss.fill(
        code="US",
        name="United States",
        country="US",
        currency="USD",
        time_zone="America/New_York",
        languages="en",
    )
    boss.save()
    boss.desk()
    boss.follow("Add a brand")
    boss.fill(code="DIS", name="Disney")
    boss.save()
    boss.desk()
    boss.follow("Add an ad account")
    boss.fill(
        external_id="1000000001",
        name="Disney US",
        currency="USD",
        time_zone="America/New_York",
        page_id="2000000001",
    )
    boss.page.click("a:has-text('Add another')")
    boss.pick("serves-0-brand", "DIS")
    boss.pick("serves-0-market", "US")
    boss.save()


def second_person(boss: Person) -> None:
    boss.desk()
    boss.follow("Add a second person")
    boss.fill(username="ada", password1=PASSWORDS["ada"], password2=PASSWORDS["ada"])
    boss.page.check("label:has-text('Approver') input, input[name=groups] >> nth=1")
    boss.page.click("a:has-text('Add another')")
    boss.pick("grants-0-brand", "DIS")
    boss.page.click("button[name=_save]")
    boss.page.wait_for_selector("text=was added successfully")


def first_ticket(boss: Person, day: str) -> None:
    boss.desk()
    boss.follow("Build the first ticket")
    page = boss.page
    page.check('input[name="campaign.mode"][value=new]')
    choose(page, "campaign.brand", "DIS")
    choose(page, "campaign.market", "US")
    page.fill('input[name="campaign.name"]', "Moana Launch")
    page.select_option('select[name="campaign.objective"]', "TRAFFIC")
    for name, value in {"budget": "5000", "start_on": day, "end_on": day}.items():
        page.fill(f'input[name="campaign.{name}"]', value)
    choose(page, "ticket.channel", "META")
    page.wait_for_selector('[data-at="ticket.budget"] [data-currency]:has-text("USD")')
    page.check('input[name="ticket.special_ad_categories"][value=NONE]')
    page.select_option('select[name="ticket.political"]', "DOES_NOT_CONTAIN")
    ad_set = "ad_sets[s1]"
    page.fill(f'input[name="{ad_set}.name"]', "Families")
    page.wait_for_selector(f'[data-name-at="{ad_set}.name"] code:has-text("_MoanaLaunch_Families")')
    choose(page, f"{ad_set}.goal", "Clicks")
    page.fill(f'input[name="{ad_set}.budget"]', "1000")
    choose(page, f"{ad_set}.geo", "United States")
    ad = f"{ad_set}.ads[a1]"
    page.fill(f'input[name="{ad}.name"]', "Wave")
    choose(page, f"{ad}.format", "Image")
    choose(page, f"{ad}.call_to_action", "Learn more")
    page.fill(f'input[name="{ad}.landing_page"]', "https://example.com/moana")
    page.fill(f'textarea[name="{ad}.texts-lines"]', "Set sail with Moana.")
    page.fill(f'textarea[name="{ad}.headlines-lines"]', "Moana is here")
    page.click(f'[data-at="{ad}.media"] [data-act=id]')
    page.fill(f'input[name="{ad}.media-id"] >> visible=true', "a1b2c3d4e5f60718293a4b5c6d7e8f90")
    page.wait_for_load_state("networkidle")
    page.click("button[name=_submit]")
    page.wait_for_selector("text=QA passed")


def approve(ada: Person) -> None:
    ada.follow("My approvals")
    ada.page.wait_for_selector("text=1 plan waits for you")
    ada.page.fill("input[name=comment]", "Read, and fine.")
    ada.page.click("main button:has-text('Approve'), form button:has-text('Approve')")
    ada.page.wait_for_selector("text=Approved: it can be deployed.")


def act(person: Person, action: str, confirm: str, told: str) -> None:
    """One action of the ticket's page, through its page of confirmation."""
    person.page.click(f"a:has-text('{action}') >> visible=true")
    person.page.click(f"form button:has-text('{confirm}') >> visible=true")
    person.page.wait_for_selector(f"text={told}")


def on_board(person: Person, column: str, text: str) -> None:
    """Watched, not reloaded: the cards move by themselves."""
    person.page.goto(f"{person.base}/admin/board/")
    person.page.wait_for_selector(f"[data-column={column}] .ot-card:has-text('{text}')", timeout=90_000)


def test_the_first_campaign_goes_live_by_clicking_from_an_empty_database(tmp_path: Path) -> None:
    env = environment(tmp_path)
    command = [sys.executable, str(ROOT / "manage.py"), "run", "--no-demo"]
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    running = Running(process, env)
    try:
        running.read_until("createsuperuser", 120)
        made = {**env, "DJANGO_SUPERUSER_PASSWORD": PASSWORDS["boss"]}
        named = ["createsuperuser", "--noinput", "--username", "boss", "--email", "boss@example.com"]
        subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *named], env=made, check=True, capture_output=True
        )
        with playwright.sync_playwright() as started:
            browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            walk(browser, f"http://127.0.0.1:{env['PORT']}")
            browser.close()
    finally:
        process.terminate()
        running.finish(30)


def walk(browser: Any, base: str) -> None:
    boss = Person(browser, base, "boss")
    boss.page.wait_for_selector("text=To the first campaign")
    vocabulary(boss)
    second_person(boss)
    first_ticket(boss, (date.today() + timedelta(days=7)).isoformat())
    ticket = boss.page.url
    ada = Person(browser, base, "ada")
    approve(ada)
    boss.page.goto(ticket)
    act(boss, "Deploy", "Deploy", "It is being deployed")
    on_board(boss, "trafficking", "Trafficked")  # built and proved, spending nothing
    boss.page.goto(ticket)
    act(boss, "Activate", "Activate", "waits for approval")
    switched_on = boss.page.url
    ada.desk()
    approve(ada)
    boss.page.goto(switched_on)
    act(boss, "Deploy", "Deploy", "It is being deployed")
    on_board(boss, "live", "MoanaLaunch")
    boss.desk()
    assert "To the first campaign" not in boss.page.content()
    assert not [*boss.complaints, *ada.complaints], [*boss.complaints, *ada.complaints]
