"""The commands, and the demo that everybody sees first."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from campaigns.models import Campaign
from governance.tests.factories import UserFactory
from trafficking.models import Ad, AdSet, Ticket
from trafficking.tests.import_world import csv_source, line, world

pytestmark = pytest.mark.django_db
DEMO = Path(settings.BASE_DIR) / "omnitraffick" / "demo"


@pytest.fixture
def plan_file(tmp_path):
    world()
    path = tmp_path / "plan.csv"
    path.write_bytes(csv_source([line()]).data)
    return str(path)


def said(capsys) -> dict:
    return json.loads(capsys.readouterr().out)


def test_the_demo_plan_passes_qa_from_any_day(capsys):
    today = timezone.now().date()
    call_command("import_governance", str(DEMO / "governance.json"), "--json")
    assert said(capsys)["ok"]
    files = [
        str(DEMO / "plan.csv"),
        "--creatives",
        str(DEMO / "creatives.csv"),
        "--start-on",
        str(today.replace(year=today.year + 1, day=1)),
    ]
    call_command("import_media_plan", *files, "--json")
    result = said(capsys)
    assert result["ok"] and result["counts"]["created"] >= 12 and not result["warnings"]
    for ticket in result["tickets"]:
        assert ticket["checked"] and not [f for f in ticket["findings"] if f["severity"] == "block"], ticket
    assert {t.channel.platform for t in Ticket.objects.all()} == {"meta", "tiktok", "google_ads"}
    assert len({c.brand_id for c in Campaign.objects.all()}) == 5
    assert len({c.market_id for c in Campaign.objects.all()}) == 6
    assert len({t.ad_account.currency for t in Ticket.objects.all()}) >= 4
    assert all(ad_set.ads.exists() for ad_set in AdSet.objects.all())
    call_command("import_media_plan", *files, "--json")
    assert said(capsys)["counts"]["unchanged"] == result["counts"]["created"]


def test_errors_exit_with_one_in_words_and_in_json(plan_file, tmp_path, capsys):
    bad = tmp_path / "bad.csv"
    bad.write_bytes(csv_source([line(brand="Nobody"), line("L2", cost_media="1,000.50")]).data)
    with pytest.raises(SystemExit) as stopped:
        call_command("import_media_plan", str(bad), "--json")
    result = said(capsys)
    assert stopped.value.code == 1 and not result["ok"] and not result["written"]
    assert {(e["params"]["row"], e["params"]["column"]) for e in result["errors"]} == {
        (2, "brand"),
        (3, "cost_media"),
    }
    assert all(e["message"] and e["remedy"] for e in result["errors"])
    with pytest.raises(SystemExit):
        call_command("import_media_plan", str(bad))
    text = capsys.readouterr().out
    assert "row 2, brand" in text and "row 3, cost_media" in text and "nothing was written" in text


def test_a_missing_file_and_an_unknown_person_are_told(plan_file, capsys):
    with pytest.raises(SystemExit):
        call_command("import_media_plan", "/nowhere/plan.csv", "--json")
    assert said(capsys)["errors"][0]["code"] == "file.missing"
    with pytest.raises(SystemExit):
        call_command("import_media_plan", plan_file, "--user", "nobody", "--json")
    assert said(capsys)["errors"][0]["code"] == "import.unknown_user"
    with pytest.raises(CommandError):
        call_command("import_media_plan", plan_file, "--start-on", "1.2.2027")


def test_a_person_without_grants_imports_nothing(plan_file, capsys):
    person = UserFactory()
    with pytest.raises(SystemExit):
        call_command("import_media_plan", plan_file, "--user", person.username, "--json")
    assert said(capsys)["errors"][0]["code"] == "import.outside_reach"


def test_words_for_people(plan_file, capsys):
    call_command("import_media_plan", plan_file, "--dry-run")
    text = capsys.readouterr().out
    assert (
        "Plan plan-1: 1 created." in text and "Nothing was written" in text and not Campaign.objects.exists()
    )
    call_command("import_media_plan", plan_file)
    assert "to mend before it can be deployed" in capsys.readouterr().out
    assert Ad.objects.count() == 0


def test_templates_are_written(tmp_path, capsys, plan_file):
    call_command("import_media_plan", plan_file, "--json")
    capsys.readouterr()
    for name in ("media_plan_template", "creative_sheet_template"):
        for suffix in ("csv", "xlsx"):
            call_command(name, str(tmp_path / f"{name}.{suffix}"))
            assert (tmp_path / f"{name}.{suffix}").stat().st_size > 200
        with pytest.raises(CommandError):
            call_command(name, str(tmp_path / "x.pdf"))
    capsys.readouterr()
    call_command("creative_sheet_template", "--plan", "plan-1")
    assert capsys.readouterr().out.splitlines()[1].startswith("L1,Ad 1")
    with pytest.raises(CommandError):
        call_command("creative_sheet_template", "--plan", "nothing")
