"""A plan in: what it becomes, and what is refused; nothing is written, or everything."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from campaigns.models import Campaign, CampaignChannel, MediaPlan, MediaPlanLine
from governance.governed import unguarded
from governance.models import AdAccount, Alias, Channel, ExchangeRate, Grant
from governance.tests.factories import AdAccountFactory, UserFactory
from trafficking import qa
from trafficking.imports.service import check_media_plan, import_media_plan
from trafficking.models import Ad, AdSet, Ticket
from trafficking.services import submit_ticket, transition
from trafficking.statuses import Status
from trafficking.tests.import_world import (
    ad,
    alias,
    attempted,
    csv_source,
    day,
    imported,
    line,
    places,
    world,
)

pytestmark = pytest.mark.django_db

TABLES = (Campaign, CampaignChannel, MediaPlan, MediaPlanLine, Ticket, AdSet, Ad)


@pytest.fixture(autouse=True)
def vocabulary():
    return world()


def counts() -> list[int]:
    return [model.objects.count() for model in TABLES]


def versions() -> dict:
    return {(model.__name__, row.pk): row.version for model in TABLES for row in model.objects.all()}


def history() -> int:
    return sum(model.history.count() for model in TABLES)


# ------------------------------------------------------------------------------- what it becomes


def test_lines_of_one_campaign_become_one_campaign_with_a_ticket_per_channel():
    rows = [
        line("L1", audience="Families"),
        line("L2", start_date=day(5), cost_media="500"),
        line("L3", channel="TIKTOK", end_date=day(50)),
        line("L4", campaign="Other", market="DE", currency="EUR"),
    ]
    result = imported(rows)
    assert result.counts["created"] == 4
    campaign = Campaign.objects.get(name="Moana Launch")
    assert (campaign.budget, campaign.currency) == (Decimal("2501.00"), "USD")
    assert (campaign.start_on.isoformat(), campaign.end_on.isoformat()) == (day(5), day(50))
    year = day(5)[:4]
    names = set(CampaignChannel.objects.values_list("governed_name", flat=True))
    assert {f"DIS_US_META_{year}_MoanaLaunch", f"DIS_US_TIKTOK_{year}_MoanaLaunch"} < names
    meta = campaign.tickets.get(channel__code="META")
    assert (meta.status, meta.budget_level, meta.budget) == ("DRAFT", "AD_SET", None)
    assert (meta.start_on.isoformat(), meta.end_on.isoformat()) == (day(5), day(40))
    first = meta.ad_sets.get(name="Line L1")
    assert (first.budget, first.budget_type, first.goal) == (Decimal("1000.5"), "LIFETIME", "CLICKS")
    assert first.geo == {"countries": ["US"]} and first.languages == ["en"]
    assert (first.age_min, first.age_max, first.interests) == (25, 44, [{"id": "6003", "name": "Family"}])
    assert first.start_on.isoformat() == day(10)
    stored = MediaPlanLine.objects.get(line_key="L1")
    assert stored.ad_set_intent == first.intent_id and stored.source["line"]["cost_media"] == "1000.50"
    assert MediaPlan.objects.get().file_sha256 == csv_source(rows).sha256
    assert Campaign.history.count() == 2 and AdSet.history.count() == 4 and MediaPlanLine.history.count() == 4


def test_a_plan_with_its_creatives_passes_qa_and_can_be_submitted():
    result = imported([line("L1"), line("L2")], [ad("L1"), ad("L2", "Island"), ad("L2", "Reef")])
    [ticket] = result.tickets
    assert ticket.checked and not [finding for finding in ticket.findings if finding.blocking]
    person = UserFactory(everywhere=True, is_superuser=True)
    report = submit_ticket(ticket=Ticket.objects.get(), by=person)
    assert report.passed


def test_a_plan_without_creatives_makes_drafts_whose_findings_say_what_is_missing():
    result = imported([line("L1", special_ad_categories=None, political=None)])
    codes = {finding.code for finding in result.tickets[0].findings if finding.blocking}
    assert {code.split(".", 1)[1] for code in codes} >= {
        "special_ad_categories.unstated",
        "political.unstated",
    }
    assert any("ads" in finding.field or "no_ads" in finding.code for finding in result.tickets[0].findings)
    assert Ticket.objects.get().status == "DRAFT" and Ticket.objects.get().findings == []


def test_every_ticket_passes_the_taxonomy_rule():
    imported(
        [line(f"L{n}", campaign=f"Camp {n % 3}", channel="TIKTOK" if n % 2 else "META") for n in range(12)]
    )
    for ticket in Ticket.objects.all():
        report = qa.check_ticket(ticket)
        assert not [finding for finding in report.findings if finding.code.startswith("qa.name")]


# ---------------------------------------------------------------------------------- bad input by name


BAD = [
    ({"market": "XX"}, "import.unknown_market", "market"),
    ({"brand": "Nobody"}, "import.unknown_brand", "brand"),
    ({"channel": "CARRIERPIGEON"}, "import.unknown_vendor", "channel"),
    ({"channel": None}, "import.no_vendor", "vehicle"),
    ({"market": None}, "import.no_market", "market"),
    ({"objective": "Fame"}, "import.unknown_objective", "objective"),
    ({"campaign": None}, "cell.required", "campaign"),
    ({"line": None}, "cell.required", "line"),
    ({"start_date": "03/04/2027"}, "cell.date_two_ways", "start_date"),
    ({"start_date": "tomorrow"}, "cell.date", "start_date"),
    ({"end_date": None}, "cell.required", "end_date"),
    ({"start_date": day(20), "end_date": day(19)}, "flight.reversed", "end_date"),
    ({"start_date": day(-3)}, "flight.past", "start_date"),
    ({"cost_media": "0"}, "money.not_positive", "cost_media"),
    ({"cost_media": "-5"}, "money.not_positive", "cost_media"),
    ({"cost_media": "1,000.50"}, "money.separators", "cost_media"),
    ({"cost_media": "1.000,50"}, "money.separators", "cost_media"),
    ({"cost_media": "abc"}, "money.not_a_number", "cost_media"),
    ({"cost_media": "19.999"}, "money.too_precise", "cost_media"),
    ({"cost_media": "9999999999999999"}, "money.too_long", "cost_media"),
    ({"cost_media": None, "cost_total": "1200"}, "plan.no_media_cost", "cost_media"),
    ({"currency": "US$"}, "money.currency_unknown", "currency"),
    ({"currency": None}, "cell.required", "currency"),
    ({"currency": "XAF", "cost_media": "1000"}, "money.no_rate", "currency"),
    ({"exchange_rate": "1.1"}, "plan.rate_pair", "exchange_rate_currency"),
    ({"campaign": "Moana 🌊"}, "naming.symbols", "campaign"),
    ({"campaign": "x" * 150}, "naming.too_long", "campaign"),
    ({"campaign": "x" * 300}, "cell.too_long", "campaign"),
    ({"campaign": "___"}, "naming.empty", "campaign"),
    ({"campaign": "\u202emoana"}, "naming.symbols", "campaign"),
    ({"line_name": "🚀🚀"}, "naming.empty", "line_name"),
    ({"line_name": "y" * 80}, "naming.too_long", "line_name"),
    ({"goal": "FAME"}, "cell.choice", "goal"),
    ({"conversion_event": "SMILE"}, "cell.choice", "conversion_event"),
    ({"gender": "both"}, "cell.choice", "gender"),
    ({"age_min": "7"}, "ad_set.age_range", "age_min"),
    ({"age_min": "40", "age_max": "30"}, "ad_set.ages", "age_min"),
    ({"age_min": "old"}, "cell.integer", "age_min"),
    ({"ad_account": "999"}, "import.unknown_account", "ad_account"),
    ({"political": "perhaps"}, "cell.choice", "political"),
    ({"special_ad_categories": "CATS"}, "ticket.special_categories", "special_ad_categories"),
    ({"special_ad_categories": "HOUSING"}, "ticket.special_countries", "special_ad_category_countries"),
]


@pytest.mark.parametrize(("change", "code", "column"), BAD, ids=[f"{b[1]}-{n}" for n, b in enumerate(BAD)])
def test_bad_input_is_refused_by_row_and_column_and_nothing_is_written(change, code, column):
    before = counts()
    result = attempted([line("L0", campaign="Good one"), line("L1", **change)])
    assert (code, 3, column) in places(result), [(f.code, f.field, f.message) for f in result.errors]
    assert len(result.errors) == 1
    assert all("…" not in f.message and "{" not in f.message for f in result.errors)
    assert counts() == before and not result.written


def test_all_errors_are_told_at_once():
    rows = [line(f"L{n}", **change) for n, (change, _code, _column) in enumerate(BAD)]
    wanted = {(code, n + 2, column) for n, (_change, code, column) in enumerate(BAD)}
    # lines of one campaign: some also can't agree with each other, which is told beside
    assert wanted <= places(attempted([{**row, "campaign": row["campaign"]} for row in rows]))
    assert counts() == [0] * len(TABLES)


def test_an_inactive_channel_is_refused():
    channel = Channel.objects.get(code="META")
    channel.active = False
    channel.save()
    assert ("import.channel_inactive", 2, "channel") in places(attempted([line()]))


def test_a_missing_account_is_told_with_brand_market_and_platform(vocabulary):
    account = vocabulary["accounts"]["meta", "US"]
    account.active = False
    account.save()
    [error] = attempted([line()]).errors
    assert error.code == "import.no_account"
    for word in ("Meta", "DIS", "US"):
        assert word in error.message


def test_several_accounts_need_a_choice(vocabulary):
    second = AdAccountFactory(serving=[(vocabulary["brands"]["DIS"], vocabulary["markets"]["US"])])
    assert ("import.several_accounts", 2, "ad_account") in places(attempted([line()]))
    imported([line(ad_account=f"act_{second.external_id}")])
    assert Ticket.objects.get().ad_account == second


def test_duplicate_lines_and_equal_names_are_refused():
    result = attempted([line("L1"), line("L1"), line("L2", line_name="Line L3"), line("L3")])
    assert {("plan.duplicate_line", 3, "line"), ("import.same_name", 5, "line_name")} == places(result)


def test_two_campaigns_never_share_a_name():
    imported([line("L1")])
    result = attempted([line("L1", plan_id="other", campaign="MOANA launch!")])
    assert ("naming.taken", 2, "campaign") in places(result)
    two = attempted(
        [line("L1", plan_id="p3", campaign="Sun Day"), line("L2", plan_id="p3", campaign="SunDay")]
    )
    assert ("import.name_twice", 3, "campaign") in places(two)


def test_lines_of_one_campaign_must_agree():
    result = attempted([
        line("L1"), line("L2", objective="SALES"), line("L3", political="yes"),
    ])  # fmt: skip
    assert {code for code, _row, _column in places(result)} == {
        "import.objectives_differ",
        "import.statements_differ",
    }


def test_several_plan_ids_in_one_file_are_refused():
    assert ("plan.several_plans", None, None) in places(attempted([line("L1"), line("L2", plan_id="b")]))


def test_a_line_that_is_not_trafficked_here_is_reported():
    result = imported(
        [line("L1"), line("L2", channel=None, vehicle="LinkedIn", media_product="Sponsored Content")]
    )
    assert result.counts == {"created": 1, "updated": 0, "unchanged": 0, "kept": 0, "reported": 1}
    assert MediaPlan.objects.get().reported == [{"line": "L2", "name": "Line L2", "vendor": "LinkedIn"}]
    assert any(f.code == "import.not_trafficked" and f.params["row"] == 3 for f in result.warnings)


def test_vendor_aliases_are_tried_from_the_most_telling_one():
    alias("VENDOR", "Acme / Video", channel=Channel.objects.get(code="TIKTOK"))
    alias("VENDOR", "Acme", channel=Channel.objects.get(code="META"))
    rows = [
        line("L1", channel=None, vehicle="ACME", media_product="video"),
        line("L2", channel=None, vehicle="Acme", media_product="Banners"),
        line("L3", channel=None, vehicle="Somebody", partner="Google Ads", media_product="Search"),
    ]
    imported(rows)
    assert {t.line_key: t.channel.code for t in MediaPlanLine.objects.all()} == {
        "L1": "TIKTOK", "L2": "META", "L3": "GGLSEARCH",
    }  # fmt: skip


# ------------------------------------------------------------------------------------------- markets


def test_a_market_is_found_by_option_name_country_or_alias_but_never_guessed(vocabulary):
    alias("LOCATION", "The States", market=vocabulary["markets"]["US"])
    for number, where in enumerate(
        ({"market": "germany"}, {"location": "Germany"}, {"location": "The States"})
    ):
        currency = "EUR" if "ermany" in str(where) else "USD"
        row = line(
            "L1",
            plan_id=f"p{number}",
            campaign=f"C{number}",
            **{"market": None, "currency": currency, **where},
        )
        imported([row])
    imported([line("L1", plan_id="p9", campaign="C9", market=None)], market="US")
    several = attempted([line("L1", plan_id="p10", campaign="C10", market=None, location="Germany | Japan")])
    assert ("import.several_markets", 2, "location") in places(several)
    conflict = attempted([line("L1", plan_id="p11", campaign="C11")], market="DE")
    assert ("import.market_conflict", 2, "market") in places(conflict)
    unknown = attempted([line("L1", plan_id="p12", campaign="C12", market=None)], market="ZZ")
    assert [f.field for f in unknown.errors] == ["--market"]


def test_with_a_market_locations_outside_are_a_warning():
    result = imported([line("L1", market=None, location="United States | Germany")], market="US")
    [warning] = [f for f in result.warnings if f.code == "import.location_outside"]
    assert "Germany" in warning.message


def test_a_country_of_two_markets_is_ambiguous(vocabulary):
    from governance.tests.factories import MarketFactory

    MarketFactory(code="USWEST", name="West Coast", country="US", currency="USD")
    row = line("L1", market=None, location="United States of America")
    assert places(attempted([row])) == {("import.unknown_market", 2, "location")}
    US = vocabulary["markets"]["US"]
    US.name = "USA all"
    US.save()
    assert places(attempted([line("L1", market=None, location="United States")])) == {
        ("import.ambiguous_country", 2, "location")
    }


# --------------------------------------------------------------------------------------------- money


def test_the_plans_own_rate_wins_and_the_approver_sees_it():
    imported(
        [line("L1", currency="EUR", cost_media="145000", exchange_rate="1.08", exchange_rate_currency="USD")]
    )
    ticket, ad_set = Ticket.objects.get(), AdSet.objects.get()
    assert ad_set.budget == Decimal("156600.00")
    [entry] = ticket.budget_source["conversions"]
    assert set(entry) == {"original", "rate", "source", "amount"}
    assert "145,000.00" in entry["original"] and entry["rate"] == "1.08" and "156,600.00" in entry["amount"]
    [shown] = [f for f in qa.check_ticket(ticket).findings if f.code == "qa.converted"]
    assert "156,600.00" in shown.message and not shown.blocking
    stored = MediaPlanLine.objects.get()
    assert (stored.rate, stored.rate_source, stored.cost_currency) == (Decimal("1.08"), "the plan", "EUR")
    # all lines are in EUR: so is the campaign's budget, as planned
    assert (Campaign.objects.get().budget, Campaign.objects.get().currency) == (Decimal(145000), "EUR")


def test_without_a_rate_of_its_own_a_dated_one_is_used_and_rounded_half_even():
    today = timezone.now().date()
    ExchangeRate(currency="JPY", usd=Decimal("0.00650000"), valid_from=today, source="test").save()
    imported([line("L1", currency="USD", cost_media="100.01", market="JP")])
    ad_set, stored = AdSet.objects.get(), MediaPlanLine.objects.get()
    assert ad_set.budget == Decimal("15386")  # 100.01 / 0.0065 = 15386.15…: yen have no decimals
    assert stored.rate == Decimal("153.8461538462")
    assert stored.rate_source.startswith("rates of ")
    assert round(Decimal("100.01") * stored.rate) == ad_set.budget


def test_a_campaign_in_two_currencies_is_summed_in_the_markets():
    imported([line("L1", cost_media="1000"), line("L2", cost_media="100", currency="EUR",
                                                    exchange_rate="1.5", exchange_rate_currency="USD")])  # fmt: skip
    campaign = Campaign.objects.get()
    assert (campaign.budget, campaign.currency) == (Decimal(1150), "USD")
    assert not [f for f in qa.check_ticket(Ticket.objects.get()).findings if f.code == "qa.over_campaign"]


def test_a_hundred_times_the_cap_is_found_by_qa(vocabulary):
    account = vocabulary["accounts"]["meta", "US"]
    account.daily_cap = Decimal(10)
    account.save()
    result = imported([line("L1", cost_media="31000")])
    assert "qa.account_cap" in {f.code for f in result.tickets[0].findings if f.blocking}


# ----------------------------------------------------------------------------------------- start-on


def test_start_on_moves_all_flights_alike():
    rows = [
        line("L1", start_date="2024-02-26", end_date="2024-03-10"),
        line("L2", start_date="2024-03-01", end_date="2024-03-02"),
    ]
    start = timezone.now().date() + timedelta(days=30)
    result = imported(rows, start_on=start)
    assert result.shift_days == (start - date(2024, 2, 26)).days
    first, second = AdSet.objects.order_by("name")
    assert first.start_on == start and first.end_on - first.start_on == timedelta(days=13)
    assert second.start_on - first.start_on == timedelta(
        days=4
    ) and second.end_on - second.start_on == timedelta(days=1)
    again = imported(rows, start_on=start)
    assert again.counts["unchanged"] == 2


# ---------------------------------------------------------------------------------------- repeatable


def test_the_same_plan_again_changes_nothing_not_even_a_version():
    rows, ads = [line("L1"), line("L2", channel="TIKTOK")], [ad("L1")]
    imported(rows, ads)
    before, written = versions(), history()
    result = imported(rows, ads)
    assert result.counts["unchanged"] == 2 and result.ads["unchanged"] == 1
    assert versions() == before and history() == written


def test_a_changed_line_updates_its_draft_and_leaves_the_rest():
    imported([line("L1"), line("L2"), line("L3", channel="TIKTOK")], [ad("L1")])
    before = versions()
    result = imported(
        [line("L1", cost_media="2000", end_date=day(45)), line("L2"), line("L3", channel="TIKTOK")]
    )
    assert result.counts == {"created": 0, "updated": 1, "unchanged": 2, "kept": 0, "reported": 0}
    changed, other = AdSet.objects.get(name="Line L1"), AdSet.objects.get(name="Line L2")
    assert changed.budget == 2000 and changed.end_on.isoformat() == day(45)
    assert other.version == before["AdSet", other.pk]
    assert Campaign.objects.get().budget == Decimal(
        "4001.00"
    ) and Campaign.objects.get().end_on.isoformat() == day(45)
    tiktok = Ticket.objects.get(channel__code="TIKTOK")
    assert tiktok.version == before["Ticket", tiktok.pk]
    assert Ad.objects.count() == 1


def test_what_a_person_did_to_a_draft_is_kept():
    imported([line("L1")])
    ad_set = AdSet.objects.get()
    ad_set.age_min, ad_set.geo = 30, {"countries": ["US"], "cities": [{"id": "123", "name": "Boston"}]}
    ad_set.save()
    imported([line("L1", cost_media="2000")])
    ad_set.refresh_from_db()
    assert (ad_set.budget, ad_set.age_min, ad_set.geo["cities"]) == (
        2000,
        30,
        [{"id": "123", "name": "Boston"}],
    )


def test_an_update_voids_the_approval_of_a_ready_ticket():
    imported([line("L1")], [ad("L1")])
    person = UserFactory(everywhere=True, is_superuser=True)
    submit_ticket(ticket=Ticket.objects.get(), by=person)
    assert Ticket.objects.get().status == Status.READY_FOR_API
    imported([line("L1", cost_media="900")], [ad("L1")])
    ticket = Ticket.objects.get()
    assert (ticket.status, ticket.digest) == (Status.DRAFT, "")


def test_new_lines_join_their_campaign_and_gone_ones_are_told():
    imported([line("L1"), line("L2")])
    result = imported(
        [line("L1"), line("L3", cost_media="10"), line("L4", channel="TIKTOK", cost_media="20")], [ad("L3")]
    )
    assert result.counts["created"] == 2 and result.counts["unchanged"] == 1
    assert Campaign.objects.count() == 1 and Ticket.objects.count() == 2
    assert Campaign.objects.get().budget == Decimal("2031.00")
    assert [f.params["line"] for f in result.warnings if f.code == "import.gone"] == ["L2"]
    assert AdSet.objects.get(name="Line L3").ads.count() == 1


def test_what_is_deployed_is_never_overwritten():
    imported([line("L1")], [ad("L1")])
    ticket = Ticket.objects.get()
    unguarded(Ticket).filter(pk=ticket.pk).update(status=Status.TRAFFICKED_SUCCESS)
    before, written = versions(), history()
    result = imported(
        [line("L1", cost_media="2000"), line("L2")], [ad("L1", texts="New words."), ad("L1", "Another")]
    )
    assert result.counts["kept"] == 2 and result.ads["kept"] == 2
    after = versions()
    assert {key: v for key, v in after.items() if key[0] != "MediaPlan"} == {
        key: v for key, v in before.items() if key[0] != "MediaPlan"
    }
    assert history() - written <= 1  # the plan's new file hash
    assert {f.code for f in result.warnings} >= {"import.kept", "import.not_added", "creatives.kept"}
    again = imported([line("L1", cost_media="2000"), line("L2")])
    assert again.counts["kept"] == 2  # told every time


def test_a_renamed_campaign_is_renamed_and_a_moved_line_refused():
    imported([line("L1"), line("L2")], [ad("L1")])
    imported([line("L1", campaign="Moana Premiere"), line("L2", campaign="Moana Premiere")], [ad("L1")])
    campaign = Campaign.objects.get()
    assert campaign.name == "Moana Premiere"
    for row in (*AdSet.objects.all(), *Ad.objects.all(), *CampaignChannel.objects.all()):
        assert "MoanaPremiere" in row.governed_name
    moved = attempted([line("L1", campaign="Elsewhere"), line("L2", campaign="Moana Premiere")])
    assert ("import.line_moved", 2, "line") in places(moved)
    other_brand = attempted(
        [line("L1", campaign="Moana Premiere", brand="NORD"), line("L2", campaign="Moana Premiere")]
    )
    assert ("import.line_moved", 2, "line") in places(other_brand)
    assert Campaign.objects.count() == 1


def test_a_dry_run_tells_the_same_and_writes_nothing():
    before = counts()
    result = check_media_plan(source=csv_source([line("L1")]), creatives=csv_source([ad("L1")], "c.csv"))
    assert result.counts["created"] == 1 and not result.written and result.tickets[0].checked
    assert counts() == before and MediaPlan.history.count() == 0


# -------------------------------------------------------------------------------------------- reach


def test_a_person_imports_only_what_is_theirs(vocabulary):
    person = UserFactory()
    Grant.objects.create(user=person, brand=vocabulary["brands"]["DIS"], market=vocabulary["markets"]["US"])
    rows = [
        line("L1"),
        line("L2", campaign="Other", brand="NORD"),
        line("L3", campaign="Third", market="DE", currency="EUR"),
    ]
    result = attempted(rows, user=person)
    assert places(result) == {("import.outside_reach", 3, "brand"), ("import.outside_reach", 4, "brand")}
    assert imported([line("L1")], user=person).written
    campaign = Campaign.objects.get()
    assert campaign.owner == person and campaign.history.first().history_user == person
    assert MediaPlan.objects.get().imported_by == person


def test_a_plan_of_others_cannot_be_taken_over_by_its_id(vocabulary):
    imported([line("L1", brand="NORD", plan_id="theirs")])
    person = UserFactory()
    Grant.objects.create(user=person, brand=vocabulary["brands"]["DIS"])
    result = attempted([line("L2", plan_id="theirs")], user=person)
    assert "import.plan_elsewhere" in {f.code for f in result.errors}
    assert MediaPlanLine.objects.count() == 1


# -------------------------------------------------------------------------------------- whole files


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("plan.json", b'{"meta": {}, "campaign": {}}', "plan.not_a_plan"),
        ("plan.json", b"[1, 2]", "plan.not_a_plan"),
        (
            "plan.json",
            b'{"meta": {"id": "x", "schema_version": "1.0"}, "campaign": {}, "lineitems": []}',
            "plan.version",
        ),
        ("plan.csv", b"a,b\n1,2\n", "table.missing_column"),
        ("plan.csv", b"\xff\xd8\xff\xe0" + bytes(range(256)) * 9, "file.binary"),
    ],
)
def test_a_file_that_is_no_plan_is_refused(name, data, code):
    from governance.tables import Source

    result = import_media_plan(source=Source(name, data))
    assert code in {f.code for f in result.errors} and not result.written


def test_a_ticket_that_moves_on_while_importing_is_not_overwritten(vocabulary):
    """QA_TESTING belongs to whoever submitted it."""
    imported([line("L1")], [ad("L1")])
    transition(Ticket.objects.get(), Status.QA_TESTING)
    result = imported([line("L1", cost_media="2000")])
    assert result.counts["kept"] == 1 and AdSet.objects.get().budget == Decimal("1000.5")


def test_an_account_that_changes_moves_the_ticket_while_it_is_a_draft(vocabulary):
    imported([line("L1")])
    second = AdAccountFactory(serving=[(vocabulary["brands"]["DIS"], vocabulary["markets"]["US"])])
    imported([line("L1", ad_account=second.external_id)])
    assert Ticket.objects.get().ad_account == AdAccount.objects.get(pk=second.pk)


def test_all_errors_of_a_changed_plan_are_told_at_once_by_row():
    imported([line("L1"), line("L2"), line("L3")], [ad("L1")])
    before = versions()
    rows = [
        line("L1", line_name="🚀"),
        line("L2", cost_media="x"),
        line("L3", line_name="y" * 80),
        line("L4", line_name="🌊"),
    ]
    result = attempted(rows, [ad("L1", landing_page="nowhere"), ad("L1", "🌊")])
    assert {("naming.empty", 2, "line_name"), ("money.not_a_number", 3, "cost_media"), ("naming.too_long", 4, "line_name"),
            ("naming.empty", 5, "line_name"), ("qa.landing_page", 2, "landing_page"), ("naming.empty", 3, "ad")} == places(result)  # fmt: skip
    assert versions() == before


def test_a_name_that_another_ad_set_of_the_ticket_has_is_refused_at_its_row():
    imported([line("L1"), line("L2")])
    by_hand = AdSet.objects.get(name="Line L1")
    by_hand.name = "By hand"
    by_hand.save()
    result = attempted([line("L1"), line("L2"), line("L3", line_name="By hand")])
    assert {(code, row) for code, row, _column in places(result)} == {("import.refused", 4)}
    assert AdSet.objects.count() == 2


def test_a_line_that_is_left_to_others_now_is_told():
    imported([line("L1"), line("L2", channel=None, vehicle="Facebook")])
    found = Alias.objects.get(text="Facebook")
    found.channel, found.not_trafficked = None, True
    found.save()
    result = imported([line("L1"), line("L2", channel=None, vehicle="Facebook")])
    assert [f.params["line"] for f in result.warnings if f.code == "import.gone"] == ["L2"]
    assert AdSet.objects.count() == 2


def test_a_name_taken_at_the_same_moment_writes_nothing(monkeypatch):
    monkeypatch.setattr("trafficking.imports.fresh._taken", lambda keys: [])
    imported([line("L1")])
    result = attempted([line("L1", plan_id="other")])
    assert [f.code for f in result.errors] == ["import.at_the_same_time"]
    assert Campaign.objects.count() == 1


def test_a_budget_put_on_the_campaign_follows_its_lines_unless_it_is_another():
    rows = [
        line("L1", channel="GGLSEARCH", cost_media="100"),
        line("L2", channel="GGLSEARCH", cost_media="50"),
    ]
    imported(rows)
    ticket = Ticket.objects.get()
    ticket.budget_level, ticket.budget = "CAMPAIGN", Decimal(150)
    ticket.save()
    rows[1]["cost_media"] = "80"
    imported(rows)
    ticket.refresh_from_db()
    assert ticket.budget == Decimal(180)
    ticket.budget = Decimal(60)
    ticket.save()
    rows[0]["cost_media"] = "120"
    result = imported(rows)
    ticket.refresh_from_db()
    assert ticket.budget == Decimal(60) and "import.campaign_budget_kept" in {f.code for f in result.warnings}


def test_a_row_with_malformed_cells_still_tells_everything_else():
    wrong = line(
        "L1", cost_media="1,000.50", brand="NOPE", market="ZZ", channel="MYSPACE", objective="FAME", campaign="Moana 🌊",
        start_date="2020-01-01", end_date="2019-01-01", line_name="🚀🚀", special_ad_categories="FOO", goal="zz",
    )  # fmt: skip
    result = attempted([wrong, line("L2", brand="NOPE", start_date="2020-01-01")], [ad("L1", "🚀")])
    assert places(result) == {
        ("money.separators", 2, "cost_media"), ("import.unknown_brand", 2, "brand"), ("import.unknown_market", 2, "market"),
        ("import.unknown_vendor", 2, "channel"), ("import.unknown_objective", 2, "objective"), ("naming.symbols", 2, "campaign"),
        ("flight.past", 2, "start_date"), ("flight.reversed", 2, "end_date"), ("naming.empty", 2, "line_name"),
        ("ticket.special_categories", 2, "special_ad_categories"), ("cell.choice", 2, "goal"), ("naming.empty", 2, "ad"),
        ("import.unknown_brand", 3, "brand"), ("flight.past", 3, "start_date"),
    }  # fmt: skip


def test_a_wrong_header_does_not_hide_what_is_wrong_in_the_rows():
    row = line("L1", cost_media="1,000", start_date="x")
    row["brnd"] = row.pop("brand")
    assert places(attempted([row])) == {
        ("table.unknown_column", 1, "brnd"), ("table.missing_column", 1, "brand"),
        ("money.separators", 2, "cost_media"), ("cell.date", 2, "start_date"),
    }  # fmt: skip


def test_findings_of_the_creative_sheet_say_that_they_are_its(vocabulary):
    result = attempted([line("L1", goal="zz")], [ad("L1", format="IMG")])
    assert {f.field for f in result.errors} == {"rows[2].goal", "creatives.rows[2].format"}


def test_another_brands_audience_is_not_targeted(vocabulary):
    audience = vocabulary["audience"]
    audience.brand = vocabulary["brands"]["NORD"]
    audience.save()
    assert places(attempted([line(audience="Families")])) == {("import.audience_elsewhere", 2, "audience")}


def test_a_start_beyond_the_calendar_is_refused():
    result = attempted([line()], start_on=date(9999, 12, 1))
    assert [f.code for f in result.errors] == ["cell.date_far"] and not MediaPlan.objects.exists()
