"""A plan's words to the vocabulary's, never by guess: what is not known is an error that says how to add it.

The vocabulary is read once per import; mapping a line asks the database nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from babel import Locale
from django.utils import timezone

from campaigns.plans import AudienceText, LineRead, PlanLine
from governance import cells, money
from governance.access import Reach
from governance.findings import Finding, blocking
from governance.models import (
    AdAccount,
    AdAccountServes,
    Alias,
    Audience,
    Brand,
    Channel,
    Market,
    NamingConvention,
)
from governance.models.aliases import Objective, alias_key
from governance.models.rates import Rates
from governance.tables import Place
from trafficking.imports.goals import event_for, goal_for
from trafficking.models.tree import CONVERSION_EVENTS, GOALS
from trafficking.rules import declaration_findings

_COUNTRY_CODES = {alias_key(name): code for code, name in Locale("en").territories.items() if len(code) == 2}
_GOALS = {code for code, _label in GOALS}
_EVENTS = {code for code, _label in CONVERSION_EVENTS}


@dataclass
class Vocabulary:
    """Everything that a plan's texts may mean, by how they are compared (`alias_key`)."""

    brands: dict[str, Brand]
    channels: dict[str, Channel]
    markets: dict[str, Market]
    countries: dict[str, list[Market]]
    audiences: dict[str, Audience]
    aliases: dict[tuple[str, str], Alias]
    accounts: dict[tuple[int, int, str], list[AdAccount]]
    convention: NamingConvention | None
    _rates: Rates | None = None
    _today: dict[int, date] = field(default_factory=dict)

    @classmethod
    def read(cls) -> Vocabulary:
        brands, markets = list(Brand.objects.current()), list(Market.objects.current())
        countries: dict[str, list[Market]] = defaultdict(list)
        for market in markets:
            countries[market.country].append(market)
        accounts: dict[tuple[int, int, str], list[AdAccount]] = defaultdict(list)
        served = AdAccountServes.objects.filter(
            account__active=True, account__archived_at=None, archived_at=None
        )
        for each in served.select_related("account"):
            accounts[each.brand_id, each.market_id, each.account.platform].append(each.account)
        return cls(
            brands=_by_code_or_name(brands),
            channels=_by_code_or_name(Channel.objects.current()),
            markets=_by_code_or_name(markets),
            countries=dict(countries),
            audiences={alias_key(each.name): each for each in Audience.objects.current()},
            aliases={
                (each.kind, each.text_key): each
                for each in Alias.objects.current().select_related("brand", "channel", "market", "audience")
            },
            accounts=dict(accounts),
            convention=NamingConvention.in_force_or_none(),
        )

    def alias(self, kind: str, text: str) -> Alias | None:
        return self.aliases.get((kind, alias_key(text)))

    def rates(self) -> Rates:
        """Today's: what a plan may spend is fixed when it is imported, not when it was written."""
        if self._rates is None:
            self._rates = Rates(timezone.now().date())
        return self._rates

    def today(self, market: Market) -> date:
        if market.pk not in self._today:
            self._today[market.pk] = market.today()
        return self._today[market.pk]

    def market_named(self, text: str) -> list[Market]:
        """By code, name, alias, or the English name of a country; several only for a country."""
        key = alias_key(text)
        if key in self.markets:
            return [self.markets[key]]
        alias = self.alias("LOCATION", text)
        if alias is not None and alias.market is not None:
            return [alias.market]
        return self.countries.get(_COUNTRY_CODES.get(key, ""), [])


def _by_code_or_name(rows: Iterable[Any]) -> dict[str, Any]:
    """A code wins over another row's name."""
    rows = list(rows)
    return {**{alias_key(row.name): row for row in rows}, **{alias_key(row.code): row for row in rows}}


@dataclass(frozen=True, slots=True)
class Conversion:
    """How a line's cost became the account's money."""

    amount: Decimal
    rate: Decimal
    source: str  # "" where nothing was converted


@dataclass(slots=True)
class MappedLine:
    """A line in the vocabulary's terms. `content` are the values that an import writes and compares."""

    line: PlanLine
    brand: Brand
    market: Market
    channel: Channel
    account: AdAccount
    objective: str
    conversion: Conversion
    content: dict[str, Any]
    content_hash: str


@dataclass(frozen=True, slots=True)
class Reported:
    line: PlanLine
    text: str


@dataclass(frozen=True, slots=True)
class Words:
    """What a line's words mean, as far as they are known."""

    brand: Brand | None
    market: Market | None
    channel: Channel | None
    account: AdAccount | None
    objective: str
    targeting: dict[str, Any] | None
    goal: str
    event: str
    not_trafficked: str = ""  # the text whose lines are left to others


class Mapper:
    """Maps lines one by one; collects findings. `option_market` is --market."""

    def __init__(self, vocabulary: Vocabulary, reach: Reach, option_market: Market | None) -> None:
        self.vocabulary = vocabulary
        self.reach = reach
        self.option_market = option_market
        self.findings: list[Finding] = []

    def map(self, line: PlanLine) -> MappedLine | Reported | Words:
        """Its words alone where the line has errors, which are then among the findings."""
        before = len(blocking(self.findings))
        words = self.look_up(line)
        if words.not_trafficked:
            return Reported(line, words.not_trafficked)
        conversion = self._converted(line, words.account) if words.account else None
        if conversion is None or len(blocking(self.findings)) > before:
            return words
        return _mapped_line(line, words, conversion)

    def look_up(self, line: LineRead) -> Words:
        """The line's words; also of a line with errors in other cells, so that all of them are told at once."""
        channel, reported = self._channel(line)
        if reported:
            self.findings.append(
                line.place.warn("import.not_trafficked", self._vendor_column(line), text=reported)
            )
            return Words(None, None, None, None, "", None, "", "", reported)
        brand, market, objective = self._brand(line), self._market(line), self._objective(line)
        self.findings += [*_statement_findings(line), *_cost_findings(line)]
        if brand is not None and market is not None and not self.reach.covers(brand.pk, market.pk):
            self.findings.append(
                line.place.block("import.outside_reach", "brand", brand=brand.code, market=market.code)
            )
            return Words(brand, market, channel, None, objective, None, "", "")
        targeting = self._targeting(line, brand, channel.platform if channel else "")
        goal, event = self._goal(line, objective, channel)
        account = (
            self._account(line, brand, market, channel)
            if channel is not None and brand is not None and market is not None
            else None
        )
        return Words(brand, market, channel, account, objective, targeting, goal, event)

    # ------------------------------------------------------------------------------- what and whose

    def _vendor_column(self, line: LineRead) -> str:
        if line.place.path:
            return next(
                (
                    key
                    for key in ("vehicle", "vehicle_custom", "partner", "media_product")
                    if key in line.source
                ),
                "",
            )
        return "channel" if line.channel else "vehicle"

    def _channel(self, line: LineRead) -> tuple[Channel | None, str]:
        """(channel, "") or (None, text that is not trafficked here) or (None, "") with a finding."""
        column = self._vendor_column(line)
        texts = (line.channel, *line.vendors) if line.channel else line.vendors
        if not texts:
            self.findings.append(line.place.block("import.no_vendor", column))
            return None, ""
        if line.channel and alias_key(line.channel) in self.vocabulary.channels:
            return self._active(line, self.vocabulary.channels[alias_key(line.channel)], column), ""
        for text in texts:
            alias = self.vocabulary.alias("VENDOR", text)
            if alias is not None and alias.not_trafficked:
                return None, text
            if alias is not None and alias.channel is not None:
                return self._active(line, alias.channel, column), ""
        quoted = [f"'{text}'" for text in texts]
        self.findings.append(line.place.block("import.unknown_vendor", column, texts=quoted, text=texts[0]))
        return None, ""

    def _active(self, line: LineRead, channel: Channel, column: str) -> Channel | None:
        if channel.active and channel.archived_at is None:
            return channel
        self.findings.append(line.place.block("import.channel_inactive", column, channel=channel.code))
        return None

    def _brand(self, line: LineRead) -> Brand | None:
        text = line.advertiser
        found = self.vocabulary.brands.get(alias_key(text))
        alias = None if found else self.vocabulary.alias("ADVERTISER", text)
        brand = found or (alias.brand if alias else None)
        if brand is None and text:
            place, column = (
                (Place(path="campaign"), "advertiser_name") if line.place.path else (line.place, "brand")
            )
            self.findings.append(place.block("import.unknown_brand", column, text=text))
        return brand

    def _objective(self, line: LineRead) -> str:
        text = line.objective
        place = Place(path="campaign") if line.place.path else line.place
        if not text:
            if line.place.path:  # a table's empty cell was told when it was read
                self.findings.append(
                    place.block("import.no_objective", "objective", known=list(Objective.values))
                )
            return ""
        code = text.upper().replace(" ", "_").replace("-", "_")
        if code in Objective.values:
            return code
        alias = self.vocabulary.alias("OBJECTIVE", text)
        if alias is None:
            self.findings.append(
                place.block("import.unknown_objective", "objective", text=text, known=list(Objective.values))
            )
            return ""
        return alias.objective

    # ---------------------------------------------------------------------------------------- where

    def _market(self, line: LineRead) -> Market | None:
        stated = self._stated_market(line)
        if line.market and stated is None:
            return None
        option = self.option_market
        if stated is not None and option is not None and stated.pk != option.pk:
            self.findings.append(
                line.place.block("import.market_conflict", "market", market=stated.code, option=option.code)
            )
            return None
        chosen = stated or option
        if chosen is not None:
            self._tell_untargeted(line, chosen)
            return chosen
        return self._market_by_location(line)

    def _stated_market(self, line: LineRead) -> Market | None:
        if not line.market:
            return None
        return self._one_market(line.market, line.place, "market")

    def _one_market(self, text: str, place: Place, column: str) -> Market | None:
        found = self.vocabulary.market_named(text)
        if len(found) == 1:
            return found[0]
        if found:
            markets = [each.code for each in found]
            self.findings.append(place.block("import.ambiguous_country", column, text=text, markets=markets))
        else:
            self.findings.append(place.block("import.unknown_market", column, text=text))
        return None

    def _market_by_location(self, line: LineRead) -> Market | None:
        if not line.locations:
            known = sorted({market.code for market in self.vocabulary.markets.values()})
            self.findings.append(line.place.block("import.no_market", "market", known=known))
            return None
        column = "" if line.place.path else "location"
        found = [self._one_market(each.text, each.place, column) for each in line.locations]
        markets = {each.pk: each for each in found if each is not None}
        if len(markets) > 1:
            codes = sorted(each.code for each in markets.values())
            self.findings.append(line.place.block("import.several_markets", column, markets=codes))
        if len(markets) != 1 or None in found:
            return None
        [market] = markets.values()
        self._tell_untargeted(line, market)
        return market

    def _tell_untargeted(self, line: LineRead, market: Market) -> None:
        """What the plan names and the market's country does not cover, or covers too widely."""
        for location in line.locations:
            named = self.vocabulary.market_named(location.text)
            column = "" if line.place.path else "location"
            if location.is_country:
                if market not in named:
                    self.findings.append(
                        location.place.warn(
                            "import.location_outside", column, text=location.text, market=market.code
                        )
                    )
            elif not named or market in named:
                params = {"text": location.text, "kind": location.kind, "country": market.country}
                self.findings.append(location.place.warn("import.place_not_targeted", column, **params))
            else:
                self.findings.append(
                    location.place.warn(
                        "import.location_outside", column, text=location.text, market=market.code
                    )
                )

    # -------------------------------------------------------------------------------------- account

    def _account(self, line: LineRead, brand: Brand, market: Market, channel: Channel) -> AdAccount | None:
        serving = self.vocabulary.accounts.get((brand.pk, market.pk, channel.platform), [])
        params: dict[str, Any] = {
            "platform": channel.get_platform_display(), "brand": brand.code, "market": market.code,
            "accounts": [f"{each.name} ({each.external_id})" for each in serving],
        }  # fmt: skip
        if not serving:
            del params["accounts"]
            self.findings.append(line.place.block("import.no_account", "ad_account", **params))
            return None
        if line.ad_account:
            wanted = alias_key(line.ad_account).removeprefix("act_").replace("-", "")
            named = [
                each
                for each in serving
                if each.external_id == wanted or alias_key(each.name) == alias_key(line.ad_account)
            ]
            if len(named) == 1:
                return named[0]
            self.findings.append(
                line.place.block("import.unknown_account", "ad_account", text=line.ad_account, **params)
            )
            return None
        if len(serving) > 1:
            self.findings.append(line.place.block("import.several_accounts", "ad_account", **params))
            return None
        return serving[0]

    # ---------------------------------------------------------------------------------------- money

    def _converted(self, line: PlanLine, account: AdAccount) -> Conversion | None:
        """The cost in the account's currency: at the plan's rate as far as that leads, then at a dated one."""
        currency, column = line.currency, "currency" if not line.place.path else "cost_currency"
        if not currency or currency not in money.currencies():
            return None
        rates = self.vocabulary.rates()
        found = rate_between(
            rates, currency, account.currency, rate=line.rate, rate_currency=line.rate_currency
        )
        if found is None:
            params = {"source": currency, "target": account.currency, "on": rates.on.isoformat()}
            self.findings.append(line.place.block("money.no_rate", column, **params))
            return None
        rate, source = found
        amount = money.round_to_currency(line.cost * rate, account.currency) if source else line.cost
        if amount <= 0 or money.too_long(amount):
            text = f"{money.plain(amount)} {account.currency}"
            code = "money.not_positive" if amount <= 0 else "money.too_long"
            self.findings.append(line.place.block(code, "cost_media", text=text))
            return None
        return Conversion(amount, rate, source)

    # ------------------------------------------------------------------------------------- audience

    def _targeting(self, line: LineRead, brand: Brand | None, platform: str) -> dict[str, Any]:
        wish = line.audience
        if wish is None:
            return _demographics(AudienceText(""), {}, {}, {}, platform)
        known = self._known_audience(wish)
        if known is None:
            self._tell_words(line, wish)
            self.findings += _age_findings(line, wish)
            return _demographics(wish, {}, {}, {}, platform)
        if brand is not None and known.brand_id not in (None, brand.pk):
            params = {"audience": known.name, "owner": str(known.brand), "brand": brand.code}
            column = "target_audience" if line.place.path else "audience"
            self.findings.append(line.place.block("import.audience_elsewhere", column, **params))
        own = AudienceText(
            wish.name,
            wish.age_min if wish.age_min is not None and not line.place.path else known.age_min,
            wish.age_max if wish.age_max is not None and not line.place.path else known.age_max,
            known.gender if known.gender != "ANY" or line.place.path else wish.gender,
        )
        self.findings += _age_findings(line, own)
        return _demographics(own, known.interests, known.audiences_include, known.audiences_exclude, platform)

    def _known_audience(self, wish: AudienceText) -> Audience | None:
        if not wish.name:
            return None
        found = self.vocabulary.audiences.get(alias_key(wish.name))
        alias = None if found else self.vocabulary.alias("AUDIENCE", wish.name)
        return found or (alias.audience if alias else None)

    def _tell_words(self, line: LineRead, wish: AudienceText) -> None:
        if not wish.name and not wish.interests:
            return
        age = f"{wish.age_min or ''}–{wish.age_max or ''}" if wish.age_min or wish.age_max else ""
        taken = ", ".join(
            filter(None, [f"age {age}" if age else "", wish.gender.lower() if wish.gender != "ANY" else ""])
        )
        column = "target_audience" if line.place.path else "audience"
        params = {
            "audience": wish.name or "–",
            "taken": taken or "nothing of it",
            "words": wish.interests or wish.name,
        }
        params["taken"] = f"{params['taken']} is taken from the plan"
        self.findings.append(line.place.warn("import.nothing_targeted", column, **params))

    def _goal(self, line: LineRead, objective: str, channel: Channel | None) -> tuple[str, str]:
        goal, wished = "", ""
        if objective and channel is not None:
            goal, wished = goal_for(objective, line.kpi, channel.platform, channel.api_identifier)
        event = line.conversion_event
        if line.goal:
            checked, found = cells.read_choice(line.goal, sorted(_GOALS), line.place, "goal")
            self.findings += found
            goal = checked
        elif goal != wished and channel is not None:
            params = {"channel": channel.code, "objective": wished, "goal": goal}
            self.findings.append(line.place.warn("import.goal_nearest", "objective", **params))
        if event:
            event, found = cells.read_choice(event, sorted(_EVENTS), line.place, "conversion_event")
            self.findings += found
        return goal, event or event_for(objective, goal)


def _mapped_line(line: PlanLine, words: Words, conversion: Conversion) -> MappedLine:
    brand, market, channel, account = words.brand, words.market, words.channel, words.account
    assert brand and market and channel and account and words.targeting is not None  # no blocking finding
    content = {
        "campaign": line.campaign, "brand": brand.pk, "market": market.pk, "channel": channel.pk,
        "account": account.pk, "objective": words.objective, "name": line.name, "goal": words.goal,
        "conversion_event": words.event, "start_on": line.start.isoformat(), "end_on": line.end.isoformat(),
        "cost": money.plain(line.cost), "currency": line.currency,
        "rate": money.plain(line.rate) if line.rate else "", "rate_to": line.rate_currency,
        "country": market.country, "languages": market.languages,
        "special_ad_categories": None if line.special_ad_categories is None else list(line.special_ad_categories),
        "special_ad_category_countries": list(line.special_ad_category_countries), "political": line.political,
        **words.targeting,
    }  # fmt: skip
    return MappedLine(
        line, brand, market, channel, account, words.objective, conversion, content, content_hash(content)
    )


def rate_between(
    rates: Rates, currency: str, target: str, *, rate: Decimal | None, rate_currency: str
) -> tuple[Decimal, str] | None:
    """(units of `target` for one of `currency`, where the rate is from); "" means that none was needed.

    `rate` is the plan's own, from `currency` to `rate_currency`.
    """
    if currency == target:
        return Decimal(1), ""
    if rate is not None and rate_currency == target:
        return rate, "the plan"
    if rate is not None and rate_currency:
        onward = rates.rate(rate_currency, target)
        if onward is None:
            return None
        return _ten_places(
            rate * onward[0]
        ), f"the plan to {rate_currency}, then rates of {onward[1].isoformat()}"
    dated = rates.rate(currency, target)
    return None if dated is None else (_ten_places(dated[0]), f"rates of {dated[1].isoformat()}")


def _ten_places(rate: Decimal) -> Decimal:
    """As many decimals as are kept beside the line, so that the shown rate gives the shown amount."""
    return rate.quantize(Decimal("1e-10"))


def content_hash(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _demographics(
    wish: AudienceText,
    interests: Mapping[str, Any],
    include: Mapping[str, Any],
    exclude: Mapping[str, Any],
    platform: str,
) -> dict[str, Any]:
    # the platforms' oldest band is open: 65 and above means no upper end
    upper = None if wish.age_max is not None and wish.age_max >= 65 else wish.age_max
    return {
        "age_min": wish.age_min,
        "age_max": upper,
        "genders": [] if wish.gender == "ANY" else [wish.gender],
        "interests": list(interests.get(platform, [])),
        "audiences_include": list(include.get(platform, [])),
        "audiences_exclude": list(exclude.get(platform, [])),
    }


def _age_findings(line: LineRead, wish: AudienceText) -> list[Finding]:
    column = "target_audience" if line.place.path else "age_min"
    found = []
    ages = [age for age in (wish.age_min, wish.age_max) if age is not None]
    if any(age < 13 for age in ages) or (wish.age_min or 13) > 65:
        found.append(line.place.block("ad_set.age_range", column))
    if len(ages) == 2 and ages[1] < ages[0]:
        found.append(line.place.block("ad_set.ages", column, age_min=ages[0], age_max=ages[1]))
    return found


def _cost_findings(line: LineRead) -> list[Finding]:
    """A currency that nobody says, and an amount finer than its currency. An unknown code was told when read."""
    if not line.currency:
        return (
            [line.place.block("plan.missing", "cost_currency", what="cost_currency")]
            if line.place.path
            else []
        )
    if line.cost is None or line.currency not in money.currencies():
        return []
    return [
        line.place.moved(each, "cost_media") for each in money.precision_findings(line.cost, line.currency)
    ]


def _statement_findings(line: LineRead) -> list[Finding]:
    if line.special_ad_categories is None:
        return []
    found = declaration_findings(list(line.special_ad_categories), list(line.special_ad_category_countries))
    return [line.place.moved(finding, finding.field) for finding in found]


__all__ = [
    "Conversion",
    "MappedLine",
    "Mapper",
    "Reported",
    "Vocabulary",
    "Words",
    "content_hash",
    "rate_between",
]
