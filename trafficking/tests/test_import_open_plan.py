"""Open Media Plan JSON: plans that nobody here wrote, and what is wrong with some."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as settings_for_hypothesis
from hypothesis import strategies as st

from campaigns.models import Campaign, MediaPlan, MediaPlanLine
from governance.models import Audience, Channel
from governance.tables import Source
from governance.tests.factories import AdAccountFactory, BrandFactory
from trafficking.imports.service import import_media_plan
from trafficking.models import AdSet, Ticket
from trafficking.tests.import_world import ad, alias, csv_source, day, world

pytestmark = pytest.mark.django_db
PLANS = Path(settings.BASE_DIR).parent / "shared" / "data" / "mediaplan"


@pytest.fixture(autouse=True)
def vocabulary():
    return world()


@pytest.fixture
def globaltech(vocabulary):
    brand = BrandFactory(code="GTECH", name="GlobalTech")
    alias("ADVERTISER", "GlobalTech Corporation", brand=brand)
    AdAccountFactory(platform="google_ads", currency="USD", serving=[(brand, vocabulary["markets"]["US"])])
    return brand


def example(name: str) -> Source:
    path = PLANS / name
    if not path.is_file():
        pytest.skip(f"the example plan ../shared/data/mediaplan/{name} is not here")
    return Source.from_path(path)


def plan() -> dict:
    return {
        "meta": {"id": "omp-1", "schema_version": "3.0", "created_by_name": "A", "created_at": "2026-01-01T00:00:00Z"},
        "campaign": {
            "id": "c1", "name": "Moana Launch", "objective": "Traffic", "start_date": day(5), "end_date": day(30),
            "budget_currency": "USD", "budget_total": 1000, "advertiser_name": "DIS Pictures",
            "target_locations": [{"name": "all", "location_type": "Country", "location_list": ["United States"]}],
        },
        "lineitems": [
            {"id": "a", "name": "Feed", "start_date": day(5), "end_date": day(30), "vehicle": "Facebook", "cost_total": 120,
             "cost_media": 99.95, "cost_currency": "USD", "kpi": "Clicks"},
        ],
    }  # fmt: skip


def run(document, **options):
    text = document if isinstance(document, str) else json.dumps(document)
    return import_media_plan(source=Source("plan.json", text.encode()), **options)


def test_the_3_0_example_asks_for_what_is_missing_and_writes_nothing():
    result = import_media_plan(source=example("example_mediaplan_v3.0.json"))
    assert {f.code for f in result.errors} == {
        "import.unknown_brand", "import.unknown_market", "flight.past",
    }  # fmt: skip
    assert any("GlobalTech Corporation" in f.message and "alias" in f.remedy for f in result.errors)
    assert not MediaPlan.objects.exists()


def test_the_3_0_example_imports_with_its_brand_a_market_and_creatives(globaltech):
    from django.utils import timezone

    start = timezone.now().date()
    words = {"special_ad_categories": "none", "political": "no", "business_name": "GlobalTech", "texts": None}
    sheet = csv_source([
        ad("li_google_search_002", "Words", format="SEARCH_TEXT", headlines="One | Two | Three", media=None,
           descriptions="First. | Second.", keywords="[ai platform]", **{**words, "business_name": None}),
        ad("li_youtube_video_003", "Demo", format="VIDEO", media="YOUTUBE_VIDEO:dQw4w9WgXcQ | LOGO:5000001",
           descriptions="See it work.", long_headline="See the platform work", **words),
    ], "creatives.csv")  # fmt: skip
    result = import_media_plan(
        source=example("example_mediaplan_v3.0.json"), creatives=sheet, market="US", start_on=start
    )
    assert result.written, [f.message for f in result.errors]
    assert result.counts == {"created": 2, "updated": 0, "unchanged": 0, "kept": 0, "reported": 2}
    assert {line.note for line in result.lines if line.outcome == "reported"} == {
        "LinkedIn",
        "The Trade Desk",
    }
    for ticket in result.tickets:
        assert not [f for f in ticket.findings if f.blocking], [f.message for f in ticket.findings]
    video, search = (
        AdSet.objects.get(ticket__channel__code="YOUTUBE"),
        AdSet.objects.get(ticket__channel__code="GGLSEARCH"),
    )
    assert (search.budget, search.start_on, search.goal) == (Decimal(258000), start, "LEADS")
    assert video.budget == Decimal("156600.00") and (video.age_min, video.age_max) == (30, 50)
    assert (video.start_on - search.start_on).days == 14
    assert MediaPlanLine.objects.get(line_key="li_youtube_video_003").rate == Decimal("1.08")
    assert Campaign.objects.get().budget == Decimal(414600)
    codes = {f.code for f in result.warnings}
    assert codes >= {
        "import.place_not_targeted",
        "import.location_outside",
        "import.nothing_targeted",
        "import.not_trafficked",
    }
    again = import_media_plan(
        source=example("example_mediaplan_v3.0.json"), creatives=sheet, market="US", start_on=start
    )
    assert again.counts["unchanged"] == 2 and again.ads["unchanged"] == 2


def test_the_2_0_example_knows_its_market_by_its_lines(globaltech):
    from django.utils import timezone

    result = import_media_plan(source=example("example_mediaplan_v2.0.json"), start_on=timezone.now().date())
    assert result.counts["created"] == 1 and result.counts["reported"] == 3
    ad_set = AdSet.objects.get()
    assert (ad_set.age_min, ad_set.age_max, ad_set.goal) == (25, 45, "VIDEO_VIEWS")
    assert ad_set.geo == {"countries": ["US"]} and ad_set.budget == Decimal(245000)
    assert Campaign.objects.get().objective == "AWARENESS"
    assert MediaPlan.objects.get().schema_version == "2.0"


def test_numbers_keep_their_digits():
    document = json.dumps(plan()).replace("99.95", "19.99")
    assert run(document).written
    assert AdSet.objects.get().budget == Decimal("19.99")


def changed(**values) -> dict:
    document = plan()
    document["lineitems"][0].update(values)
    return document


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"cost_media": None}, "plan.no_media_cost", "lineitems[0].cost_media"),
        ({"cost_media": "100"}, "plan.type", "lineitems[0].cost_media"),
        ({"cost_media": True}, "plan.type", "lineitems[0].cost_media"),
        ({"cost_media": 0}, "money.not_positive", "lineitems[0].cost_media"),
        ({"cost_media": -4.5}, "money.not_positive", "lineitems[0].cost_media"),
        ({"start_date": "01/02/2027"}, "cell.date_two_ways", "lineitems[0].start_date"),
        ({"start_date": None}, "plan.missing", "lineitems[0].start_date"),
        ({"start_date": day(-2)}, "flight.past", "lineitems[0].start_date"),
        ({"name": 5}, "plan.type", "lineitems[0].name"),
        ({"cost_currency": "EURO"}, "money.currency_unknown", "lineitems[0].cost_currency"),
        ({"vehicle": "Pigeons"}, "import.unknown_vendor", "lineitems[0].vehicle"),
        ({"cost_currency_exchange_rate": 0, "cost_currency": "EUR"}, "money.not_positive", "lineitems[0].cost_currency_exchange_rate"),
        ({"location_name": "Atlantis", "location_type": "Country"}, "import.unknown_market", "lineitems[0].location_name"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_its_path(change, code, field):
    result = run(changed(**change))
    assert (code, field) in {(f.code, f.field) for f in result.errors}, [
        (f.code, f.field) for f in result.errors
    ]
    assert not MediaPlan.objects.exists()


def test_cost_total_is_never_taken_for_what_may_be_spent():
    result = run(changed(cost_media=None))
    [error] = result.errors
    assert "120" in error.remedy and "fees" in error.remedy


def test_all_errors_of_a_document_at_once():
    document = plan()
    document["campaign"]["advertiser_name"] = "Nobody"
    document["campaign"]["objective"] = "Fame"
    second = copy.deepcopy(document["lineitems"][0])
    document["lineitems"] += [second, "not an object"]
    result = run(document)
    assert {(f.code, f.field) for f in result.errors} == {
        ("import.unknown_brand", "campaign.advertiser_name"), ("import.unknown_objective", "campaign.objective"),
        ("plan.duplicate_line", "lineitems[1].id"), ("plan.type", "lineitems[2]"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (json.dumps(plan()).replace('"id": "a"', '"id": "a", "id": "b"'), "json.duplicate_key"),
        (json.dumps(plan()).replace("99.95", "NaN"), "json.not_a_number"),
        (json.dumps(plan())[:-5], "json.syntax"),
    ],
)
def test_json_that_two_readers_read_differently_is_refused(text, code):
    assert [f.code for f in run(text).errors] == [code]


def test_an_aggregate_is_left_out_and_told():
    document = plan()
    document["lineitems"].append({**document["lineitems"][0], "id": "sum", "is_aggregate": True})
    result = run(document)
    assert result.counts["created"] == 1 and "plan.aggregate" in {f.code for f in result.warnings}


def test_a_state_with_an_alias_leads_to_its_market_and_the_width_is_told(vocabulary):
    alias("LOCATION", "California", market=vocabulary["markets"]["US"])
    result = run(changed(location_name="California", location_type="State"))
    assert result.written
    [warning] = [f for f in result.warnings if f.code == "import.place_not_targeted"]
    assert "California" in warning.message and "US" in warning.message


def test_an_audience_of_the_vocabulary_is_targeted_by_its_ids():
    document = changed(target_audience="families", target_audience_note="x")
    assert run(document).written
    assert AdSet.objects.get().interests == [{"id": "6003", "name": "Family"}]
    Audience.objects.get()


def test_a_bom_and_utf_16_are_fine():
    for encoding in ("utf-8-sig", "utf-16"):
        result = import_media_plan(source=Source("plan.json", json.dumps(plan()).encode(encoding)))
        assert result.written
    assert Ticket.objects.count() == 1 and Channel.objects.filter(code="META").exists()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12), lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=5,
)  # fmt: skip


@settings_for_hypothesis(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_whatever_stands_in_a_plan_is_read_or_refused(data):
    document = plan()
    document["campaign"]["target_audiences"] = [{"name": "X", "demo_age_start": 20}]
    part = data.draw(st.sampled_from(["meta", "campaign", "line", "audience", "location"]))
    node = {
        "meta": document["meta"], "campaign": document["campaign"], "line": document["lineitems"][0],
        "audience": document["campaign"]["target_audiences"][0], "location": document["campaign"]["target_locations"][0],
    }[part]  # fmt: skip
    node[data.draw(st.sampled_from(sorted(node)))] = data.draw(_JSON)
    with transaction.atomic():
        result = run(document)
        assert result.written != bool(result.errors)
        transaction.set_rollback(True)


@pytest.mark.parametrize("text", ["\\ud800", "\\u0000"])
def test_text_that_no_database_takes_is_refused(text):
    assert run(json.dumps(plan()).replace("Feed", text)).refused
