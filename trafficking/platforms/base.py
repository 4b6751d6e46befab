"""The contract between the house and a platform.

Values in, values out: nothing here or below imports a Django model, so that each platform can be
read, tested and fuzzed alone. A platform is one folder with `compile.py`, `client.py`, `errors.py`,
`reference.py`, `messages.py` and `sandbox.py`, found by `registry.py`.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal
from urllib.parse import quote, urlsplit, urlunsplit

import requests

from governance.findings import Finding, Message

# --------------------------------------------------------------------------- the neutral vocabulary

Objective = Literal[
    "AWARENESS", "REACH", "TRAFFIC", "ENGAGEMENT", "VIDEO_VIEWS", "LEADS", "APP_PROMOTION", "SALES"
]
BudgetKind = Literal["DAILY", "LIFETIME"]
BudgetLevel = Literal["CAMPAIGN", "AD_SET"]
Gender = Literal["MALE", "FEMALE"]
Political = Literal["UNSTATED", "CONTAINS", "DOES_NOT_CONTAIN"]
#: What an ad set is optimised for. A platform refuses, with a finding, those that it does not have.
Goal = Literal[
    "REACH", "IMPRESSIONS", "CLICKS", "LANDING_PAGE_VIEWS", "ENGAGEMENT", "VIDEO_VIEWS",
    "LEADS", "APP_INSTALLS", "CONVERSIONS", "CONVERSION_VALUE",
]  # fmt: skip
BillingEvent = Literal["IMPRESSIONS", "CLICKS", "VIDEO_VIEWS", "ACTIONS"]
BidStrategy = Literal["LOWEST_COST", "COST_CAP", "BID_CAP", "TARGET_ROAS"]
AdFormat = Literal["IMAGE", "VIDEO", "CAROUSEL", "SEARCH_TEXT", "RESPONSIVE_DISPLAY"]
MediaKind = Literal["IMAGE", "SQUARE_IMAGE", "PORTRAIT_IMAGE", "LOGO", "VIDEO", "YOUTUBE_VIDEO", "THUMBNAIL"]
KeywordMatch = Literal["EXACT", "PHRASE", "BROAD"]
ConfigLevel = Literal["campaign", "ad_set", "ad"]
CallToAction = Literal[
    "LEARN_MORE", "SHOP_NOW", "SIGN_UP", "DOWNLOAD", "INSTALL", "BOOK_NOW", "CONTACT_US",
    "APPLY_NOW", "GET_QUOTE", "SUBSCRIBE", "WATCH_MORE", "GET_OFFER", "ORDER_NOW", "PLAY_GAME",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Account:
    """The platform account that a ticket spends from. Ids as the platform writes them, no secrets."""

    external_id: str
    currency: str  # ISO 4217
    time_zone: str  # IANA
    page_id: str = ""  # Meta page
    instagram_user_id: str = ""  # Meta
    pixel_id: str = ""  # Meta pixel/dataset, TikTok pixel
    identity_id: str = ""  # TikTok
    identity_type: str = ""  # TikTok: CUSTOMIZED_USER, TT_USER, BC_AUTH_TT
    app_id: str = ""
    login_customer_id: str = ""  # Google manager account
    conversion_action_id: str = ""  # Google


@dataclass(frozen=True, slots=True)
class Budget:
    """An amount in the currency's major unit (Decimal('19.99'), never a float)."""

    amount: Decimal
    kind: BudgetKind


@dataclass(frozen=True, slots=True)
class GeoPlace:
    """A place smaller than a country, by the platform's own id (`name` is for people)."""

    id: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Geo:
    """Where to show ads. `countries` are ISO 3166-1 alpha-2; each platform maps them to its ids."""

    countries: tuple[str, ...] = ()
    regions: tuple[GeoPlace, ...] = ()
    cities: tuple[GeoPlace, ...] = ()
    excluded_countries: tuple[str, ...] = ()
    excluded_regions: tuple[GeoPlace, ...] = ()
    excluded_cities: tuple[GeoPlace, ...] = ()

    @property
    def empty(self) -> bool:
        return not (self.countries or self.regions or self.cities)


@dataclass(frozen=True, slots=True)
class Interest:
    id: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Daypart:
    """Hours of one weekday in the account's time: Monday is 0; `end_hour` is exclusive, 1 to 24."""

    day: int
    start_hour: int
    end_hour: int


@dataclass(frozen=True, slots=True)
class FrequencyCap:
    """At most `impressions` per person in `days` days."""

    impressions: int
    days: int


@dataclass(frozen=True, slots=True)
class Keyword:
    text: str
    match: KeywordMatch


@dataclass(frozen=True, slots=True)
class Media:
    """A file that already lies in the platform's library, by the platform's id.

    Meta: image hash (IMAGE, THUMBNAIL) or video id. TikTok: image id or video id. Google: asset id,
    or for YOUTUBE_VIDEO the 11-character video id.
    """

    kind: MediaKind
    id: str


@dataclass(frozen=True, slots=True)
class Card:
    """One card of a carousel."""

    media_id: str
    headline: str = ""
    description: str = ""
    landing_page: str = ""


@dataclass(frozen=True, slots=True)
class AdSnapshot:
    intent_id: str  # UUID, stable over the life of the ad
    name: str  # governed
    format: AdFormat
    texts: tuple[str, ...] = ()  # primary texts
    headlines: tuple[str, ...] = ()
    descriptions: tuple[str, ...] = ()
    long_headline: str = ""
    business_name: str = ""
    call_to_action: str = ""
    landing_page: str = ""  # without UTM; see `tagged_url`
    display_paths: tuple[str, ...] = ()  # search ads: at most two
    utm: tuple[tuple[str, str], ...] = ()  # (parameter, value with neutral {macros})
    media: tuple[Media, ...] = ()
    cards: tuple[Card, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)

    def media_ids(self, *kinds: MediaKind) -> list[str]:
        return [media.id for media in self.media if media.kind in kinds]


@dataclass(frozen=True, slots=True)
class AdSetSnapshot:
    """An ad set (Meta) or ad group (TikTok, Google)."""

    intent_id: str
    name: str  # governed
    goal: str = ""
    billing_event: str = ""
    bid_strategy: str = "LOWEST_COST"
    bid_amount: Decimal | None = None
    budget: Budget | None = None  # when the ticket's budget level is AD_SET
    start: datetime | None = None  # aware, in the account's zone; inclusive
    end: datetime | None = None  # aware, in the account's zone; the last second, inclusive
    dayparts: tuple[Daypart, ...] = ()
    frequency_cap: FrequencyCap | None = None
    geo: Geo = Geo()
    languages: tuple[str, ...] = ()  # ISO 639-1
    age_min: int | None = None
    age_max: int | None = None  # None: no upper end
    genders: tuple[str, ...] = ()  # empty: all
    interests: tuple[Interest, ...] = ()
    audiences_include: tuple[str, ...] = ()  # the platform's audience ids
    audiences_exclude: tuple[str, ...] = ()
    placements: tuple[str, ...] = ()  # the platform's own names; empty: automatic
    conversion_event: str = ""  # neutral: PURCHASE, LEAD, ADD_TO_CART, …
    keywords: tuple[Keyword, ...] = ()
    negative_keywords: tuple[Keyword, ...] = ()
    ads: tuple[AdSnapshot, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TicketSnapshot:
    """Everything that a platform needs to know of a ticket, frozen.

    `buying_type` is the channel's API identifier: `AUCTION` on Meta and TikTok; `SEARCH`, `DISPLAY`
    or `DEMAND_GEN` on Google. `start` and `end` bound the whole flight.
    """

    ticket_id: str
    platform: str
    buying_type: str
    request_type: str
    name: str  # governed campaign name
    objective: str
    account: Account
    brand_name: str
    market_country: str
    currency: str  # the account's
    budget_level: str
    start: datetime
    end: datetime | None
    ad_sets: tuple[AdSetSnapshot, ...] = ()
    budget: Budget | None = None  # when the budget level is CAMPAIGN
    bid_strategy: str = "LOWEST_COST"  # when the budget level is CAMPAIGN
    bid_amount: Decimal | None = None
    special_ad_categories: tuple[str, ...] | None = None  # None: nobody has stated it
    special_ad_category_countries: tuple[str, ...] = ()
    political: str = "UNSTATED"
    dsa_beneficiary: str = ""
    dsa_payor: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)  # payload_config


# ----------------------------------------------------------------------------------- what is sent


@dataclass(frozen=True, slots=True)
class PlannedObject:
    """An object that an operation creates. `intent` is the UUID of its ad set or ad, or the ticket's."""

    ref: str
    type: str  # campaign | budget | ad_set | creative | ad | criterion | asset | …
    name: str
    intent: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One HTTP call.

    `body` is the JSON value to send, in the platform's own field names; how it goes on the wire (form,
    JSON) is the client's business. Where it needs an id that an earlier operation brings, the body
    holds a readable stand-in and `bindings` maps the JSON pointer of that place to the earlier
    object's ref: `{"/campaign_id": "campaign"}`. `sources` maps body pointers to the ticket fields
    that they came from: `{"/daily_budget": "ad_sets[0].budget"}`.
    """

    ref: str
    action: str  # create
    object_type: str
    method: str
    path: str
    body: Any
    objects: tuple[PlannedObject, ...]
    bindings: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def parents(self) -> list[str]:
        return sorted(set(self.bindings.values()))

    def bound_body(self, external_ids: Mapping[str, str]) -> Any:
        """The body with every stand-in replaced by the external id; KeyError when one is missing."""
        body = json.loads(json.dumps(self.body))
        for pointer, ref in self.bindings.items():
            _set_at(body, pointer, external_ids[ref])
        return body

    def as_dict(self) -> dict[str, Any]:
        return {
            "ref": self.ref,
            "action": self.action,
            "object_type": self.object_type,
            "method": self.method,
            "path": self.path,
            "body": self.body,
            "parents": self.parents,
            "bindings": dict(self.bindings),
            "objects": [
                {"ref": o.ref, "type": o.type, "name": o.name, "intent": o.intent} for o in self.objects
            ],
            "sources": dict(self.sources),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Operation:
        return cls(
            ref=stored["ref"],
            action=stored["action"],
            object_type=stored["object_type"],
            method=stored["method"],
            path=stored["path"],
            body=stored["body"],
            objects=tuple(PlannedObject(**each) for each in stored["objects"]),
            bindings=stored["bindings"],
            sources=stored["sources"],
        )


@dataclass(frozen=True, slots=True)
class Compiled:
    """What `compile` answers: the operations in the order to send them, and all findings.

    With a blocking finding the operations may be fewer, never half-right: an object that can't be
    expressed is left out.
    """

    operations: tuple[Operation, ...]
    findings: tuple[Finding, ...] = ()


def plan_digest(platform: str, api_version: str, account_id: str, operations: Sequence[Operation]) -> str:
    """sha-256 (hex) over what would be sent, where, and in which API version.

    Built from canonical JSON of the operations without `sources`, which explain and are not sent.
    """
    sent = [{k: v for k, v in op.as_dict().items() if k != "sources"} for op in operations]
    contract = {"platform": platform, "api_version": api_version, "account": account_id, "operations": sent}
    text = json.dumps(contract, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


# ------------------------------------------------------------------------------ what comes back


@dataclass(frozen=True, slots=True)
class Applied:
    """It is done. `external_ids` by the refs of the operation's objects; `response` as received."""

    external_ids: Mapping[str, str]
    response: Any = None
    http_status: int | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The platform refused it for good. `message` are the platform's own words."""

    code: str
    message: str
    pointer: str = ""  # JSON pointer into the operation's body, where the platform names one
    response: Any = None
    http_status: int | None = None


@dataclass(frozen=True, slots=True)
class RetryLater:
    """Certainly not done: throttled, or the connection was never made.

    `after` is the platform's own waiting time in seconds, None where it gave none (back off then).
    """

    reason: str
    after: float | None = None
    response: Any = None
    http_status: int | None = None


@dataclass(frozen=True, slots=True)
class InDoubt:
    """Perhaps done: the answer was lost, cut, or a server error. Look before sending again."""

    reason: str
    response: Any = None
    http_status: int | None = None


@dataclass(frozen=True, slots=True)
class NeedsAuth:
    """Token or permission: nothing works until a person mends the account's credentials."""

    reason: str
    response: Any = None
    http_status: int | None = None


Outcome = Applied | Rejected | RetryLater | InDoubt | NeedsAuth


@dataclass(frozen=True, slots=True)
class NotFound:
    """Looked under the parent by the governed name, and it is not there (reads may lag)."""


@dataclass(frozen=True, slots=True)
class ReadBack:
    """An object as the platform has it now, in neutral words for what is compared everywhere.

    `paused` is None for objects that have no status of their own (budgets, creatives, assets).
    """

    external_id: str
    name: str | None
    paused: bool | None
    raw: Mapping[str, Any]


# ------------------------------------------------------------------------------------ the platform


@dataclass(frozen=True, slots=True)
class Connection:
    """Where and as whom to call. `credentials` stay in memory; never log or store this object."""

    base_url: str
    account: Account
    credentials: Mapping[str, str] = field(repr=False)
    timeout_s: float = 30.0


class Client(ABC):
    """One HTTP call per method, over one `requests.Session`. Raises nothing for what a platform answers."""

    def __init__(self, connection: Connection, session: requests.Session) -> None:
        self.connection = connection
        self.session = session

    @abstractmethod
    def apply(self, operation: Operation, external_ids: Mapping[str, str]) -> Outcome:
        """Send it once. `external_ids` holds the ids of all earlier refs."""

    @abstractmethod
    def find(
        self, operation: Operation, external_ids: Mapping[str, str]
    ) -> Applied | NotFound | RetryLater | NeedsAuth | InDoubt:
        """After a lost answer: look for what `apply` would have created, by name under its parent."""

    @abstractmethod
    def read(
        self, object_type: str, external_id: str
    ) -> ReadBack | NotFound | RetryLater | NeedsAuth | InDoubt:
        """One object as it is now."""

    @abstractmethod
    def set_paused(self, object_type: str, external_id: str) -> Outcome:
        """Pause one object (TikTok may ignore the status at creation)."""


class Platform(ABC):
    """A platform as the registry knows it: a stateless bundle of the folder's functions and data."""

    key: ClassVar[str]  # meta | tiktok | google_ads
    label: ClassVar[str]
    api_version: ClassVar[str]
    live_url: ClassVar[str]  # base URL of the real API
    buying_types: ClassVar[Mapping[str, str]]  # channel api_identifier -> label
    credential_fields: ClassVar[Mapping[str, str]]  # name -> help text, for the account form
    #: whether ad sets can have budgets of their own; otherwise the campaign has the only one
    ad_set_budgets: ClassVar[bool] = True
    #: what its sandbox is shown in place of secrets; real ones never go there
    sandbox_credentials: ClassVar[Mapping[str, str]] = {"access_token": "sandbox"}
    messages: ClassVar[Mapping[str, Message]]  # finding codes of this platform
    #: neutral macro -> the platform's own click macro: campaign_id, ad_set_id, ad_id
    macros: ClassVar[Mapping[str, str]]
    #: JSON Schema of `Ticket.payload_config`, generated from the reference
    config_schema: ClassVar[Mapping[str, Any]]

    @abstractmethod
    def config_schema_for(self, level: ConfigLevel) -> Mapping[str, Any]:
        """JSON Schema of the platform settings of a ticket ("campaign"), ad set or ad: closed, whole in itself."""

    @abstractmethod
    def compile(self, ticket: TicketSnapshot) -> Compiled:
        """The whole tree as operations, everything paused. Pure; never raises for bad tickets."""

    @abstractmethod
    def check(self, operations: Sequence[Operation]) -> list[Finding]:
        """Payload schema: required fields, enums, types and lengths of each body, from the reference."""

    @abstractmethod
    def client(self, connection: Connection, session: requests.Session) -> Client: ...

    @abstractmethod
    def currency_unit(self, currency: str) -> Decimal | None:
        """Smallest amount in `currency` that the platform can express; None: currency not listed."""


# ------------------------------------------------------------------------------------ shared rules


def utm_query(params: Sequence[tuple[str, str]], macros: Mapping[str, str]) -> str:
    """UTM parameters as a query string: values percent-encoded, the platform's macros left verbatim.

    `{campaign_id}`, `{ad_set_id}` and `{ad_id}` in a value become the platform's own macro.
    """
    return "&".join(f"{quote(key, safe='')}={_with_macros(value, macros)}" for key, value in params)


def tagged_url(url: str, params: Sequence[tuple[str, str]], macros: Mapping[str, str]) -> str:
    """`url` with the UTM query appended; its own query and fragment stay; own parameters win."""
    parts = urlsplit(url)
    present = {pair.partition("=")[0] for pair in parts.query.split("&") if pair}
    added = utm_query([(k, v) for k, v in params if quote(k, safe="") not in present], macros)
    query = "&".join(filter(None, [parts.query, added]))
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, parts.fragment))


def in_units(amount: Decimal, unit: Decimal) -> int | None:
    """`amount` as a whole number of `unit`s, exactly; None where it can't be expressed."""
    units = amount / unit
    return int(units) if units == units.to_integral_value() else None


def stand_in(ref: str) -> str:
    """What a body shows where an id will be."""
    return f"<{ref}>"


def _with_macros(value: str, macros: Mapping[str, str]) -> str:
    out, rest = [], value
    while rest:
        start = rest.find("{")
        end = rest.find("}", start)
        name = rest[start + 1 : end] if 0 <= start < end else None
        if name is None:
            out.append(quote(rest, safe=""))
            break
        out.append(quote(rest[:start], safe=""))
        out.append(macros[name] if name in macros else quote(rest[start : end + 1], safe=""))
        rest = rest[end + 1 :]
    return "".join(out)


def _set_at(body: Any, pointer: str, value: str) -> None:
    *way, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    for part in way:
        body = body[int(part)] if isinstance(body, list) else body[part]
    if isinstance(body, list):
        body[int(last)] = value
    else:
        body[last] = value
