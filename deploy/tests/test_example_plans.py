"""Plans that nobody here wrote, from the file to the ids: the Open Media Plan examples beside this repository."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from deploy import engine, services
from deploy.models import Deployment
from trafficking import services as tickets
from trafficking.models import Ad, AdSet, Ticket
from trafficking.statuses import Status
from trafficking.tests.factories import next_week

pytestmark = pytest.mark.django_db
PLANS = Path(settings.BASE_DIR).parent / "shared" / "data" / "mediaplan"

GOVERNANCE = {
    "markets": [
        {"code": "US", "name": "United States", "country": "US", "region": "NA", "currency": "USD",
         "time_zone": "America/New_York", "languages": ["en"]},
    ],
    "brands": [{"code": "GTECH", "name": "GlobalTech Corporation"}],
    "accounts": [
        {"platform": "google", "external_id": "123-456-7890", "name": "GlobalTech US", "currency": "USD",
         "time_zone": "America/New_York", "serves": "GTECH:US", "conversion_action_id": "4445556"},
    ],
}  # fmt: skip
SEARCH = {
    "ad": "Platform", "format": "SEARCH_TEXT", "headlines": "Enterprise AI platform | Built to scale | See it at work",
    "descriptions": "Analytics and automation in one place. | Ask for a demo today.",
    "landing_page": "https://www.example.com/ai", "keywords": '[ai platform] | "enterprise ai"',
}  # fmt: skip
VIDEO = {
    "ad": "Demo", "format": "VIDEO", "headlines": "See it at work", "long_headline": "See the AI platform at work",
    "descriptions": "Analytics and automation in one place.", "business_name": "GlobalTech",
    "call_to_action": "LEARN_MORE", "landing_page": "https://www.example.com/ai",
    "media": "YOUTUBE_VIDEO:dQw4w9WgXcQ | LOGO:123450003", "ticket_settings": '{"demand_gen_accepted": true}',
}  # fmt: skip
STATED = {"special_ad_categories": "none", "political": "no"}


def example(name: str) -> Path:
    if not (PLANS / name).is_file():
        pytest.skip(f"the example plan ../shared/data/mediaplan/{name} is not here")
    return PLANS / name


@pytest.fixture
def globaltech(tmp_path: Path) -> None:
    path = tmp_path / "governance.json"
    path.write_text(json.dumps(GOVERNANCE))
    call_command("import_governance", str(path))


def sheet(tmp_path: Path, *rows: dict[str, str]) -> Path:
    path = tmp_path / "creatives.csv"
    columns = sorted({column for row in rows for column in row})
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["line", *(c for c in columns if c != "line")])
        writer.writeheader()
        writer.writerows(rows)
    return path


def deploy_everything(trafficker, approver) -> list[Ticket]:
    found = list(Ticket.objects.order_by("id"))
    for ticket in found:
        report = tickets.submit_ticket(ticket=ticket, by=trafficker)
        assert report.passed, [finding.as_report() for finding in report.findings if finding.blocking]
        tickets.approve_ticket(ticket=ticket, by=approver, digest=ticket.digest)
        services.start_deployment(ticket=ticket, by=trafficker)
        assert engine.run(str(ticket.public_id)).state == Deployment.State.SUCCEEDED
        ticket.refresh_from_db()
        assert ticket.status == Status.TRAFFICKED_SUCCESS
        assert ticket.external_id
    assert all(AdSet.objects.values_list("external_id", flat=True))
    assert all(Ad.objects.values_list("external_id", flat=True))
    return found


def test_the_3_0_example_is_deployed(globaltech, sandboxes, tmp_path, trafficker, approver, capsys):
    rows = [
        {"line": "li_google_search_002", **SEARCH, **STATED},
        {"line": "li_youtube_video_003", **VIDEO, **STATED},
    ]
    call_command(
        "import_media_plan", str(example("example_mediaplan_v3.0.json")), market="US",
        start_on=next_week().isoformat(), creatives=str(sheet(tmp_path, *rows)),
    )  # fmt: skip
    told = capsys.readouterr().out
    assert "LinkedIn" in told
    assert "The Trade Desk" in told
    made = deploy_everything(trafficker, approver)
    assert [ticket.channel.code for ticket in made] == ["GGLSEARCH", "YOUTUBE"]
    campaigns = [row for row in sandboxes["google_ads"].store.rows() if "advertisingChannelType" in row]
    assert {row["advertisingChannelType"] for row in campaigns} == {"SEARCH", "DEMAND_GEN"}
    assert {row["status"] for row in campaigns} == {"PAUSED"}


def test_the_2_0_example_is_deployed(globaltech, sandboxes, tmp_path, trafficker, approver, capsys):
    rows = [{"line": "li_youtube_video_002", **VIDEO, **STATED}]
    call_command(
        "import_media_plan", str(example("example_mediaplan_v2.0.json")),
        start_on=next_week().isoformat(), creatives=str(sheet(tmp_path, *rows)),
    )  # fmt: skip
    told = capsys.readouterr().out
    for vendor in ("LinkedIn", "The Trade Desk", "X (Twitter)"):
        assert vendor in told
    (ticket,) = deploy_everything(trafficker, approver)
    assert ticket.channel.code == "YOUTUBE"
