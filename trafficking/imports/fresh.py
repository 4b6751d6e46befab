"""New campaigns with their tickets, ad sets and ads, in batches: the fast way in, as strict as `full_clean`.

What `save()` would check row by row is checked here by the same pure rules and the same field validators, with
the vocabulary and the taken names read once; then `write_many` inserts with history.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models

from campaigns import rules as campaign_rules
from campaigns.models import Campaign, CampaignChannel, MediaPlan, MediaPlanLine
from campaigns.rules import built_name
from governance import money, naming
from governance.findings import Finding
from governance.governed import write_many
from governance.models import AdAccount, Brand, Channel, Market
from governance.tables import Place
from trafficking import rules
from trafficking.imports.creatives import CreativeRow, CreativeSheet
from trafficking.imports.mapping import MappedLine, Vocabulary, rate_between
from trafficking.imports.results import money_text
from trafficking.models import Ad, AdSet, Ticket
from trafficking.platforms.base import Platform
from trafficking.platforms.registry import platform

CHUNK = 1000
#: field of ours -> column of a table plan; an open plan's key where it differs
_COLUMNS = {
    "name": "line_name",
    "start_on": "start_date",
    "end_on": "end_date",
    "budget": "cost_media",
    "cost_media": "cost_media",
}
_KEYS = {
    "name": "name",
    "start_on": "start_date",
    "end_on": "end_date",
    "budget": "cost_media",
    "cost_media": "cost_media",
}


def column_of(place: Place, name: str) -> str:
    return (_KEYS if place.path else _COLUMNS).get(name, name)


def field_findings(row: models.Model, exclude: set[str], place: Place) -> list[Finding]:
    """What the fields' own validators say, without the model's overrides that ask the database."""
    try:
        models.Model.clean_fields(row, exclude=exclude)
    except ValidationError as error:
        return validation_findings(error, place)
    return []


def validation_findings(error: ValidationError, place: Place) -> list[Finding]:
    """Django's errors as findings at a place of the file."""
    by_field = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}
    return [
        place.block(
            "import.refused",
            "" if name == NON_FIELD_ERRORS else column_of(place, name),
            problem=" ".join(each.messages),
        )
        for name, errors in by_field.items()
        for each in errors
    ]


@dataclass
class Group:
    """Lines that become one campaign."""

    name: str
    brand: Brand
    market: Market
    lines: list[MappedLine] = field(default_factory=list)

    @property
    def place(self) -> Place:
        first = self.lines[0].line.place
        return Place(path="campaign") if first.path else first

    def by_channel(self) -> dict[int, list[MappedLine]]:
        found: dict[int, list[MappedLine]] = {}
        for line in self.lines:
            found.setdefault(line.channel.pk, []).append(line)
        return found

    @property
    def label(self) -> str:
        return f"{self.name} ({self.brand.code}, {self.market.code})"


def group_findings(group: Group) -> list[Finding]:
    """What the lines of one campaign, and of one ticket, must agree on."""
    found = _differing(
        group.lines,
        "import.objectives_differ",
        "objective",
        lambda line: line.objective,
        campaign=group.label,
    )
    for lines in group.by_channel().values():
        words = {"campaign": group.label, "channel": lines[0].channel.code}
        found += _differing(
            lines, "import.accounts_differ", "ad_account", lambda line: line.account.name, **words
        )
        for name in ("special_ad_categories", "special_ad_category_countries", "political"):
            found += _stated_differently(lines, name, words)
    return found


_PLURAL = {"import.objectives_differ": "objectives", "import.accounts_differ": "accounts"}


def _differing(
    lines: Sequence[MappedLine], code: str, column: str, value: Any, **words: str
) -> list[Finding]:
    first = value(lines[0])
    for line in lines:
        if value(line) != first:
            values = sorted({value(each) for each in lines})
            return [line.line.place.block(code, column, **words, **{_PLURAL[code]: values})]
    return []


def _stated_differently(lines: Sequence[MappedLine], name: str, words: Mapping[str, str]) -> list[Finding]:
    stated = [line for line in lines if line.content[name] not in (None, "", [])]
    if name == "special_ad_categories":
        stated = [line for line in lines if line.content[name] is not None]
    for line in stated:
        if line.content[name] != stated[0].content[name]:
            return [line.line.place.block("import.statements_differ", name, what=name, **words)]
    return []


def stated(lines: Iterable[MappedLine], name: str) -> Any:
    """The first value that some line states; None where none does."""
    return next((line.content[name] for line in lines if line.content[name] not in (None, "")), None)


def total_budget(
    contents: Iterable[Mapping[str, Any]],
    currency: str,
    vocabulary: Vocabulary,
    amounts: Iterable[tuple[Decimal, str]],
) -> Decimal | None:
    """The lines' costs added up in `currency`; None where a rate is missing.

    `amounts` are what each line may spend in its account's currency: where that is `currency`, the campaign's
    budget is exactly the sum of its tickets'.
    """
    total = Decimal(0)
    for content, (amount, account_currency) in zip(contents, amounts, strict=True):
        if account_currency == currency:
            total += amount
            continue
        rate = Decimal(content["rate"]) if content["rate"] else None
        found = rate_between(
            vocabulary.rates(), content["currency"], currency, rate=rate, rate_currency=content["rate_to"]
        )
        if found is None:
            return None
        total += money.round_to_currency(Decimal(content["cost"]) * found[0], currency)
    return total


def campaign_currency(lines: Sequence[MappedLine], plan_currency: str, market: Market) -> str:
    """The lines' own where they share one, else the plan's, else the market's."""
    own = {line.line.currency for line in lines}
    return own.pop() if len(own) == 1 else plan_currency or market.currency


def ad_set_values(content: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an ad set that a plan's line decides, but for its budget."""
    names = (
        "name", "goal", "conversion_event", "languages", "age_min", "age_max", "genders", "interests",
        "audiences_include", "audiences_exclude",
    )  # fmt: skip
    return {
        **{name: content[name] for name in names},
        "start_on": date.fromisoformat(content["start_on"]),
        "end_on": date.fromisoformat(content["end_on"]),
        "geo": {"countries": [content["country"]]},
    }


def conversion_entry(
    cost: Decimal, currency: str, rate: Decimal, source: str, amount: Decimal, target: str
) -> dict[str, str]:
    """One entry of `Ticket.budget_source`, as finding qa.converted shows it to the approver."""
    return {
        "original": money.shown(cost, currency, "en"), "rate": money.plain(rate), "source": source,
        "amount": money.shown(amount, target, "en"),
    }  # fmt: skip


def line_row(plan: MediaPlan, mapped: MappedLine, campaign: Campaign, intent: Any) -> MediaPlanLine:
    line = mapped.line
    return MediaPlanLine(
        plan=plan, line_key=line.key, position=line.position, campaign=campaign, channel=mapped.channel,
        ad_set_intent=intent, cost_media=line.cost, cost_currency=line.currency, rate=mapped.conversion.rate,
        rate_source=mapped.conversion.source, source={"line": dict(line.source), "content": mapped.content, "creatives": {}},
        content_hash=mapped.content_hash,
    )  # fmt: skip


# -------------------------------------------------------------------------------------- the builder


@dataclass
class _Ticket:
    """A ticket to be made, with the parts of its names."""

    row: Ticket
    lines: list[MappedLine]
    account: AdAccount
    parts: dict[str, str]


class FreshCampaigns:
    """Builds, checks and writes groups that have no campaign yet."""

    def __init__(
        self, vocabulary: Vocabulary, sheet: CreativeSheet, plan: MediaPlan, plan_currency: str, owner: Any
    ) -> None:
        self.vocabulary = vocabulary
        self.sheet = sheet
        self.plan = plan
        self.plan_currency = plan_currency
        self.owner = owner
        self.findings: list[Finding] = []
        self.ads_created = 0
        assert vocabulary.convention is not None  # the service has refused the import without one
        self.convention = vocabulary.convention
        self.rule = vocabulary.convention.as_rules()
        self._tickets: list[_Ticket] = []

    def build(self, groups: Sequence[Group]) -> None:
        """Campaigns, names and tickets, checked but not written."""
        names: list[tuple[CampaignChannel, Group]] = []
        for group in groups:
            campaign = self._campaign(group)
            for lines in group.by_channel().values():
                names.append((self._name(campaign, lines[0].channel, group), group))
                self._tickets.append(self._ticket(campaign, lines, group))
        self._refuse_taken(names)
        self._names = [name for name, _group in names if name.governed_name]

    def write(self, *, check_only: bool) -> Iterator[tuple[Ticket, MappedLine]]:
        """Insert all, or with `check_only` (something was wrong already) just look at the rest."""
        if not check_only:
            campaigns = {id(each.row.campaign): each.row.campaign for each in self._tickets}
            write_many(list(campaigns.values()))
            _rebind(self._names, "campaign")
            write_many(self._names)
            tickets = [each.row for each in self._tickets]
            _rebind(tickets, "campaign")
            write_many(tickets)
        rows = ((ticket, line) for ticket in self._tickets for line in self._lines_of(ticket))
        while chunk := list(islice(rows, CHUNK)):
            yield from self._write_chunk(chunk, check_only=check_only or bool(self.findings))

    # ---------------------------------------------------------------------------- campaign and ticket

    def _campaign(self, group: Group) -> Campaign:
        lines = group.lines
        currency = campaign_currency(lines, self.plan_currency, group.market)
        amounts = [(line.conversion.amount, line.account.currency) for line in lines]
        total = total_budget([line.content for line in lines], currency, self.vocabulary, amounts)
        if total is None:
            params = {
                "source": lines[0].line.currency,
                "target": currency,
                "on": self.vocabulary.rates().on.isoformat(),
            }
            self.findings.append(group.place.block("money.no_rate", "currency", **params))
        elif money.too_long(total):
            self.findings.append(
                group.place.block(
                    "import.total_too_long", "", campaign=group.label, total=money_text(total, currency)
                )
            )
        row = Campaign(
            name=group.name, brand=group.brand, market=group.market, objective=lines[0].objective, budget=total or Decimal(1),
            currency=currency, start_on=min(line.line.start for line in lines), end_on=max(line.line.end for line in lines),
            owner=self.owner,
        )  # fmt: skip
        column = "name" if group.place.path else "campaign"
        found = [
            *campaign_rules.name_findings(row.name, self.rule),
            *campaign_rules.budget_findings(
                row.budget if total and not money.too_long(total) else None, currency
            ),
        ]
        self.findings += [
            group.place.moved(each, column if each.field == "name" else "cost_media") for each in found
        ]
        if not self.findings:
            self.findings += field_findings(row, {"brand", "market", "owner"}, group.place)
        return row

    def _name(self, campaign: Campaign, channel: Channel, group: Group) -> CampaignChannel:
        values, found = campaign.name_values(channel, self.rule)
        built = built_name(self.rule, "campaign", values, found)
        column = "name" if group.place.path else "campaign"
        self.findings += [group.place.moved(each, column) for each in built.findings if not found]
        return CampaignChannel(
            campaign=campaign, channel=channel, governed_name=built.name, name_key=naming.name_key(built.name),
            parts=built.parts, convention=self.convention,
        )  # fmt: skip

    def _refuse_taken(self, names: list[tuple[CampaignChannel, Group]]) -> None:
        mine: dict[str, Group] = {}
        for name, group in names:
            column = "name" if group.place.path else "campaign"
            if not name.governed_name:
                continue
            twin = mine.setdefault(name.name_key, group)
            if twin is not group:
                params = {"name": name.governed_name, "one": twin.label, "other": group.label}
                self.findings.append(group.place.block("import.name_twice", column, **params))
        for name_key, governed, other in _taken(list(mine)):
            group = mine[name_key]
            params = {"name": governed, "other": other, "suggestion": f"{group.name} 2"}
            self.findings.append(
                group.place.block("naming.taken", "name" if group.place.path else "campaign", **params)
            )

    def _ticket(self, campaign: Campaign, lines: list[MappedLine], group: Group) -> _Ticket:
        first = lines[0]
        values = ticket_statements(lines)
        extra, found = sheet_ticket_values(self.sheet, [line.line.key for line in lines])
        self.findings += found
        values |= extra | shared_budget(first.channel.platform, [line.conversion.amount for line in lines])
        row = Ticket(
            campaign=campaign, channel=first.channel, ad_account=first.account, owner=self.owner,
            start_on=min(line.line.start for line in lines), end_on=max(line.line.end for line in lines),
            budget_source=conversions_of(lines), **values,
        )  # fmt: skip
        place = first.line.place
        malformed = [
            *rules.declaration_findings(row.special_ad_categories, row.special_ad_category_countries),
            *config_findings(first.channel.platform, row.payload_config),
        ]
        self.findings += [place.moved(each, each.field) for each in malformed]
        self.findings += field_findings(
            row, {"campaign", "channel", "ad_account", "owner", "requested_by"}, place
        )
        parts, _found = campaign.name_values(first.channel, self.rule)
        return _Ticket(row, lines, first.account, parts)

    # ------------------------------------------------------------------------------- ad sets and ads

    def _lines_of(self, ticket: _Ticket) -> Iterator[tuple[MappedLine, AdSet]]:
        taken: dict[str, MappedLine] = {}
        for position, mapped in enumerate(ticket.lines):
            row = AdSet(
                ticket=ticket.row, position=position, budget=mapped.conversion.amount,
                **{**ad_set_values(mapped.content), **self.sheet.ad_set_values(mapped.line.key)},
            )  # fmt: skip
            self._name_ad_set(row, ticket, mapped, taken)
            yield mapped, row

    def _name_ad_set(
        self, row: AdSet, ticket: _Ticket, mapped: MappedLine, taken: dict[str, MappedLine]
    ) -> None:
        place = mapped.line.place
        part, found = naming.name_part(self.rule, row.name, part="ad_set")
        built = built_name(self.rule, "ad_set", {**ticket.parts, "ad_set": part}, found)
        # the campaign's own part has been refused at the campaign
        self.findings += [
            place.moved(each, column_of(place, "name"))
            for each in built.findings
            if ticket.parts["name"] or found
        ]
        row.governed_name, row.name_key = built.name, naming.name_key(built.name)
        twin = taken.setdefault(row.name_key, mapped) if built.name else mapped
        if twin is not mapped:
            params = {
                "campaign": ticket.row.campaign.name, "channel": mapped.channel.code, "name": built.name,
                "other": twin.line.key,
            }  # fmt: skip
            self.findings.append(place.block("import.same_name", column_of(place, "name"), **params))
        elif built.name:
            self._check_ad_set(row, place)

    def _check_ad_set(self, row: AdSet, place: Place) -> None:
        self.findings += field_findings(row, {"ticket"}, place)
        # the line's flight was checked when it was compared with what is stored
        shape = [
            each
            for each in rules.ad_set_shape_findings(row, platform(row.ticket.channel.platform))
            if each.code != "ad_set.flight"
        ]
        self.findings += [place.moved(each, column_of(place, each.field)) for each in shape]

    def _write_chunk(
        self, chunk: Sequence[tuple[_Ticket, tuple[MappedLine, AdSet]]], *, check_only: bool
    ) -> Iterator[tuple[Ticket, MappedLine]]:
        ad_sets = [ad_set for _ticket, (_line, ad_set) in chunk]
        plan_lines = [self._plan_line(ticket, line, ad_set) for ticket, (line, ad_set) in chunk]
        ads = [ad for ticket, (line, ad_set) in chunk for ad in self._ads(ticket, line, ad_set)]
        if not check_only and not self.findings:
            _rebind(ad_sets, "ticket")
            write_many(ad_sets)
            _rebind(plan_lines, "campaign")
            write_many(plan_lines)
            _rebind(ads, "ad_set")
            write_many(ads)
        self.ads_created += len(ads)
        for ticket, (line, _ad_set) in chunk:
            yield ticket.row, line

    def _plan_line(self, ticket: _Ticket, mapped: MappedLine, ad_set: AdSet) -> MediaPlanLine:
        row = line_row(self.plan, mapped, ticket.row.campaign, ad_set.intent_id)
        row.source["creatives"] = {each.ad: each.digest for each in self.sheet.rows.get(mapped.line.key, ())}
        self.findings += field_findings(row, {"plan", "campaign", "channel"}, mapped.line.place)
        return row

    def _ads(self, ticket: _Ticket, mapped: MappedLine, ad_set: AdSet) -> list[Ad]:
        taken: dict[str, CreativeRow] = {}
        made = []
        for position, creative in enumerate(self.sheet.rows.get(mapped.line.key, ())):
            ad = Ad(ad_set=ad_set, name=creative.ad, position=position, **creative.ad_values)
            self.findings += name_ad(ad, creative, self.rule, ticket.parts, ad_set.name, taken)
            made.append(ad)
        return made


def _taken(keys: list[str]) -> list[tuple[str, str, str]]:
    """(name key, governed name, campaign) of those that are taken; few queries however many names."""
    found: list[tuple[str, str, str]] = []
    for at in range(0, len(keys), 500):
        rows = CampaignChannel.objects.filter(name_key__in=keys[at : at + 500])
        found += rows.values_list("name_key", "governed_name", "campaign__name")
    return found


def _rebind(rows: Sequence[Any], name: str) -> None:
    """Take over the primary keys that the parents have got since."""
    for row in rows:
        setattr(row, name, getattr(row, name))


def shared_budget(platform_key: str, amounts: Sequence[Decimal]) -> dict[str, Any]:
    """Ticket values where several lines share a campaign on a platform that has budgets on campaigns only."""
    if len(amounts) < 2 or platform(platform_key).ad_set_budgets:
        return {}
    total = sum(amounts, Decimal(0))
    return {"budget_level": Ticket.BudgetLevel.CAMPAIGN, "budget": total, "budget_type": "LIFETIME"}


def conversions_of(lines: Iterable[MappedLine]) -> dict[str, Any]:
    entries = [
        conversion_entry(
            each.line.cost,
            each.line.currency,
            each.conversion.rate,
            each.conversion.source,
            each.conversion.amount,
            each.account.currency,
        )
        for each in lines
        if each.conversion.source
    ]
    return {"conversions": entries} if entries else {}


def ticket_statements(lines: Sequence[MappedLine]) -> dict[str, Any]:
    """What the plan's lines state about their ticket."""
    values: dict[str, Any] = {}
    categories = stated(lines, "special_ad_categories")
    if categories is not None:
        values["special_ad_categories"] = categories
        values["special_ad_category_countries"] = next(
            (
                line.content["special_ad_category_countries"]
                for line in lines
                if line.content["special_ad_categories"] is not None
            ),
            [],
        )
    if political := stated(lines, "political"):
        values["political"] = political
    return values


def sheet_ticket_values(sheet: CreativeSheet, lines: Iterable[str]) -> tuple[dict[str, Any], list[Finding]]:
    """What the creative sheet states about the ticket of these lines, and where its rows disagree."""
    from trafficking.imports.creatives import conflicts

    rows = [row for line in lines for row in sheet.rows.get(line, ())]
    return {name: value for row in rows for name, value in row.ticket_values.items()}, conflicts(
        rows, "ticket_values", "ticket"
    )


def config_findings(platform_key: str, config: Any) -> list[Finding]:
    return rules.config_findings(platform(platform_key), "campaign", config) if config else []


def name_ad(
    ad: Ad, creative: CreativeRow, rule: naming.Convention, ticket_parts: Mapping[str, str], ad_set_name: str,
    taken: dict[str, CreativeRow],
) -> list[Finding]:  # fmt: skip
    """Give a new ad its governed name; all findings about the row, the ad's own shape included."""
    place = creative.place
    ad_set_part, upper = naming.name_part(rule, ad_set_name, part="ad_set")
    part, found = naming.name_part(rule, ad.name, part="ad")
    values = {**ticket_parts, "ad_set": ad_set_part, "ad": part, "format": ad.format.replace("_", "")}
    built = built_name(rule, "ad", values, [*upper, *found])
    ad.governed_name, ad.name_key = built.name, naming.name_key(built.name)
    if built.findings:
        own = found or ([] if upper or not ticket_parts.get("name") else built.findings)
        return [place.moved(each, "ad") for each in own]
    twin = taken.setdefault(ad.name_key, creative)
    if twin is not creative:
        return [
            place.block("creatives.duplicate", "ad", ad=creative.ad, line=creative.line, first=twin.place.row)
        ]
    return ad_findings(ad, platform(ad.ad_set.ticket.channel.platform), {"ad_set"}, place)


def ad_findings(ad: Ad, on: Platform, exclude: set[str], place: Place) -> list[Finding]:
    """An ad's own shape, and what its fields' validators say of the rest."""
    shape = [place.moved(each, each.field) for each in rules.ad_shape_findings(ad, on)]
    told = {finding.params.get("column") for finding in shape}
    return [
        *shape,
        *(each for each in field_findings(ad, exclude, place) if each.params.get("column") not in told),
    ]
