"""The creative sheet: one row per ad, with what line and ticket still need."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.tables import Source, read_tables
from trafficking.imports.creatives import COLUMNS, keyword_text, read_creatives
from trafficking.imports.templates import creative_template, plan_template
from trafficking.models import Ad, AdSet, Ticket
from trafficking.tests.import_world import ad, attempted, csv_source, imported, line, places, world

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def vocabulary():
    return world()


def test_a_row_fills_ad_ad_set_and_ticket():
    rows = [line("L1", channel="GGLSEARCH", special_ad_categories=None, political=None)]
    sheet = [ad(
        "L1", "Words", format="search text", headlines="One | Two | Three", descriptions="First. | Second.", media=None,
        keywords='[ai platform] | "enterprise ai" | ai tools', negative_keywords="free", display_paths="ai | demo",
        special_ad_categories="none", political="no", ticket_settings='{"search_partners": true}',
        ad_settings='{"pin_headlines": [1, 0, 0]}', texts=None, call_to_action=None,
    )]  # fmt: skip
    result = imported(rows, sheet)
    assert not [f for f in result.tickets[0].findings if f.blocking], [
        f.message for f in result.tickets[0].findings
    ]
    made, ad_set, ticket = Ad.objects.get(), AdSet.objects.get(), Ticket.objects.get()
    assert made.format == "SEARCH_TEXT" and made.headlines == ["One", "Two", "Three"]
    assert made.config == {"pin_headlines": [1, 0, 0]} and made.display_paths == ["ai", "demo"]
    assert ad_set.keywords == [
        {"text": "ai platform", "match": "EXACT"}, {"text": "enterprise ai", "match": "PHRASE"},
        {"text": "ai tools", "match": "BROAD"},
    ]  # fmt: skip
    assert (ticket.special_ad_categories, ticket.political) == ([], "DOES_NOT_CONTAIN")
    assert ticket.payload_config == {"search_partners": True}


def test_cards_and_media():
    sheet = [ad(
        "L1", "Cards", format="CAROUSEL", media="IMAGE:aa | THUMBNAIL:bb",
        cards="aaaa ; Boat ; Set sail ; https://www.example.com/boat | bbbb ; Island",
    )]  # fmt: skip
    imported([line()], sheet)
    made = Ad.objects.get()
    assert made.media == [{"kind": "IMAGE", "id": "aa"}, {"kind": "THUMBNAIL", "id": "bb"}]
    assert made.cards == [
        {"media_id": "aaaa", "headline": "Boat", "description": "Set sail", "landing_page": "https://www.example.com/boat"},
        {"media_id": "bbbb", "headline": "Island"},
    ]  # fmt: skip


BAD = [
    ({"format": "GIF"}, "cell.choice", "format"),
    ({"format": None}, "cell.required", "format"),
    ({"ad": None}, "cell.required", "ad"),
    ({"line": "L9"}, "creatives.unknown_line", "line"),
    ({"call_to_action": "Click here"}, "cell.choice", "call_to_action"),
    ({"media": "picture.png"}, "cell.pair", "media"),
    ({"media": "GIF:1"}, "cell.pair", "media"),
    ({"cards": "a ; b ; c ; d ; e"}, "cell.pair", "cards"),
    ({"landing_page": "example dot com"}, "qa.landing_page", "landing_page"),
    ({"ad_settings": "{"}, "cell.json", "ad_settings"),
    ({"ticket_settings": "[1]"}, "cell.json", "ticket_settings"),
    ({"ticket_settings": '{"unheard_of": 1}'}, "ticket.config", "payload_config"),
    ({"political": "maybe"}, "cell.choice", "political"),
    ({"special_ad_categories": "HOUSING"}, "ticket.special_countries", "special_ad_category_countries"),
    ({"conversion_event": "SMILE"}, "cell.choice", "conversion_event"),
    ({"ad": "🌊"}, "naming.empty", "ad"),
    ({"display_paths": "a | b | c"}, "shape.invalid", "display_paths"),
    ({"business_name": "x" * 200}, "import.refused", "business_name"),
]


@pytest.mark.parametrize(("change", "code", "column"), BAD, ids=[f"{b[1]}-{n}" for n, b in enumerate(BAD)])
def test_bad_rows_are_refused_and_nothing_is_written(change, code, column):
    result = attempted([line()], [ad("L1", "Good"), {**ad(), **change}])
    found = {(f.code, f.params.get("column")) for f in result.errors}
    assert (code, column) in found, [(f.code, f.field, f.message) for f in result.errors]
    assert not Ticket.objects.exists() and not Ad.objects.exists()


def test_the_same_ad_twice_and_conflicting_rows_are_refused():
    result = attempted(
        [line()], [ad(), ad(name="boat"), ad(name="Two", keywords="a"), ad(name="Three", keywords="b")]
    )
    assert {("creatives.duplicate", 3, "ad"), ("creatives.conflict", 5, "keywords")} == places(result)
    tickets = attempted([line("L1"), line("L2")], [ad("L1", political="no"), ad("L2", political="yes")])
    assert {code for code, _, _ in places(tickets)} == {"creatives.conflict"}


def test_ads_of_a_reported_line_are_left_out_and_told():
    rows = [line("L1"), line("L2", channel=None, vehicle="LinkedIn")]
    result = imported(rows, [ad("L1"), ad("L2")])
    assert Ad.objects.count() == 1
    assert [f.params["row"] for f in result.warnings if f.code == "creatives.line_not_here"] == [3]


def test_a_sheet_can_follow_later_and_is_upserted_by_line_and_ad():
    imported([line()])
    first = imported([line()], [ad()])
    assert first.ads == {"created": 1, "updated": 0, "unchanged": 0, "kept": 0}
    second = imported([line()], [ad(texts="Other words."), ad(name="Reef")])
    assert second.ads == {"created": 1, "updated": 1, "unchanged": 0, "kept": 0}
    assert Ad.objects.get(name="Boat").texts == ["Other words."]
    third = imported([line()], [ad(texts="Other words."), ad(name="Reef")])
    assert third.ads["unchanged"] == 2 and {t.outcome for t in third.tickets} == {"unchanged"}


def test_a_persons_edit_of_an_ad_survives_the_same_sheet():
    imported([line()], [ad()])
    made = Ad.objects.get()
    made.texts = ["By hand."]
    made.save()
    imported([line()], [ad()])
    made.refresh_from_db()
    assert made.texts == ["By hand."]


def test_bad_rows_for_an_existing_plan_write_nothing():
    imported([line()])
    before = Ticket.objects.get().version
    result = attempted([line(cost_media="7")], [ad(), ad(name="Bad", landing_page="nowhere")])
    assert ("qa.landing_page", 3, "landing_page") in places(result)
    assert not Ad.objects.exists() and Ticket.objects.get().version == before


def test_an_unreadable_sheet_is_told_beside_the_plans_own_errors():
    from trafficking.imports.service import import_media_plan

    result = import_media_plan(
        source=csv_source([line(brand="Nobody")]), creatives=Source("c.csv", b"a,b\n1,2\n")
    )
    assert "import.unknown_brand" in {f.code for f in result.errors}
    assert "table.missing_column" in {f.code for f in result.errors}


@given(st.lists(st.sampled_from(["EXACT", "PHRASE", "BROAD"]).flatmap(
    lambda match: st.text("abc é", min_size=1, max_size=8).map(str.strip).filter(bool).map(lambda t: {"text": t, "match": match})
), max_size=5))  # fmt: skip
def test_keywords_read_back_as_they_are_written(keywords):
    text = " | ".join(keyword_text(each) for each in keywords)
    row = {**ad(), "keywords": text}
    sheet = read_creatives(csv_source([row]))
    assert not sheet.findings
    assert sheet.rows["L1"][0].ad_set_values.get("keywords", []) == keywords


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_templates_are_read_by_their_own_importers(file_format):
    from campaigns.plans import read_plan

    plan = read_plan(Source(f"p.{file_format}", plan_template(file_format)))
    assert not [f for f in plan.findings if f.blocking], [f.message for f in plan.findings]
    assert plan.lines[0].campaign == "Moana Launch"
    # the example stands on the demo's vocabulary: no account, vendor or rate that is nobody's
    assert not (plan.lines[0].ad_account or plan.lines[0].vendors or plan.lines[0].rate)
    sheet = read_creatives(Source(f"c.{file_format}", creative_template(file_format)))
    assert not sheet.findings and sheet.rows
    [filled] = read_tables(
        Source("c.csv", creative_template("csv", ["L1", "L2"])), {"creatives": COLUMNS}, wanted="creatives"
    )
    assert [row.text("line") for row in filled.rows] == ["L1", "L2"]


def test_every_column_is_explained():
    assert all(column.help for column in COLUMNS)
    assert len({column.name for column in COLUMNS}) == len(COLUMNS)
