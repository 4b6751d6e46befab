"""Media plans as tables (CSV, XLSX) in our documented column format: docs/import.md."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from campaigns.plans.lines import AudienceText, LineRead, Location, Plan, PlanLine
from campaigns.plans.open_plan import vendor_texts
from governance import cells, money
from governance.findings import Finding
from governance.tables import Column, Row, Source, Table, read_tables

COLUMNS = (
    Column("plan_id", "The plan's own id; importing it again updates. Empty everywhere: the file's name.", "spring-2027"),
    Column("plan_name", "What people call the plan.", "Spring 2027"),
    Column("line", "The line's own id, never used twice.", "L1", required=True),
    Column("line_name", "What people call the line; becomes the ad set's name. Empty: the line id.", "Parents 25-44"),
    Column("campaign", "The campaign's name; lines of one campaign, brand and market belong together.", "Moana Launch", required=True),
    Column("brand", "The brand's code or name, or an advertiser that has an alias.", "DIS", required=True),
    Column("market", "The market's code or name. Empty: --market, or the column location.", "US"),
    Column("location", "Where no market is given: a place that is a market, a country of one, or has an alias.", "United States"),
    Column("channel", "The channel's code, such as META or GGLSEARCH. Empty: by vehicle, partner and media_product.", "META"),
    Column("vehicle", "Who shows it, looked up in the vendor aliases.", "Google"),
    Column("partner", "Who sells it, likewise.", "Google Ads"),
    Column("media_product", "What is bought there, likewise ('Google / Search Ads').", "Search Ads"),
    Column("objective", "AWARENESS, REACH, TRAFFIC, ENGAGEMENT, VIDEO_VIEWS, LEADS, APP_PROMOTION, SALES, or an alias.", "TRAFFIC", required=True),
    Column("kpi", "What the line is measured by; refines the goal.", "Clicks"),
    Column("goal", "What the platform optimises for. Empty: the usual one for the objective.", "CLICKS"),
    Column("conversion_event", "For conversions: PURCHASE, LEAD, ADD_TO_CART, …", "PURCHASE"),
    Column("start_date", "First day, as 2027-03-01.", "2027-03-01", required=True),
    Column("end_date", "Last day, included.", "2027-03-31", required=True),
    Column("cost_media", "What may be spent on media over the flight, without fees: 12000.50.", "12000.50", required=True),
    Column("cost_total", "With fees; for your eyes only, never spent.", "13500.00"),
    Column("currency", "ISO 4217 code of the costs.", "USD", required=True),
    Column("exchange_rate", "The plan's own rate: one of the line's currency in exchange_rate_currency.", "1.08"),
    Column("exchange_rate_currency", "The currency that the rate leads to.", "USD"),
    Column("audience", "An audience of the vocabulary, by name or alias.", "Families with children"),
    Column("age_min", "From this age.", "25"),
    Column("age_max", "To this age; empty for 'and older'.", "44"),
    Column("gender", "ANY, FEMALE or MALE.", "ANY"),
    Column("ad_account", "The account's id or name; needed where several serve the brand in the market.", "1234567890"),
    Column("special_ad_categories", "'none', or HOUSING; EMPLOYMENT; FINANCIAL_PRODUCTS_SERVICES; ISSUES_ELECTIONS_POLITICS; ONLINE_GAMBLING_AND_GAMING.", "none"),
    Column("special_ad_category_countries", "ISO codes of the countries where a category applies.", "US"),
    Column("political", "Is it political advertising? yes or no.", "no"),
)  # fmt: skip

_HELP = {column.name: column.help for column in COLUMNS}
_LIMITS = {"line": 200, "line_name": 200, "campaign": 200, "brand": 200, "plan_id": 200, "plan_name": 200}


def read_table_plan(source: Source) -> Plan:
    """Raises `Refused` where the file can't be read; else all findings are in the answer."""
    [table] = read_tables(source, {"plan": COLUMNS}, wanted="plan")
    plan = Plan(key="", name="", format="TABLE", lines=[], findings=[])
    ids: dict[str, None] = {}
    names: dict[str, None] = {}
    seen: dict[str, int] = {}
    for row in table.rows:
        ids.setdefault(row.text("plan_id"))
        names.setdefault(row.text("plan_name"))
        reader = _LineReader(row)
        line = reader.line(len(plan.lines) + 1, seen, plan)
        plan.findings += reader.findings
        if isinstance(line, PlanLine):
            plan.lines.append(line)
        else:
            plan.broken.append(line)
    plan.findings = [*table.findings, *table.about_present(plan.findings, COLUMNS)]
    plan.findings += _identity(
        plan, source, table, [each for each in ids if each], [each for each in names if each]
    )
    return plan


def _identity(plan: Plan, source: Source, table: Table, ids: list[str], names: list[str]) -> list[Finding]:
    plan.key = ids[0] if ids else source.stem[:200]
    plan.name = names[0] if names else ""
    several = (("plan_id", ids), ("plan_name", names))
    return [
        Finding("plan.several_plans", column, params={"plans": found})
        for column, found in several
        if len(found) > 1
    ]


class _LineReader:
    """One row on its way to a line; collects everything that is wrong with it."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.place = row.place
        self.findings: list[Finding] = []

    def line(self, position: int, seen: dict[str, int], plan: Plan) -> LineRead:
        """A `PlanLine` where nothing of it is wrong."""
        key = self._key(seen, plan)
        campaign, brand, objective = (self.required(name) for name in ("campaign", "brand", "objective"))
        start, end = self._day("start_date"), self._day("end_date")
        cost, currency = self._cost(), self._currency("currency", required=True)
        rate, rate_currency = self._rate()
        line_name = self.text("line_name") or key
        goal, event = self._code("goal"), self._code("conversion_event")
        categories = self._categories()
        audience, political = self._audience(), self._political()
        row = self.row
        values: dict[str, Any] = {
            "place": self.place, "position": position, "key": key, "name": line_name, "campaign": campaign,
            "advertiser": brand, "channel": row.text("channel"),
            "vendors": vendor_texts(row.text("vehicle"), row.text("partner"), row.text("media_product")),
            "objective": objective, "start": start, "end": end, "cost": cost, "currency": currency,
            "market": row.text("market"), "kpi": row.text("kpi"), "goal": goal, "conversion_event": event, "rate": rate,
            "rate_currency": rate_currency, "locations": self._locations(), "audience": audience,
            "ad_account": row.text("ad_account"), "special_ad_categories": categories,
            "special_ad_category_countries": tuple(
                each.upper() for each in cells.split_codes(row.text("special_ad_category_countries"))
            ),
            "political": political, "source": {name: row.text(name) for name in row.cells},
        }  # fmt: skip
        return LineRead(**values) if self.findings else PlanLine(**values)

    def text(self, column: str) -> str:
        text = " ".join(self.row.text(column).split())
        self.findings += cells.too_long(text, _LIMITS.get(column, 2000), self.place, column)
        return text

    def required(self, column: str) -> str:
        text = self.text(column)
        if not text:
            self.findings.append(self.place.block("cell.required", column, what=column, help=_HELP[column]))
        return text

    def _key(self, seen: dict[str, int], plan: Plan) -> str:
        key = self.required("line")
        if key in seen:
            self.findings.append(
                self.place.block("plan.duplicate_line", "line", line=key, first=f"row {seen[key]}")
            )
        elif key:
            seen[key] = self.place.row
            plan.keys.add(key)
        return key

    def _day(self, column: str) -> date | None:
        if not self.required(column):
            return None
        return self._read(cells.read_date, column)

    def _cost(self) -> Decimal | None:
        if not self.row.text("cost_media"):
            total = self.row.text("cost_total")
            words = f" Its cost_total of {total} contains fees and is not taken for it." if total else ""
            self.findings.append(self.place.block("plan.no_media_cost", "cost_media", total=words))
            return None
        amount = self._read(cells.read_amount, "cost_media")
        return amount

    def _currency(self, column: str, *, required: bool = False) -> str:
        code = self.required(column) if required else self.text(column)
        if code:
            self.findings += [self.place.moved(finding, column) for finding in money.currency_findings(code)]
        return code

    def _rate(self) -> tuple[Decimal | None, str]:
        written, currency = self.row.text("exchange_rate"), self._currency("exchange_rate_currency")
        if bool(written) != bool(currency):
            self.findings.append(
                self.place.block("plan.rate_pair", "exchange_rate" if currency else "exchange_rate_currency")
            )
            return None, ""
        return (self._read(cells.read_rate, "exchange_rate"), currency) if written else (None, "")

    def _code(self, column: str) -> str:
        return self.text(column).upper().replace(" ", "_").replace("-", "_")

    def _categories(self) -> tuple[str, ...] | None:
        text = self.text("special_ad_categories")
        if not text:
            return None
        return () if text.casefold() == "none" else tuple(each.upper() for each in cells.split_codes(text))

    def _political(self) -> str:
        if not self.row.text("political"):
            return ""
        answer = self._read(cells.read_yes_no, "political")
        return {True: "CONTAINS", False: "DOES_NOT_CONTAIN"}.get(answer, "")

    def _audience(self) -> AudienceText | None:
        low = self._read(cells.read_integer, "age_min") if self.row.text("age_min") else None
        high = self._read(cells.read_integer, "age_max") if self.row.text("age_max") else None
        gender = "ANY"
        if self.row.text("gender"):
            gender, found = cells.read_choice(
                self.row.text("gender"), ("ANY", "FEMALE", "MALE"), self.place, "gender"
            )
            self.findings += found
        name = self.text("audience")
        if not name and low is None and high is None and gender == "ANY":
            return None
        return AudienceText(name, low, high, gender)

    def _locations(self) -> tuple[Location, ...]:
        text = self.row.text("location")
        return tuple(Location(each, "", self.place) for each in cells.split_list(text))

    def _read(self, read: Callable[[Any, Any, str], tuple[Any, list[Finding]]], column: str) -> Any:
        value, found = read(self.row[column], self.place, column)
        self.findings += found
        return value
