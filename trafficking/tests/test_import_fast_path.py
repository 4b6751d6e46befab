"""The batch path is as strict as the models' own doors, and as true: every row that it writes would be saved again."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaigns.models import Campaign, CampaignChannel, MediaPlan, MediaPlanLine
from campaigns.services import save_campaign
from governance.models import Channel
from trafficking.models import Ad, AdSet, Ticket
from trafficking.tests.import_world import ad, attempted, brand, imported, line, market, world

pytestmark = pytest.mark.django_db

TABLES = (Campaign, CampaignChannel, MediaPlan, MediaPlanLine, Ticket, AdSet, Ad)


@pytest.fixture(autouse=True)
def vocabulary():
    return world()


def test_every_row_of_the_fast_path_passes_full_clean_and_has_its_history():
    rows = [
        line(
            f"L{n}", campaign=f"Camp {n % 5}", channel=("META", "TIKTOK", "GGLSEARCH")[n % 3], audience="Families",
            cost_media=f"{100 + n}.25", gender=("ANY", "FEMALE", "MALE")[n % 3],
            **({"currency": "EUR"} if n % 4 == 0 else {}),
        )
        for n in range(60)
    ]  # fmt: skip
    imported(rows, [ad(f"L{n}", f"Ad {n}") for n in range(60) if n % 3 == 0])
    for model in TABLES:
        assert model.objects.exists()
        for row in model.objects.all():
            stored = {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields}
            row.full_clean()
            assert {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields} == stored, model
            assert row.history.count() == 1, model
            last = row.history.get()
            assert last.history_type == "+" and last.version == row.version


BAD = [
    {"name": "Moana 🌊"}, {"name": "   "}, {"name": "x" * 150}, {"budget": Decimal(0)}, {"budget": Decimal(-1)},
    {"budget": Decimal("19.999")}, {"budget": Decimal("123456789012")}, {"days": (20, 19)}, {"days": (-2, 5)},
    {"currency": "ABC"},
]  # fmt: skip


@pytest.mark.parametrize("change", BAD, ids=[str(each) for each in BAD])
def test_what_the_models_door_refuses_the_import_refuses_too(change):
    today = timezone.now().date()
    first, last = change.get("days", (10, 40))
    start, end = today + timedelta(days=first), today + timedelta(days=last)
    values = {
        "name": "Moana Launch",
        "budget": Decimal(100),
        "currency": "USD",
        **{k: v for k, v in change.items() if k != "days"},
    }
    campaign = Campaign(
        brand=brand("DIS"), market=market("US"), objective="TRAFFIC", start_on=start, end_on=end, **values
    )
    with pytest.raises(ValidationError):
        save_campaign(campaign=campaign, channels=[Channel.objects.get(code="META")])
    result = attempted([
        line(campaign=values["name"], cost_media=format(values["budget"], "f"), currency=values["currency"],
             start_date=start.isoformat(), end_date=end.isoformat()),
    ])  # fmt: skip
    assert result.errors and not Campaign.objects.exists()


_NAMES = st.text(min_size=0, max_size=70)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=_NAMES, line_name=_NAMES)
def test_both_doors_agree_on_any_name(name, line_name):
    """Accepted by the import exactly if the models accept it (as the cell reads: trimmed, on one line)."""
    from django.db import transaction

    written = {"campaign": " ".join(name.split()), "line_name": " ".join(line_name.split()) or "L1"}
    with transaction.atomic():
        accepted = _saved(written["campaign"], written["line_name"])
        transaction.set_rollback(True)
    with transaction.atomic():
        result = attempted([line("L1", campaign=written["campaign"], line_name=written["line_name"])])
        if any(code.startswith("file.") for code in (f.code for f in result.errors)):
            assert any(ord(c) < 32 or c == "\ufffd" for c in name + line_name)
        else:
            assert result.written == accepted, (written, [f.message for f in result.errors])
        transaction.set_rollback(True)


def _saved(name: str, ad_set_name: str) -> bool:
    start = timezone.now().date() + timedelta(days=10)
    try:
        campaign = save_campaign(
            campaign=Campaign(
                name=name, brand=brand("DIS"), market=market("US"), objective="TRAFFIC", budget=Decimal(10),
                currency="USD", start_on=start, end_on=start,
            ),
            channels=[Channel.objects.get(code="META")],
        )  # fmt: skip
        account = brand("DIS").pk and _account()
        ticket = Ticket(
            campaign=campaign,
            channel=Channel.objects.get(code="META"),
            ad_account=account,
            start_on=start,
            end_on=start,
        )
        ticket.save()
        AdSet(ticket=ticket, name=ad_set_name, budget=Decimal(10)).save()
    except ValidationError:
        return False
    return True


def _account():
    from governance.models import AdAccount

    return AdAccount.objects.get(platform="meta", currency="USD")


def test_a_bigger_plan_asks_the_database_hardly_more():
    def queries(count: int, tag: str) -> int:
        rows = [line(f"L{n}", plan_id=tag, campaign=f"{tag} {n // 50}", cost_media="5") for n in range(count)]
        with CaptureQueriesContext(
            connection,
        ) as captured:
            imported(rows)
        return len([q for q in captured.captured_queries if q["sql"].startswith("SELECT")])

    small, large = queries(400, "aa"), queries(800, "bb")
    assert large <= small + 5


def test_an_error_in_the_last_line_writes_nothing_of_thousands(monkeypatch):
    monkeypatch.setattr("trafficking.imports.fresh.CHUNK", 20)
    rows = [line(f"L{n}", campaign=f"C {n // 10}") for n in range(100)]
    rows[-1]["line_name"] = "y" * 80
    result = attempted(rows)
    assert [f.code for f in result.errors] == ["naming.too_long"]
    assert not any(model.objects.exists() for model in TABLES)


def test_dates_are_days_not_texts():
    imported([line("L1")])
    assert isinstance(AdSet.objects.get().start_on, date)
