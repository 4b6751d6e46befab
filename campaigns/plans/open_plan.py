"""Open Media Plan JSON, schema versions 2.0 and 3.0, as neutral lines.

Source: the Open Media Plan schemas (mediaplan, campaign, lineitem). What is read here is checked strictly;
everything else in the document is the plan's own business and is kept as imported.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from campaigns.plans.lines import AudienceText, LineRead, Location, Plan, PlanLine
from governance import cells, money
from governance.findings import Finding, blocking
from governance.tables import Place, Refused, Source, read_json

VERSIONS = ("2.0", "3.0")


@dataclass
class _Node:
    """An object of the document, and what was wrong in it."""

    value: Mapping[str, Any]
    place: Place
    findings: list[Finding] = field(default_factory=list)

    def text(self, key: str, *, required: bool = False, limit: int = 200) -> str:
        value = self.value.get(key)
        if value is None or value == "":
            if required:
                self.findings.append(self.place.block("plan.missing", key, what=key))
            return ""
        if not isinstance(value, str):
            self._wrong(key, value, "a text")
            return ""
        text = " ".join(value.split())
        self.findings += cells.too_long(text, limit, self.place, key)
        return text

    def day(self, key: str) -> date | None:
        text = self.text(key, required=True)
        if not text:
            return None
        day, found = cells.read_date(text, self.place, key)
        self.findings += found
        return day

    def amount(self, key: str) -> Decimal | None:
        value = self.value.get(key)
        if not self._is_number(key, value):
            return None
        amount, found = cells.read_amount(value, self.place, key)
        self.findings += found
        return amount

    def rate(self, key: str) -> Decimal | None:
        value = self.value.get(key)
        if not self._is_number(key, value):
            return None
        rate, found = cells.read_rate(value, self.place, key)
        self.findings += found
        return rate

    def integer(self, key: str) -> int | None:
        value = self.value.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            self._wrong(key, value, "a whole number")
            return None
        return value

    def texts(self, key: str) -> list[str]:
        value = self.value.get(key)
        if value is None:
            return []
        if not isinstance(value, list) or any(not isinstance(each, str) for each in value):
            self._wrong(key, value, "a list of texts")
            return []
        return [" ".join(each.split()) for each in value if each.strip()]

    def nodes(self, key: str) -> list[_Node]:
        value = self.value.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self._wrong(key, value, "a list")
            return []
        made = []
        for at, each in enumerate(value):
            place = Place(row=at + 1, path=self.place.field(f"{key}[{at}]"))
            if isinstance(each, dict):
                made.append(_Node(each, place, self.findings))
            else:
                self.findings.append(
                    place.block("plan.type", what=f"{key}[{at}]", found=_kind(each), wanted="an object")
                )
        return made

    def _is_number(self, key: str, value: Any) -> bool:
        if value is None:
            return False
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            self._wrong(key, value, "a number")
            return False
        return True

    def _wrong(self, key: str, value: Any, wanted: str) -> None:
        self.findings.append(self.place.block("plan.type", key, what=key, found=_kind(value), wanted=wanted))


def _kind(value: Any) -> str:
    names = {
        dict: "an object",
        list: "a list",
        str: "a text",
        bool: "true or false",
        int: "a number",
        Decimal: "a number",
    }
    return names.get(type(value), "nothing")


def read_open_plan(source: Source) -> Plan:
    """Raises Refused where the document is no plan at all; else all findings are in the answer."""
    document = read_json(source)
    for part, kind in (("meta", dict), ("campaign", dict), ("lineitems", list)):
        if not isinstance(document, dict) or not isinstance(document.get(part), kind):
            raise Refused(Finding("plan.not_a_plan", part, params={"missing": part}))
    findings: list[Finding] = []
    root = _Node(document, Place(), findings)
    meta = _Node(document["meta"], Place(path="meta"), findings)
    campaign = _Node(document["campaign"], Place(path="campaign"), findings)
    version = meta.text("schema_version", required=True)
    if version and version.removeprefix("v") not in VERSIONS:
        raise Refused(
            meta.place.block("plan.version", "schema_version", version=version, known=list(VERSIONS))
        )
    plan = Plan(
        key=meta.text("id", required=True), name=meta.text("name"), format="OMP", lines=[], findings=findings,
        schema_version=version.removeprefix("v"), currency=_currency(campaign, "budget_currency"),
    )  # fmt: skip
    shared = _Shared.read(campaign)
    items = [
        _Node(each, Place(row=at + 1, path=f"lineitems[{at}]"), []) if isinstance(each, dict) else None
        for at, each in enumerate(document["lineitems"])
    ]
    if not items:
        findings.append(root.place.block("plan.no_lines", "lineitems"))
    seen: dict[str, int] = {}
    for at, item in enumerate(items):
        if item is None:
            place = Place(path=f"lineitems[{at}]")
            findings.append(
                place.block(
                    "plan.type", what="lineitem", found=_kind(document["lineitems"][at]), wanted="an object"
                )
            )
            continue
        line = _line(item, at + 1, plan, shared, seen)
        findings += item.findings
        if isinstance(line, PlanLine):
            plan.lines.append(line)
        elif line is not None:
            plan.broken.append(line)
    return plan


@dataclass(frozen=True)
class _Shared:
    """What the campaign says for all its lines."""

    name: str
    advertiser: str
    objective: str
    audiences: dict[str, AudienceText]
    only_audience: AudienceText | None
    locations: tuple[Location, ...]

    @classmethod
    def read(cls, campaign: _Node) -> _Shared:
        audiences = [_audience(node) for node in campaign.nodes("target_audiences")] or _old_audience(
            campaign
        )
        by_name = {each.name.casefold(): each for each in audiences}
        return cls(
            name=campaign.text("name", required=True),
            advertiser=campaign.text("advertiser_name") or campaign.text("advertiser_id"),
            objective=campaign.text("objective") or campaign.text("campaign_type_name"),
            audiences=by_name,
            only_audience=audiences[0] if len(audiences) == 1 else None,
            locations=(*_locations(campaign), *_old_locations(campaign)),
        )


def _audience(node: _Node) -> AudienceText:
    wishes = [
        node.text(f"{kind}_attributes", limit=2000)
        for kind in ("demo", "interest", "intent", "purchase", "content")
    ]
    return AudienceText(
        name=node.text("name", required=True),
        age_min=node.integer("demo_age_start"),
        age_max=node.integer("demo_age_end"),
        gender=_gender(node, "demo_gender"),
        interests="; ".join(wish for wish in wishes if wish),
    )


def _old_audience(campaign: _Node) -> list[AudienceText]:
    """Version 2.0: one audience, spread over fields of the campaign."""
    keys = (
        "audience_name",
        "audience_age_start",
        "audience_age_end",
        "audience_gender",
        "audience_interests",
    )
    if not any(campaign.value.get(key) for key in keys):
        return []
    return [
        AudienceText(
            name=campaign.text("audience_name"),
            age_min=campaign.integer("audience_age_start"),
            age_max=campaign.integer("audience_age_end"),
            gender=_gender(campaign, "audience_gender"),
            interests="; ".join(campaign.texts("audience_interests")),
        )
    ]


def _gender(node: _Node, key: str) -> str:
    text = node.text(key)
    if not text:
        return "ANY"
    code, found = cells.read_choice(text, ("ANY", "FEMALE", "MALE"), node.place, key)
    node.findings += found
    return code or "ANY"


def _locations(campaign: _Node) -> tuple[Location, ...]:
    made = []
    for node in campaign.nodes("target_locations"):
        kind = node.text("location_type")
        for at, text in enumerate(node.texts("location_list")):
            made.append(Location(text, kind, Place(path=node.place.field(f"location_list[{at}]"))))
    return tuple(made)


def _old_locations(campaign: _Node) -> tuple[Location, ...]:
    kind = campaign.text("location_type")
    texts = campaign.texts("locations")
    return tuple(
        Location(text, kind, Place(path=f"campaign.locations[{at}]")) for at, text in enumerate(texts)
    )


def _currency(node: _Node, key: str) -> str:
    code = node.text(key)
    if code:
        node.findings += [node.place.moved(finding, key) for finding in money.currency_findings(code)]
    return code


def _line(item: _Node, position: int, plan: Plan, shared: _Shared, seen: dict[str, int]) -> LineRead | None:
    """A `PlanLine` where nothing of it is wrong; None for an aggregate, which is not bought itself."""
    key = item.text("id", required=True)
    if key and key in seen:
        item.findings.append(
            item.place.block("plan.duplicate_line", "id", line=key, first=f"lineitems[{seen[key] - 1}]")
        )
    elif key:
        seen[key] = position
        plan.keys.add(key)
    if item.value.get("is_aggregate") is True:
        level = item.text("aggregation_level")
        item.findings.append(item.place.warn("plan.aggregate", "is_aggregate", level=level or "–"))
        return None
    if not shared.advertiser:
        item.findings.append(
            Place(path="campaign").block("plan.missing", "advertiser_name", what="advertiser_name")
        )
    name = item.text("name", required=True)
    start, end = item.day("start_date"), item.day("end_date")
    cost, currency = _cost(item), _line_currency(item, plan)
    rate = item.rate("cost_currency_exchange_rate")
    values: dict[str, Any] = {
        "place": item.place, "position": position, "key": key, "name": name, "campaign": shared.name,
        "advertiser": shared.advertiser, "channel": "", "vendors": _vendors(item), "objective": shared.objective,
        "start": start, "end": end, "cost": cost, "currency": currency, "rate": rate,
        "kpi": item.text("kpi") or item.text("kpi_custom"), "rate_currency": plan.currency if rate is not None else "",
        "locations": _line_locations(item) or shared.locations, "audience": _line_audience(item, shared),
        "source": _plain(item.value),
    }  # fmt: skip
    return LineRead(**values) if blocking(item.findings) else PlanLine(**values)


def _cost(item: _Node) -> Decimal | None:
    if item.value.get("cost_media") is not None:
        return item.amount("cost_media")
    total = item.value.get("cost_total")
    words = f" Its cost_total of {total} contains fees and is not taken for it." if total is not None else ""
    item.findings.append(item.place.block("plan.no_media_cost", "cost_media", total=words))
    return None


def _line_currency(item: _Node, plan: Plan) -> str:
    return _currency(item, "cost_currency") or plan.currency


def _vendors(item: _Node) -> tuple[str, ...]:
    """The texts to look up, most telling first."""
    vehicle = item.text("vehicle") or item.text("vehicle_custom")
    partner = item.text("partner") or item.text("partner_custom")
    product = item.text("media_product") or item.text("media_product_custom")
    return vendor_texts(vehicle, partner, product)


def vendor_texts(vehicle: str, partner: str, product: str) -> tuple[str, ...]:
    both = [f"{seller} / {product}" for seller in (vehicle, partner) if seller and product]
    return tuple(dict.fromkeys([*both, *(text for text in (vehicle, product, partner) if text)]))


def _line_locations(item: _Node) -> tuple[Location, ...]:
    name = item.text("location_name")
    return (
        (Location(name, item.text("location_type"), Place(path=item.place.field("location_name"))),)
        if name
        else ()
    )


def _line_audience(item: _Node, shared: _Shared) -> AudienceText | None:
    """The line's audience by name; where the name is free text, the plan's only audience says whom it means."""
    text = item.text("target_audience", limit=2000)
    if not text:
        return shared.only_audience
    if text.casefold() in shared.audiences:
        return shared.audiences[text.casefold()]
    plan_wide = shared.only_audience
    if plan_wide is None:
        return AudienceText(name=text, interests=text)
    words = "; ".join(filter(None, [text, plan_wide.interests]))
    return AudienceText(text, plan_wide.age_min, plan_wide.age_max, plan_wide.gender, words)


def _plain(value: Any) -> Any:
    """The line as imported, storable as JSON: decimals as text, so that none of their digits is lost."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return re.sub(r"\.0+\Z", "", format(value, "f")) if isinstance(value, Decimal) else value
