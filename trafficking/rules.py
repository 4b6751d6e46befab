"""What makes a ticket well-formed, and the built-in QA rules. Pure: values in, findings out.

Two kinds: *shape* rules refuse what is malformed even in a draft (a JSON field of the wrong form);
*QA* rules look at the whole snapshot and its compiled plan, and report everything at once.
"""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import jsonschema_rs

from governance import money
from governance.findings import Finding, Message
from governance.findings import gettext_noop as _
from trafficking.platforms.base import AdSetSnapshot, Budget, ConfigLevel, File, Platform, TicketSnapshot

MESSAGES = {
    "ticket.account_platform": Message(
        _("The ad account is on {account_platform}, the channel on {channel_platform}."), _("Choose an account on {channel_platform}.")
    ),
    "ticket.account_serves": Message(
        _("The ad account {account} does not serve {brand} in {market}."),
        _("Choose another account, or let a data admin add {brand} × {market} to this one."),
    ),
    "ticket.channel_not_on_campaign": Message(
        _("The campaign does not run on {channel}."), _("Add {channel} to the campaign's channels first.")
    ),
    "ticket.built_before": Message(
        _("A cancelled ticket has already built parts of {campaign} on {channel} under this name."),
        _("Make a new campaign: two of one name could not be told apart on the platform."),
    ),
    "request.base_missing": Message(
        _("A ticket of this kind changes a campaign that is built, and there is none that it follows."),
        _("Start it from the page of the ticket that built the campaign."),
    ),
    "request.base_given": Message(
        _("A ticket that builds a new campaign follows no other."), _("Start it from the campaign instead.")
    ),
    "request.go_live_only": Message(
        _("Only a ticket that activates has a moment of going live."), _("Leave it empty.")
    ),
    "request.scope_only": Message(
        _("Only pausing, activating and archiving can be for some ad sets and ads."), _("Leave it empty.")
    ),
    "request.scope_malformed": Message(
        _("'{value}' is not the intent of an ad set or ad."), _("Choose from the list of what is built.")
    ),
    "ticket.budget_level": Message(
        _("A campaign budget is given, but the budget level is 'ad sets'."), _("Clear it, or choose the campaign level.")
    ),
    "ticket.config": Message(_("Platform settings: {problem}."), _("Use the options that {platform}'s reference knows.")),
    "ticket.special_categories": Message(
        _("'{text}' is not a list of special ad categories."), _("Use [] for none, or some of: {known}.")
    ),
    "ticket.special_countries": Message(
        _("Special ad categories need the countries that they apply in."), _("Write their ISO codes: [\"US\"].")
    ),
    "shape.invalid": Message(_("{problem}."), _("Write it as in the help text.")),
    "media.one_source": Message(
        _("{where} needs exactly one of '{id}' and 'file'."),
        _("'{id}' is the platform's own id; 'file' is the content hash of a file of the brand's media library."),
    ),
    "ad_set.ages": Message(_("The upper age ({age_max}) is below the lower one ({age_min})."), _("Exchange them.")),
    "ad_set.age_range": Message(_("Ages are from 13 to 65."), _("Leave the upper age empty for 'and older'.")),
    "ad_set.flight": Message(_("The last day ({end}) is before the first day ({start})."), _("Exchange or correct them.")),
    "qa.name_missing": Message(
        _("The campaign has no governed name on this channel."), _("Save the campaign with this channel.")
    ),
    "qa.name_changed": Message(
        _("The name '{name}' is not what the convention in force builds ('{expected}')."), _("Save it again.")
    ),
    "qa.name_unreadable": Message(
        _("The name '{name}' does not read back to its parts."), _("Save it again under the convention in force.")
    ),
    "qa.unsafe_interest": Message(
        _("'{interest}' is {category} targeting, which the brand does not allow."), _("Take it out of the interests.")
    ),
    "qa.unsafe_keyword": Message(
        _("The keyword '{keyword}' is {category} targeting, which the brand does not allow."), _("Take it out.")
    ),
    "qa.legal_line": Message(_("The ad lacks the legal line '{line}'."), _("Add it to the ad's texts or descriptions.")),
    "qa.no_budget": Message(_("There is no budget."), _("Enter what it may spend.")),
    "qa.daily_limit": Message(
        _("{total} a day is over the daily limit of {limit}."), _("Lower the budgets, or ask a data admin about the limit.")
    ),
    "qa.lifetime_limit": Message(
        _("{total} over the flight is over the lifetime limit of {limit}."),
        _("Lower the budgets or shorten the flight, or ask a data admin about the limit."),
    ),
    "qa.account_cap": Message(
        _("{total} a day is {times} times the ad account's daily cap of {cap}."),
        _("Check the decimal point and the currency, or ask a data admin about the cap."),
    ),
    "qa.rate_old": Message(
        _("The exchange rate for {currency} is from {day}."), _("A data admin adds a newer one under Exchange rates.")
    ),
    "qa.converted": Message(
        _("The plan's {original} was converted at {rate} ({source}) to {amount}."), _("Approve only if the rate is right.")
    ),
    "qa.past_start": Message(
        _("The first day, {start}, is over in the ad account's zone ({zone})."), _("Move the flight to {today} or later.")
    ),
    "qa.flight_over": Message(
        _("The flight ended on {end}: there is nothing left to activate."), _("Prolong it with an UPDATE ticket first.")
    ),
    "qa.go_live_past": Message(
        _("The moment of going live, {moment}, has passed."), _("Choose a later one, or leave it empty for at once.")
    ),
    "qa.live_changed": Message(
        _("The platform no longer has what this plan was made for: {what}. Nothing was sent."),
        _("Submit the ticket again: it is planned anew on what is there now, and approved anew."),
    ),
    "qa.name_taken": Message(
        _("The ad account already has a campaign called '{name}' ({external_id}). Nothing was sent."),
        _("Look at it on the platform: adopt it, or have it renamed or archived."),
    ),
    "qa.live_unreadable": Message(
        _("The platform could not be asked what it has: {reason}."), _("Submit it again in a moment.")
    ),
    "qa.outside_campaign": Message(
        _("The flight {start} to {end} is outside the campaign's {campaign_start} to {campaign_end}."),
        _("Change one of the two."),
    ),
    "qa.over_campaign": Message(
        _("The ticket plans {total}, more than the campaign's budget of {budget}."), _("Lower one or raise the other.")
    ),
    "qa.account_inactive": Message(_("The ad account {account} is inactive."), _("Choose an active one.")),
    "qa.channel_inactive": Message(_("The channel {channel} is inactive."), _("Choose an active one.")),
    "qa.plan_changed": Message(
        _("The plan is not the one that was checked: the ticket, the convention or a reference has changed."),
        _("Submit the ticket again, and have the new plan approved."),
    ),
    "qa.no_geo": Message(_("No location is targeted."), _("Enter at least one country, region or city.")),
    "qa.landing_page": Message(_("'{url}' is not a full https:// address."), _("Write the whole address.")),
}  # fmt: skip

# --------------------------------------------------------------------------------------- requests

SWITCHES = ("PAUSE", "ACTIVATE", "ARCHIVE")


def request_findings(row: Any) -> list[Finding]:
    """Whether request type, followed ticket, scope and moment of going live fit each other."""
    found = []
    if row.request_type == "CREATE" and row.base_id:
        found.append(Finding("request.base_given", "request_type"))
    if row.request_type != "CREATE" and not row.base_id:
        found.append(Finding("request.base_missing", "request_type"))
    if row.go_live_at and row.request_type != "ACTIVATE":
        found.append(Finding("request.go_live_only", "go_live_at"))
    if row.scope and row.request_type not in SWITCHES:
        found.append(Finding("request.scope_only", "scope"))
    return found + _scope_findings(row.scope)


def _scope_findings(scope: Any) -> list[Finding]:
    values = scope if isinstance(scope, list) else [scope]
    wrong = [each for each in values if not _is_uuid(each)]
    return [Finding("request.scope_malformed", "scope", params={"value": str(each)[:80]}) for each in wrong]


def _is_uuid(value: Any) -> bool:
    try:
        return isinstance(value, str) and str(uuid.UUID(value)) == value
    except ValueError:
        return False


# ----------------------------------------------------------------------------------------- shape

_PLACE = {
    "type": "object", "required": ["id"], "additionalProperties": False,
    "properties": {"id": {"type": "string", "minLength": 1}, "name": {"type": "string"}},
}  # fmt: skip
_STRINGS = {"type": "array", "items": {"type": "string", "minLength": 1}}
_COUNTRIES = {"type": "array", "items": {"type": "string", "pattern": "^[A-Z]{2}$"}, "uniqueItems": True}
_KEYWORDS = {
    "type": "array",
    "items": {
        "type": "object", "required": ["text", "match"], "additionalProperties": False,
        "properties": {"text": {"type": "string", "minLength": 1}, "match": {"enum": ["EXACT", "PHRASE", "BROAD"]}},
    },
}  # fmt: skip
AD_SET_SHAPES: dict[str, dict[str, Any]] = {
    "dayparts": {
        "type": "array",
        "items": {
            "type": "object", "required": ["day", "start_hour", "end_hour"], "additionalProperties": False,
            "properties": {
                "day": {"type": "integer", "minimum": 0, "maximum": 6},
                "start_hour": {"type": "integer", "minimum": 0, "maximum": 23},
                "end_hour": {"type": "integer", "minimum": 1, "maximum": 24},
            },
        },
    },
    "frequency_cap": {
        "type": "object", "additionalProperties": False,
        "properties": {
            "impressions": {"type": "integer", "minimum": 1, "maximum": 100},
            "days": {"type": "integer", "minimum": 1, "maximum": 90},
        },
        "dependentRequired": {"impressions": ["days"], "days": ["impressions"]},
    },
    "geo": {
        "type": "object", "additionalProperties": False,
        "properties": {
            "countries": _COUNTRIES, "excluded_countries": _COUNTRIES,
            **{key: {"type": "array", "items": _PLACE} for key in ("regions", "cities", "excluded_regions", "excluded_cities")},
        },
    },
    "languages": {"type": "array", "items": {"type": "string", "pattern": "^[a-z]{2,3}$"}, "uniqueItems": True},
    "genders": {"type": "array", "items": {"enum": ["FEMALE", "MALE"]}, "uniqueItems": True},
    "interests": {"type": "array", "items": _PLACE},
    "audiences_include": _STRINGS,
    "audiences_exclude": _STRINGS,
    "placements": _STRINGS,
    "keywords": _KEYWORDS,
    "negative_keywords": _KEYWORDS,
}  # fmt: skip
#: sha-256 of a file of the brand's media library.
_CONTENT = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
AD_SHAPES: dict[str, dict[str, Any]] = {
    "texts": _STRINGS,
    "headlines": _STRINGS,
    "descriptions": _STRINGS,
    "display_paths": {**_STRINGS, "maxItems": 2},
    "media": {
        "type": "array",
        "items": {
            "type": "object", "required": ["kind"], "additionalProperties": False,
            "properties": {
                "kind": {"enum": ["IMAGE", "SQUARE_IMAGE", "PORTRAIT_IMAGE", "LOGO", "VIDEO", "YOUTUBE_VIDEO", "THUMBNAIL"]},
                "id": {"type": "string", "minLength": 1},
                "file": _CONTENT,
            },
        },
    },
    "cards": {
        "type": "array",
        "items": {
            "type": "object", "additionalProperties": False,
            "properties": {
                **{key: {"type": "string"} for key in ("media_id", "headline", "description", "landing_page")},
                "file": _CONTENT,
            },
        },
    },
}  # fmt: skip
_SHAPE_VALIDATORS = {
    id(shapes): {name: jsonschema_rs.validator_for(schema) for name, schema in shapes.items()}
    for shapes in (AD_SET_SHAPES, AD_SHAPES)
}


def shape_findings(shapes: dict[str, dict[str, Any]], row: Any) -> list[Finding]:
    """JSON fields of an ad set or ad that have the wrong form."""
    return [
        Finding("shape.invalid", name, params={"problem": _where(error) + error.message})
        for name, validator in _SHAPE_VALIDATORS[id(shapes)].items()
        for error in validator.iter_errors(getattr(row, name))
    ]


def _where(error: Any) -> str:
    way = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.instance_path)
    return f"{way.lstrip('.')}: " if way else ""


def ad_set_shape_findings(row: Any, on: Platform) -> list[Finding]:
    """What is malformed in an ad set for the platform `on`, its settings by that platform's reference included."""
    findings = [*shape_findings(AD_SET_SHAPES, row), *config_findings(on, "ad_set", row.config)]
    if row.age_min and row.age_max and row.age_max < row.age_min:
        findings.append(
            Finding("ad_set.ages", "age_max", params={"age_min": row.age_min, "age_max": row.age_max})
        )
    for name in ("age_min", "age_max"):
        age = getattr(row, name)
        if age is not None and not 13 <= age <= 65:
            findings.append(Finding("ad_set.age_range", name))
    if row.start_on and row.end_on and row.end_on < row.start_on:
        params = {"start": row.start_on.isoformat(), "end": row.end_on.isoformat()}
        findings.append(Finding("ad_set.flight", "end_on", params=params))
    for name in ("budget", "bid_amount"):
        amount = getattr(row, name)
        if amount is not None and amount <= 0:
            findings.append(Finding("money.not_positive", name, params={"text": money.plain(amount)}))
    return findings


def ad_shape_findings(row: Any, on: Platform) -> list[Finding]:
    findings = [*shape_findings(AD_SHAPES, row), *config_findings(on, "ad", row.config)]
    if not any(each.field in ("media", "cards") for each in findings):
        findings += [
            *_source_findings("media", row.media, "id"),
            *_source_findings("cards", row.cards, "media_id"),
        ]
    if row.landing_page and not re.match(r"https?://[^/\s]+\.", row.landing_page):
        findings.append(Finding("qa.landing_page", "landing_page", params={"url": row.landing_page}))
    return findings


def _source_findings(field: str, rows: Sequence[Mapping[str, Any]], id_key: str) -> list[Finding]:
    """Each medium and card is in the platform's library (by its id) or in ours (by content), never both."""
    wrong = [at for at, each in enumerate(rows) if (id_key in each) == ("file" in each)]
    return [
        Finding("media.one_source", field, params={"where": f"{field}[{at}]", "id": id_key}) for at in wrong
    ]


def account_findings(
    *, account_platform: str, channel_platform: str, account: str, serves: bool, brand: str, market: str,
    on_channel: bool, channel: str,
) -> list[Finding]:  # fmt: skip
    findings = []
    if not on_channel:
        findings.append(Finding("ticket.channel_not_on_campaign", "channel", params={"channel": channel}))
    if account_platform != channel_platform:
        params = {"account_platform": account_platform, "channel_platform": channel_platform}
        findings.append(Finding("ticket.account_platform", "ad_account", params=params))
    if not serves:
        params = {"account": account, "brand": brand, "market": market}
        findings.append(Finding("ticket.account_serves", "ad_account", params=params))
    return findings


SPECIAL_CATEGORIES = (
    "HOUSING", "EMPLOYMENT", "FINANCIAL_PRODUCTS_SERVICES", "ISSUES_ELECTIONS_POLITICS", "ONLINE_GAMBLING_AND_GAMING",
)  # fmt: skip


def declaration_findings(categories: Any, countries: Any) -> list[Finding]:
    if categories is None:
        return []
    if not isinstance(categories, list) or any(each not in SPECIAL_CATEGORIES for each in categories):
        params = {"text": str(categories), "known": SPECIAL_CATEGORIES}
        return [Finding("ticket.special_categories", "special_ad_categories", params=params)]
    legal = isinstance(countries, list) and all(
        isinstance(c, str) and re.fullmatch("[A-Z]{2}", c) for c in countries
    )
    if not legal or (categories and not countries):
        return [Finding("ticket.special_countries", "special_ad_category_countries")]
    return []


def ticket_budget_findings(level: str, budget: Decimal | None) -> list[Finding]:
    if budget is not None and budget <= 0:
        return [Finding("money.not_positive", "budget", params={"text": money.plain(budget)})]
    if level == "AD_SET" and budget is not None:
        return [Finding("ticket.budget_level", "budget")]
    return []


def config_findings(on: Platform, level: ConfigLevel, config: Any) -> list[Finding]:
    """Platform settings that the reference of `on` does not know at this level."""
    field = "payload_config" if level == "campaign" else "config"
    return [
        Finding(
            "ticket.config", field, params={"problem": _where(error) + error.message, "platform": on.label}
        )
        for error in _config_validator(on, level).iter_errors(config)
    ]


_CONFIG_VALIDATORS: dict[tuple[str, str], Any] = {}


def _config_validator(on: Platform, level: ConfigLevel) -> Any:
    if (on.key, level) not in _CONFIG_VALIDATORS:
        schema = dict(on.config_schema_for(level))
        _CONFIG_VALIDATORS[on.key, level] = jsonschema_rs.validator_for(schema)
    return _CONFIG_VALIDATORS[on.key, level]


# ------------------------------------------------------------------------------------ QA: safety


def brand_safety_findings(
    ticket: TicketSnapshot, *, forbidden: Iterable[str], terms: Mapping[str, Sequence[str]],
    interest_ids: Mapping[str, Sequence[str]],
) -> list[Finding]:  # fmt: skip
    """Interests and keywords of categories that the brand does not allow, by the platform's ids and by words.

    `terms` and `interest_ids` map category -> words, category -> this platform's ids.
    """
    words = {category: [_folded(term) for term in terms.get(category, ())] for category in forbidden}
    ids = {
        interest: category for category in forbidden for interest in map(str, interest_ids.get(category, ()))
    }
    findings: list[Finding] = []
    for at, ad_set in enumerate(ticket.ad_sets):
        findings += _unsafe_interests(ad_set, f"ad_sets[{at}].interests", ids, words)
        findings += _unsafe_keywords(ad_set, f"ad_sets[{at}].keywords", words)
    return findings


def _unsafe_interests(
    ad_set: AdSetSnapshot, field: str, ids: Mapping[str, str], words: Mapping[str, list[str]]
) -> list[Finding]:
    found = [
        (at, interest.name or interest.id, ids.get(interest.id) or _category_of(interest.name, words))
        for at, interest in enumerate(ad_set.interests)
    ]
    return [
        Finding(
            "qa.unsafe_interest", f"{field}[{at}]", params={"interest": name, "category": category.lower()}
        )
        for at, name, category in found
        if category
    ]


def _unsafe_keywords(ad_set: AdSetSnapshot, field: str, words: Mapping[str, list[str]]) -> list[Finding]:
    found = [
        (at, keyword.text, _category_of(keyword.text, words)) for at, keyword in enumerate(ad_set.keywords)
    ]
    return [
        Finding("qa.unsafe_keyword", f"{field}[{at}]", params={"keyword": text, "category": category.lower()})
        for at, text, category in found
        if category
    ]


def _category_of(text: str, words: Mapping[str, list[str]]) -> str:
    """The category with a term that stands in `text` as whole words ("wine" is not in "twine")."""
    folded = f" {_folded(text)} "
    for category, terms in words.items():
        if any(f" {term} " in folded or f" {term}s " in folded for term in terms):
            return category
    return ""


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).casefold()
    letters = "".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return " ".join(letters.split())


def legal_line_findings(ticket: TicketSnapshot, lines: Sequence[str]) -> list[Finding]:
    """Legal lines that an ad's words lack. Search ads carry them on their page: a warning there."""
    findings = []
    for at, ad_set in enumerate(ticket.ad_sets):
        for ad_at, ad in enumerate(ad_set.ads):
            said = _folded(" ".join((*ad.texts, *ad.descriptions, *ad.headlines, ad.long_headline)))
            for line in lines:
                if _folded(line) not in said:
                    severity = "warn" if ad.format == "SEARCH_TEXT" else "block"
                    where = f"ad_sets[{at}].ads[{ad_at}].texts"
                    findings.append(Finding("qa.legal_line", where, severity, params={"line": line}))  # type: ignore[arg-type]
    return findings


# ------------------------------------------------------------------------------------ QA: budgets


def days(ticket: TicketSnapshot, ad_set: AdSetSnapshot | None = None) -> int:
    """Days of the flight in the account's zone, both ends included."""
    start = (ad_set.start if ad_set and ad_set.start else ticket.start).date()
    end = (ad_set.end if ad_set and ad_set.end else ticket.end or ticket.start).date()
    return max((end - start).days + 1, 1)


def spend(ticket: TicketSnapshot) -> tuple[Decimal, Decimal] | None:
    """(the most a day, the most over the flight) of all budgets, in the ticket's currency; None without any.

    A lifetime budget may all be spent on few days, so that a day is reckoned as lifetime ÷ days.
    """
    budgets: list[tuple[Budget, int]] = []
    if ticket.budget_level == "CAMPAIGN":
        if ticket.budget:
            budgets.append((ticket.budget, days(ticket)))
    else:
        budgets = [(each.budget, days(ticket, each)) for each in ticket.ad_sets if each.budget]
    if not budgets:
        return None
    daily = sum((b.amount if b.kind == "DAILY" else b.amount / n for b, n in budgets), Decimal(0))
    lifetime = sum((b.amount if b.kind == "LIFETIME" else b.amount * n for b, n in budgets), Decimal(0))
    return daily, lifetime


def budget_limit_findings(
    ticket: TicketSnapshot, *, usd_rate: Decimal | None, rate_day: date | None, daily: Decimal, lifetime: Decimal,
    cap: Decimal | None, today: date, stale_after_days: int = 30,
) -> list[Finding]:  # fmt: skip
    """The house limits in USD and the account's own cap. `usd_rate` is USD for one of the ticket's currency."""
    field = "budget" if ticket.budget_level == "CAMPAIGN" else "ad_sets"
    planned = spend(ticket)
    if planned is None:
        return [Finding("qa.no_budget", field)]
    if usd_rate is None:
        params = {"source": ticket.currency, "target": "USD", "on": today.isoformat()}
        return [Finding("money.no_rate", field, params=params)]
    findings = []
    for code, amount, limit in (
        ("qa.daily_limit", planned[0], daily),
        ("qa.lifetime_limit", planned[1], lifetime),
    ):
        if amount * usd_rate > limit:
            params = {
                "total": _both(amount, ticket.currency, usd_rate),
                "limit": money.shown(limit, "USD", "en"),
            }
            findings.append(Finding(code, field, params=params))
    if cap is not None and planned[0] > cap:
        params = {
            "total": money.shown(planned[0], ticket.currency, "en"), "cap": money.shown(cap, ticket.currency, "en"),
            "times": money.plain((planned[0] / cap).quantize(Decimal("0.1"))),
        }  # fmt: skip
        findings.append(Finding("qa.account_cap", field, params=params))
    if ticket.currency != "USD" and rate_day and (today - rate_day).days > stale_after_days:
        params = {"currency": ticket.currency, "day": rate_day.isoformat()}
        findings.append(Finding("qa.rate_old", field, "warn", params=params))
    return findings


def _both(amount: Decimal, currency: str, usd_rate: Decimal) -> str:
    own = money.shown(amount, currency, "en")
    return own if currency == "USD" else f"{own} ({money.shown(amount * usd_rate, 'USD', 'en')})"


# ------------------------------------------------------------------------------------ QA: the rest


def flight_findings(
    ticket: TicketSnapshot, *, today: date, campaign_start: date, campaign_end: date
) -> list[Finding]:
    """Flights of ticket and ad sets: not begun in the past, and within the campaign's days."""
    spans = [("start_on", ticket.start, ticket.end)]
    spans += [
        (f"ad_sets[{at}].start_on", each.start or ticket.start, each.end or ticket.end)
        for at, each in enumerate(ticket.ad_sets)
    ]
    findings = []
    for field, start, end in spans:
        if start.date() < today:
            params = {
                "start": start.date().isoformat(),
                "today": today.isoformat(),
                "zone": ticket.account.time_zone,
            }
            findings.append(Finding("qa.past_start", field, params=params))
        if start.date() < campaign_start or (end and end.date() > campaign_end):
            params = {
                "start": start.date().isoformat(), "end": end.date().isoformat() if end else "",
                "campaign_start": campaign_start.isoformat(), "campaign_end": campaign_end.isoformat(),
            }  # fmt: skip
            findings.append(Finding("qa.outside_campaign", field, params=params))
    return findings


def geo_findings(ticket: TicketSnapshot) -> list[Finding]:
    return [
        Finding("qa.no_geo", f"ad_sets[{at}].geo") for at, each in enumerate(ticket.ad_sets) if each.geo.empty
    ]


# ------------------------------------------------------------------------------------- QA: media

#: What a file may be used as.
_VIDEO_KINDS = frozenset({"VIDEO"})
_EITHER = frozenset({"CARD"})


def media_findings(ticket: TicketSnapshot) -> list[Finding]:
    """Files of ours that are gone, or of the wrong sort for what they are used as. Platforms check the rest."""
    return [
        finding
        for at, ad_set in enumerate(ticket.ad_sets)
        for ad_at, ad in enumerate(ad_set.ads)
        for kind, file in ad.files
        if (finding := _file_finding(f"ad_sets[{at}].ads[{ad_at}].{_files_field(kind)}", kind, file))
    ]


def _files_field(kind: str) -> str:
    return "cards" if kind == "CARD" else "media"


def _file_finding(field: str, kind: str, file: File) -> Finding | None:
    if file.size == 0:  # the snapshot of a file that the library doesn't have
        return Finding("media.unknown_file", field, params={"sha256": file.sha256})
    if kind == "YOUTUBE_VIDEO":
        return Finding("media.not_uploadable", field, params={"name": file.name})
    if kind not in _EITHER and file.is_video != (kind in _VIDEO_KINDS):
        params = {"name": file.name, "kind": kind, "is_a": file.content_type}
        return Finding("media.wrong_kind", field, params=params)
    return None
