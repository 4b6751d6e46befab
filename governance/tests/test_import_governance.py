"""The vocabulary in: all errors at once, all or nothing, repeatable."""

from __future__ import annotations

import io
import json
from decimal import Decimal

import pytest
from django.core.management import call_command
from openpyxl import Workbook

from governance.imports import KINDS, SHEETS, check_governance, csv_columns, import_governance
from governance.models import (
    AdAccount,
    AdAccountServes,
    Alias,
    Audience,
    Brand,
    Channel,
    ExchangeRate,
    Grant,
    Market,
)
from governance.tables import Source, csv_text, workbook_bytes
from governance.tests.factories import BrandFactory, UserFactory

pytestmark = pytest.mark.django_db

DOCUMENT = {
    "rates": [{"currency": "EUR", "usd": "1.17", "valid_from": "2026-11-01", "source": "test"}],
    "aliases": [
        {"alias_kind": "ADVERTISER", "text": "Big Pictures Inc.", "target": "DIS"},
        {"alias_kind": "VENDOR", "text": "Billboards", "not_trafficked": True},
        {"alias_kind": "LOCATION", "text": "The States", "target": "US"},
        {"alias_kind": "OBJECTIVE", "text": "Fame", "target": "AWARENESS"},
        {"alias_kind": "AUDIENCE", "text": "Kids' parents", "target": "Families"},
    ],
    "audiences": [{"name": "Families", "brand": "DIS", "age_min": 25, "interests": {"meta": [{"id": "1", "name": "Family"}]}}],
    "accounts": [{
        "platform": "google", "external_id": "123-456-7890", "name": "DIS US", "currency": "USD",
        "time_zone": "America/New_York", "serves": ["DIS:US"], "daily_cap": "5000",
        "credentials": {"access_token": "very-secret-token"},
    }],
    "brands": [{"code": "DIS", "name": "DIS Pictures", "family_friendly": True, "legal_lines": ["See it. Now."]}],
    "markets": [{"code": "US", "name": "United States", "country": "US", "region": "NA", "currency": "USD",
                 "time_zone": "America/New_York", "languages": ["en", "es"]}],
    "channels": [{"code": "META", "name": "Meta!", "platform": "meta", "api_identifier": "AUCTION", "active": False}],
}  # fmt: skip


def run(document, **options):
    return import_governance(source=Source("g.json", json.dumps(document).encode()), **options)


def test_a_json_file_makes_the_whole_vocabulary_in_any_order():
    result = run(DOCUMENT)
    assert result.written, [(f.field, f.message) for f in result.findings]
    account = AdAccount.objects.get()
    assert (account.platform, account.external_id, account.daily_cap) == (
        "google_ads",
        "1234567890",
        Decimal(5000),
    )
    assert account.credentials == {"access_token": "very-secret-token"}
    assert AdAccountServes.objects.get().brand.code == "DIS"
    assert Alias.objects.get(text="Kids' parents").audience == Audience.objects.get()
    assert Alias.objects.get(text="Billboards").not_trafficked
    assert Market.objects.get().languages == ["en", "es"] and Brand.objects.get().family_friendly
    assert not Channel.objects.get(code="META").active
    assert ExchangeRate.objects.get(currency="EUR", valid_from="2026-11-01").usd == Decimal("1.17")
    assert Brand.history.count() == 1


def test_the_same_file_again_changes_nothing():
    run(DOCUMENT)
    models = [spec[0] for spec in KINDS.values()]
    before = {(m.__name__, r.pk): r.version for m in models for r in m.objects.all()}
    again = run(DOCUMENT)
    assert again.written and not again.created and not again.updated
    assert before == {(m.__name__, r.pk): r.version for m in models for r in m.objects.all()}


def test_a_change_updates_only_what_the_file_states():
    run(DOCUMENT)
    result = run({"brands": [{"code": "DIS", "name": "DIS Pictures", "dsa_payor": "DIS B.V."}]})
    assert result.updated == {"brands": 1}
    brand = Brand.objects.get()
    assert brand.family_friendly and brand.dsa_payor == "DIS B.V." and brand.version == 2


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"brands": [{"code": "dis!", "name": "X"}]}, "governance.refused", "brands[0].code"),
        ({"brands": [{"name": "X"}]}, "cell.required", "brands[0].code"),
        ({"brands": [{"code": "AB", "name": "X", "colour": "red"}]}, "governance.unknown_field", "brands[0].colour"),
        ({"brands": "DIS"}, "governance.not_a_list", "brands"),
        ({"brandz": []}, "governance.unknown_kind", "brandz"),
        ({"markets": [{**DOCUMENT["markets"][0], "country": "XX"}]}, "governance.refused", "markets[0].country"),
        ({"markets": [{**DOCUMENT["markets"][0], "currency": "ABC"}]}, "governance.refused", "markets[0].currency"),
        ({"markets": [{**DOCUMENT["markets"][0], "time_zone": "Mars/One"}]}, "governance.refused", "markets[0].time_zone"),
        ({"markets": [{**DOCUMENT["markets"][0], "region": "MOON"}]}, "cell.choice", "markets[0].region"),
        ({"markets": DOCUMENT["markets"] * 2}, "governance.duplicate", "markets[1]"),
        ({"aliases": [{"alias_kind": "VENDOR", "text": "A", "target": "NOPE"}]}, "governance.unknown_reference", "aliases[0].target"),
        ({"aliases": [{"alias_kind": "VENDOR", "text": "A"}]}, "governance.refused", "aliases[0].channel"),
        ({"accounts": [{**DOCUMENT["accounts"][0], "serves": ["NOPE:US"]}]}, "governance.unknown_reference", "accounts[0].serves"),
        ({"accounts": [{**DOCUMENT["accounts"][0], "serves": ["DIS"]}]}, "governance.pair", "accounts[0].serves"),
        ({"accounts": [{**DOCUMENT["accounts"][0], "daily_cap": "5,000"}]}, "money.separators", "accounts[0].daily_cap"),
        ({"accounts": [{**DOCUMENT["accounts"][0], "platform": "myspace"}]}, "cell.choice", "accounts[0].platform"),
        ({"accounts": [{**DOCUMENT["accounts"][0], "credentials": "token"}]}, "cell.type", "accounts[0].credentials"),
        ({"rates": [{"currency": "EUR", "usd": "0", "valid_from": "2026-01-01"}]}, "money.not_positive", "rates[0].usd"),
        ({"rates": [{"currency": "EUR", "usd": "1.1", "valid_from": "01/02/2026"}]}, "cell.date_two_ways", "rates[0].valid_from"),
        ({"audiences": [{"name": "X", "age_min": 40, "age_max": 20}]}, "governance.refused", "audiences[0].age_max"),
        ({}, "governance.empty", ""),
    ],
)  # fmt: skip
def test_bad_input_is_refused_by_path_and_nothing_is_written(change, code, field):
    result = run(
        {
            **({"brands": [{"code": "GOOD", "name": "Good"}]} if change and "brands" not in change else {}),
            **change,
        }
    )
    assert (code, field) in {(f.code, f.field) for f in result.findings}, [
        (f.code, f.field, f.message) for f in result.findings
    ]
    assert not result.written and not Brand.objects.exists() and not Market.objects.exists()
    assert "very-secret-token" not in json.dumps(result.as_dict())


def test_a_csv_has_one_row_per_thing_with_its_kind():
    rows = [
        {"kind": "market", "code": "US", "name": "United States", "country": "US", "region": "NA", "currency": "USD",
         "time_zone": "America/New_York", "languages": "en | es"},
        {"kind": "brands", "code": "DIS", "name": "DIS Pictures", "family_friendly": "yes", "legal_lines": "One. | Two, too."},
        {"kind": "accounts", "platform": "Google Ads", "external_id": "1234567890", "name": "A", "currency": "USD",
         "time_zone": "UTC", "serves": "DIS:US", "daily_cap": "100.50"},
        {"kind": "alias", "alias_kind": "VENDOR", "text": "Search please", "target": "GGLSEARCH"},
    ]  # fmt: skip
    result = import_governance(source=Source("g.csv", csv_text(csv_columns(), rows).encode()))
    assert result.written, [(f.field, f.message) for f in result.findings]
    assert Brand.objects.get().legal_lines == ["One.", "Two, too."]
    assert AdAccount.objects.get().serves.count() == 1


def test_a_csv_tells_rows_and_columns():
    text = "kind,code,name,credentials\nbrands,AB,\nplanets,X,Y\nbrands,A B,Z\n"
    result = import_governance(source=Source("g.csv", text.encode()))
    assert "table.unknown_column" in {f.code for f in result.findings}
    text = "kind,code,name,usd\nbrands,AB,\nplanets,X,Y\nbrands,A B,Z\nbrands,CD,D,5\n"
    result = import_governance(source=Source("g.csv", text.encode()))
    assert {(f.code, f.params.get("row"), f.params.get("column")) for f in result.findings} >= {
        ("cell.required", 2, "name"), ("governance.unknown_kind", 3, "kind"), ("governance.refused", 4, "code"),
        ("governance.unknown_field", 5, "usd"),
    }  # fmt: skip
    assert not Brand.objects.exists()


def test_a_workbook_has_a_sheet_per_kind():
    data = workbook_bytes({
        "brands": (SHEETS["brands"], [{"code": "DIS", "name": "DIS Pictures"}]),
        "rates": (SHEETS["rates"], [{"currency": "CHF", "usd": "1.15", "valid_from": "2026-11-02"}]),
    })  # fmt: skip
    assert import_governance(source=Source("g.xlsx", data)).created == {"brands": 1, "rates": 1}
    book = Workbook()
    book.active.title = "planets"
    book.active.append(["code"])
    out = io.BytesIO()
    book.save(out)
    result = import_governance(source=Source("g.xlsx", out.getvalue()))
    assert result.refused and "planets" in result.findings[0].message


def test_a_dry_run_writes_nothing():
    result = check_governance(source=Source("g.json", json.dumps(DOCUMENT).encode()))
    assert result.created["brands"] == 1 and not result.written and not Brand.objects.exists()


def test_the_change_log_says_who_and_from_which_file():
    person = UserFactory(roles=["Data admin"], everywhere=True)
    run({"brands": DOCUMENT["brands"]}, user=person)
    entry = Brand.history.get()
    assert entry.history_user == person and "g.json" in entry.history_change_reason


def test_a_person_imports_only_what_their_role_and_their_grants_allow():
    BrandFactory(code="OWN", name="Own"), BrandFactory(code="OTHER", name="Other")
    planner = UserFactory(roles=["Planner"], everywhere=True)
    row = {"code": "OWN", "name": "Renamed"}
    refused = run({"brands": [row]}, user=planner)
    assert [each.code for each in refused.findings] == ["governance.no_right"]
    admin = UserFactory(roles=["Data admin"])
    Grant.objects.create(user=admin, brand=Brand.objects.get(code="OWN"))
    assert run({"brands": [row]}, user=admin).updated == {"brands": 1}
    refused = run({"brands": [{"code": "OTHER", "name": "Taken over"}]}, user=admin)
    assert [each.code for each in refused.findings] == ["governance.outside_reach"]
    assert Brand.objects.get(code="OTHER").name == "Other"


def test_a_table_of_one_kind_needs_no_column_for_it():
    text = "code;name;omnitraffick_errors\nAB;Able;told before\nCD;;\n"
    source = Source("brands.csv", text.encode())
    result = import_governance(source=source, kind="brands")
    assert [(f.code, f.params["row"]) for f in result.findings] == [("cell.required", 3)]
    source = Source("brands.csv", text.replace("CD;;", "CD;Candle;").encode())
    assert import_governance(source=source, kind="brands").created == {"brands": 2}


def test_the_command_speaks_json_and_exits_with_one_on_errors(tmp_path, capsys):
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(DOCUMENT))
    bad.write_text('{"brands": [{"code": "x", "name": "X"}]}')
    call_command("import_governance", str(good), "--json")
    said = capsys.readouterr().out
    assert json.loads(said)["ok"] and "very-secret-token" not in said
    with pytest.raises(SystemExit) as stopped:
        call_command("import_governance", str(bad), "--json")
    assert stopped.value.code == 1
    assert json.loads(capsys.readouterr().out)["errors"][0]["field"] == "brands[0].code"
    with pytest.raises(SystemExit):
        call_command("import_governance", str(bad))
    assert "brands[0].code" in capsys.readouterr().out


ACCOUNT = DOCUMENT["accounts"][0]


@pytest.mark.parametrize(
    "serves", ["DIS:US", ["DIS:US"], [{"brand": "DIS", "market": "US"}], {"brand": "DIS", "market": "US"}]
)
def test_served_pairs_are_read_in_every_form(serves):
    result = run({**DOCUMENT, "accounts": [{**ACCOUNT, "serves": serves}]})
    assert result.written, [(f.field, f.message) for f in result.findings]
    assert [str(each) for each in AdAccount.objects.get().serves.all()] == ["DIS × US"]


@pytest.mark.parametrize(
    "pair", [{"brand": "DIS"}, {"brand": 5, "market": "US"}, 5, None, "DIS:", "DIS:US:X"]
)
def test_what_is_no_pair_is_told_as_it_was_written(pair):
    result = run({**DOCUMENT, "accounts": [{**ACCOUNT, "serves": [pair]}]})
    assert [(f.code, f.field) for f in result.findings] == [("governance.pair", "accounts[0].serves")]
    written = pair if isinstance(pair, str) else json.dumps(pair)
    assert f"'{written}'" in result.findings[0].message


def test_all_that_is_wrong_with_one_row_is_told_at_once():
    row = {
        **ACCOUNT,
        "daily_cap": "1,000",
        "currency": "usd",
        "serves": ["NOPE:ZZ"],
        "time_zone": "Mars",
        "name": "",
    }
    result = run({"accounts": [row], "audiences": [{"name": "A", "brand": "NOPE", "age_min": "x"}]})
    assert {f.field for f in result.findings} == {
        "accounts[0].daily_cap", "accounts[0].currency", "accounts[0].serves", "accounts[0].time_zone", "accounts[0].name",
        "audiences[0].brand", "audiences[0].age_min",
    }  # fmt: skip
    assert len([f for f in result.findings if f.field == "accounts[0].serves"]) == 2


def test_an_audience_by_platform_takes_google_and_refuses_what_is_no_platform():
    good = {
        "audiences": [
            {"name": "A", "interests": {"google": [{"id": "1"}]}, "audiences_include": {"Meta": ["2"]}}
        ]
    }
    assert run(good).created == {"audiences": 1}
    row = Audience.objects.get()
    assert (row.interests, row.audiences_include) == ({"google_ads": [{"id": "1"}]}, {"meta": ["2"]})
    assert run(good).unchanged == {"audiences": 1}
    for wrong in ({"foo": []}, {"meta": "x"}):
        result = run({"audiences": [{"name": "B", "interests": wrong}]})
        assert [f.field for f in result.findings] == ["audiences[0].interests"]


def test_a_list_instead_of_kinds_is_explained():
    [finding] = run([{"code": "X"}]).findings
    assert finding.code == "governance.not_an_object" and '{"brands": [' in finding.remedy


def test_everyones_audiences_are_seen_by_people_with_any_grant():
    mine, other = BrandFactory(code="AAA"), BrandFactory(code="BBB")
    for name, brand in (("Everyone's", None), ("Mine", mine), ("Other's", other)):
        Audience(name=name, brand=brand).save()
    limited, nobody = UserFactory(), UserFactory()
    Grant.objects.create(user=limited, brand=mine)
    assert {row.name for row in Audience.objects.visible_to(limited)} == {"Everyone's", "Mine"}
    assert not Audience.objects.visible_to(nobody).exists()
