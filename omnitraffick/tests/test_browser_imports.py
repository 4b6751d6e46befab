"""The walk of an import in a real browser, dark and light: columns, preview, corrected file, result, export."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from campaigns.models import ColumnMapping, ImportRun
from omnitraffick.tests.admin_world import make_world
from omnitraffick.tests.test_admin_browser import CHROMIUM, PASSWORD, THEMES, Visitor, playwright
from omnitraffick.tests.test_admin_import import TWELVE, twelve_rows
from trafficking.models import Ticket

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium here (apt-get install chromium, or set CHROMIUM)"),
    pytest.mark.django_db(transaction=True),
]
NAMES = {"cost_media": "Net budget", "brand": "Advertiser", "plan_name": "Remarks", "political": "Political?"}


@pytest.fixture
def world(settings: Any, tmp_path: Any) -> Iterator[Any]:
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    settings.MEDIA_ROOT = tmp_path
    made = make_world()
    made.planner.set_password(PASSWORD)
    made.planner.save()
    yield made
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def sheet() -> bytes:
    rows = twelve_rows()
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([NAMES.get(name, name) for name in rows[0]])
    writer.writerows([list(row.values()) for row in rows])
    return out.getvalue().encode()


def mended(path: Path) -> bytes:
    """The corrected file, with what only a person can say filled in."""
    rows = list(csv.reader(io.StringIO(path.read_text("utf-8-sig"))))
    for at, (column, (bad, good)) in enumerate(TWELVE.items(), 1):
        place = rows[0].index(NAMES.get(column, column))
        rows[at][place] = good if rows[at][place] == bad else rows[at][place]
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


def choose(visitor: Visitor, data: bytes, name: str) -> None:
    visitor.go("admin:campaigns_importrun_upload")
    visitor.page.set_input_files("input[name=file]", {"name": name, "mimeType": "text/csv", "buffer": data})
    visitor.page.click("button:has-text('Read the file')")


@pytest.mark.parametrize("theme", THEMES)
def test_twelve_kinds_of_errors_are_walked_through_to_the_result_by_clicking(
    world, live_server, theme, tmp_path
):
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        visitor = Visitor(browser, live_server.url, theme)
        page = visitor.page
        page.set_viewport_size({"width": 1280, "height": 900})
        visitor.sign_in("planner")
        visitor.go("admin:campaigns_importrun_upload")
        visitor.picture("import-upload")
        choose(visitor, sheet(), "agency.csv")
        page.wait_for_selector("text=What does each column mean?")
        page.select_option("select[aria-label='Political?']", "political")
        page.select_option("select[aria-label='Net budget']", "cost_media")
        page.fill("input[name=save_as]", "Agency A")
        visitor.picture("import-columns")
        page.click("button:has-text('Check the file')")
        page.wait_for_selector("text=nothing can be imported yet")
        visitor.picture("import-preview")
        with page.expect_download() as got:
            page.click("a:has-text('Corrected file (CSV)')")
        kept = tmp_path / "corrected.csv"
        got.value.save_as(kept)
        choose(visitor, mended(kept), "agency-corrected.csv")
        page.wait_for_selector("text=Nothing has been written yet")  # the mapping was applied by itself
        visitor.picture("import-clean")
        page.click("button:has-text('Import it')")
        page.wait_for_selector("text=Imported.")
        visitor.picture("import-result")
        visitor.go("admin:campaigns_importrun_changelist")
        visitor.picture("imports")
        visitor.go("admin:campaigns_campaign_changelist")
        page.click("a:has-text('Export')")
        page.wait_for_selector("text=Secrets never go out")
        visitor.picture("export")
        with page.expect_download() as got:
            page.click("button:has-text('Export')")
        assert got.value.suggested_filename.startswith("campaigns-")
        browser.close()
    assert Ticket.objects.filter(campaign__name="Spring Wave").count() == 1
    assert ColumnMapping.objects.count() == 1 and ImportRun.objects.filter(state="WRITTEN").count() == 1
    assert reverse("admin:campaigns_importrun_upload")
    assert not visitor.complaints, "\n".join(visitor.complaints)
