"""The contract between the house and a platform.

Values in, values out: nothing here or below imports a Django model, so that each platform can be
read, tested and fuzzed alone. A platform is one folder with `compile.py`, `client.py`, `errors.py`,
`reference.py`, `messages.py` and `sandbox.py`, found by `registry.py`.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, BinaryIO, ClassVar, Literal
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
#: What a ticket asks for. ADD is an UPDATE that may only bring new ad sets and ads; RENAME one that changes names only.
RequestType = Literal["CREATE", "UPDATE", "ADD", "PAUSE", "ACTIVATE", "ARCHIVE", "RENAME"]
#: What an operation does. `await` asks whether an uploaded video is ready, and waits by RetryLater.
Action = Literal["create", "update", "pause", "activate", "archive", "upload", "await"]
#: Status of a campaign, ad set or ad in neutral words; "" for objects that have none.
RunStatus = Literal["ACTIVE", "PAUSED", "ARCHIVED", ""]
#: What changing a field of an object that exists means: `learning` is an update that restarts learning (or review),
#: `replace` a new object beside the old one, which is archived.
ChangeKind = Literal[
    "update", "learning", "replace", "impossible", "create", "archive", "pause", "activate", "upload",
]  # fmt: skip
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
class File:
    """An image or video of ours that is to be uploaded, known by its content. Measured, never guessed."""

    sha256: str  # hex
    name: str  # file name, for people and for the platform's library
    content_type: str  # image/jpeg, image/png, image/gif, image/webp, video/mp4, video/quicktime, …
    size: int  # bytes
    width: int  # pixels
    height: int  # pixels
    duration_s: Decimal | None = None  # videos
    codec: str = ""  # videos: AVC, HEVC, … as MediaInfo says

    @property
    def is_video(self) -> bool:
        return self.content_type.startswith("video/")

    @property
    def ref(self) -> str:
        """Ref of the operation and object that upload it: once per plan."""
        return f"media:{self.sha256[:24]}"


@dataclass(frozen=True, slots=True)
class Media:
    """A file in the platform's library by the platform's id, or one of ours that is uploaded first.

    `id` for Meta: image hash (IMAGE, THUMBNAIL) or video id. TikTok: image id or video id. Google: asset id,
    or for YOUTUBE_VIDEO the 11-character video id. Exactly one of `id` and `file` is set; `reference` is what a
    body shows: the id, or the stand-in that is bound to the upload's ref.
    """

    kind: MediaKind
    id: str = ""
    file: File | None = None

    @property
    def reference(self) -> str:
        return stand_in(self.file.ref) if self.file else self.id


@dataclass(frozen=True, slots=True)
class Card:
    """One card of a carousel; its picture by the platform's id, or a file of ours."""

    media_id: str = ""
    headline: str = ""
    description: str = ""
    landing_page: str = ""
    file: File | None = None

    @property
    def reference(self) -> str:
        return stand_in(self.file.ref) if self.file else self.media_id


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
        """References of these kinds, as they stand in a body."""
        return [media.reference for media in self.media if media.kind in kinds]

    @property
    def files(self) -> list[tuple[MediaKind | Literal["CARD"], File]]:
        """Every file of ours that it needs, with what it is used as."""
        own: list[Any] = [(media.kind, media.file) for media in self.media if media.file]
        return own + [("CARD", card.file) for card in self.cards if card.file]


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
    request_type: str  # RequestType
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
    #: intents of the ad sets and ads that PAUSE, ACTIVATE or ARCHIVE is about; empty: the whole campaign
    scope: tuple[str, ...] = ()


# ----------------------------------------------------------------------------------- what is sent


@dataclass(frozen=True, slots=True)
class PlannedObject:
    """An object that an operation creates or changes. `intent` is the UUID of its ad set or ad, or the ticket's.

    `external_id` is set where the object exists already. `expect` are the fields (as `Platform.fields_of` reads
    them, and "status" as a RunStatus) that a changing operation leaves behind: after a lost answer they tell
    whether it landed.
    """

    ref: str
    type: str  # campaign | budget | ad_set | creative | ad | criterion | asset | media | …
    name: str
    intent: str = ""
    external_id: str = ""
    expect: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """One HTTP call.

    `body` is the JSON value to send, in the platform's own field names; how it goes on the wire (form,
    JSON) is the client's business. Where it needs an id that an earlier operation brings, the body
    holds a readable stand-in and `bindings` maps the JSON pointer of that place to the earlier
    object's ref: `{"/campaign_id": "campaign"}`. `sources` maps body pointers to the ticket fields
    that they came from: `{"/daily_budget": "ad_sets[0].budget"}`.
    """

    ref: str  # of a create: the object's; of a change: "<action>:<object's ref>", unique within the plan
    action: str  # Action
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
            "objects": [_planned_dict(each) for each in self.objects],
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


def _planned_dict(planned: PlannedObject) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "ref": planned.ref,
        "type": planned.type,
        "name": planned.name,
        "intent": planned.intent,
    }
    if planned.external_id:
        plain["external_id"] = planned.external_id
    if planned.expect:
        plain["expect"] = dict(planned.expect)
    return plain


@dataclass(frozen=True, slots=True)
class Wanted:
    """An object as a CREATE plan would leave it, in the words in which the platform reads it back.

    `fields` holds JSON values in the platform's own field names, in the one form that `Platform.fields_of` gives
    for the same thing (a budget as the text that Meta answers with, times in one zone and format, lists in one
    order). Two equal things are equal here. What can't be read back (idempotency keys, validate flags) is left out.
    """

    ref: str
    type: str
    name: str
    intent: str
    parent: str  # ref; "" for the campaign
    fields: Mapping[str, Any]
    sources: Mapping[str, str] = field(default_factory=dict)  # field -> ticket field


@dataclass(frozen=True, slots=True)
class Held:
    """An object that the platform holds for us: what was last applied to it, and what it was when last read."""

    ref: str
    type: str
    external_id: str
    name: str
    intent: str
    parent: str  # ref; "" for the campaign
    status: str  # RunStatus, as last read
    applied: Mapping[str, Any]
    live: Mapping[str, Any] | None = None  # None: never read
    held_back: bool = False  # paused on purpose: activating the whole campaign leaves it paused
    #: the platform's values that a person let stand: field -> {"live": …, "over": what the ticket wanted then}
    adopted: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """One line of what the approver reads. `field` is "" where the whole object comes, goes or is switched."""

    ref: str
    type: str
    name: str
    kind: str  # ChangeKind
    field: str = ""
    before: Any = None
    after: Any = None
    source: str = ""  # ticket field
    note: str = ""  # drift: the platform no longer has what was last applied

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Compiled:
    """What `compile` answers: the operations in the order to send them, and all findings.

    With a blocking finding the operations may be fewer, never half-right: an object that can't be
    expressed is left out.
    """

    operations: tuple[Operation, ...]
    findings: tuple[Finding, ...] = ()
    changes: tuple[Change, ...] = ()


def plan_digest(
    platform: str, api_version: str, account_id: str, operations: Sequence[Operation],
    basis: Mapping[str, Any] | None = None,
) -> str:  # fmt: skip
    """sha-256 (hex) over what would be sent, where, in which API version, and on what it was decided.

    Built from canonical JSON of the operations without `sources`, which explain and are not sent. `basis` names what
    else the approval rests on (convention, rules, live state, moment of going live).
    """
    sent = [{k: v for k, v in op.as_dict().items() if k != "sources"} for op in operations]
    contract = {
        "platform": platform,
        "api_version": api_version,
        "account": account_id,
        "operations": sent,
        "basis": dict(basis or {}),
    }
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
    """Perhaps done: the answer was lost, cut, or a server error. Look before sending again.

    `ambiguous`, of a look: several things are there that it could be, and only a person can say.
    """

    reason: str
    response: Any = None
    http_status: int | None = None
    ambiguous: bool = False


@dataclass(frozen=True, slots=True)
class NeedsAuth:
    """Token or permission: nothing works until a person mends the account's credentials."""

    reason: str
    response: Any = None
    http_status: int | None = None


Outcome = Applied | Rejected | RetryLater | InDoubt | NeedsAuth
#: A read that told nothing.
Unread = RetryLater | InDoubt | NeedsAuth


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


ReviewState = Literal["", "PENDING", "APPROVED", "LIMITED", "REJECTED"]
#: Whether it could be shown to people now: LIVE, or why not.
Delivery = Literal["", "LIVE", "IN_REVIEW", "REJECTED", "PAUSED", "SCHEDULED", "ENDED", "ACCOUNT", "PROBLEM"]


@dataclass(frozen=True, slots=True)
class Live:
    """An object as the platform has it now.

    `fields` is in the same words as `Wanted.fields`, with every readable field, None where it is empty; times and
    counters that change by themselves are left out. `parent_id` is the external id of what it hangs under.
    """

    type: str  # campaign | budget | ad_set | creative | ad
    external_id: str
    parent_id: str
    name: str
    status: str  # RunStatus
    fields: Mapping[str, Any]
    review: str = ""  # ReviewState: ads only
    review_reasons: tuple[str, ...] = ()  # the platform's own words
    delivery: str = ""  # Delivery


@dataclass(frozen=True, slots=True)
class Usage:
    """What the last answer said of the account's limit: `share` of it used (0 to 1, the worst of all that were told),
    and how long to stay away (seconds; None: no need)."""

    share: float
    wait_s: float | None = None


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `calls` in any `window_s` seconds, per ad account."""

    calls: int
    window_s: float


# ------------------------------------------------------------------------------------ the platform


@dataclass(frozen=True, slots=True)
class Connection:
    """Where and as whom to call. `credentials` stay in memory; never log or store this object."""

    base_url: str
    account: Account
    credentials: Mapping[str, str] = field(repr=False)
    timeout_s: float = 30.0
    #: opens a file of ours by its sha-256, for uploads; LookupError where it is gone
    open_file: Callable[[str], BinaryIO] | None = field(default=None, repr=False)


class Client(ABC):
    """Few HTTP calls per method, over one `requests.Session`. Raises nothing for what a platform answers."""

    def __init__(self, connection: Connection, session: requests.Session) -> None:
        self.connection = connection
        self.session = session
        #: of the last answer that told it; the engine reads it after each call
        self.usage: Usage | None = None
        #: called before each HTTP request; may raise (rate limits, a lease that has run out)
        self.before_call: Callable[[], None] = _nothing

    @abstractmethod
    def apply(self, operation: Operation, external_ids: Mapping[str, str]) -> Outcome:
        """Send it once. `external_ids` holds the ids of all earlier refs."""

    @abstractmethod
    def find(
        self, operation: Operation, external_ids: Mapping[str, str]
    ) -> Applied | NotFound | RetryLater | NeedsAuth | InDoubt:
        """After a lost answer: did it land?

        create: by name under its parent, leaving out every id that stands in `external_ids` (what was replaced
        stands there under "old:<ref>"). update, pause, activate, archive: read the objects; Applied where all
        `expect` fields agree, NotFound where they don't, so that it is sent again. upload: by content where the
        platform's library can be asked so, else NotFound. await: NotFound.
        """

    def validate(self, operation: Operation, external_ids: Mapping[str, str]) -> Outcome | None:
        """A dry run by the platform: Applied where it would take it. None: this platform has none for it."""
        return None

    @abstractmethod
    def preflight(self) -> tuple[Finding, ...] | Unread:
        """Can this account be built in? Token, permissions, page, identity, pixel, billing, account status, currency
        and time zone as we have them, declarations. All findings (codes `preflight.…`), as `block` or `warn`."""

    @abstractmethod
    def read_tree(self, campaign_id: str) -> tuple[Live, ...] | NotFound | Unread:
        """A campaign with all that hangs under it (archived objects left out), in as few calls as possible.

        NotFound: there is no such campaign (or it is archived)."""

    @abstractmethod
    def list_campaigns(self, *, active_only: bool = False) -> tuple[Live, ...] | Unread:
        """Every campaign of the account that is not archived, by whomever it was made."""

    @abstractmethod
    def read(
        self, object_type: str, external_id: str
    ) -> ReadBack | NotFound | RetryLater | NeedsAuth | InDoubt:
        """One object as it is now."""

    @abstractmethod
    def set_status(self, object_type: str, external_id: str, status: RunStatus) -> Outcome:
        """Switch one campaign, ad set or ad. Sending it twice is harmless."""


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
    #: whether `Wanted` and `Live` name a file of ours by its content, and not by the platform's id
    files_by_content: ClassVar[bool] = False
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

    #: calls per account that a new account may make; an account's own figure overrides it
    rate_limit: ClassVar[RateLimit] = RateLimit(600, 60.0)

    @abstractmethod
    def compile(self, ticket: TicketSnapshot, held: Sequence[Held] = ()) -> Compiled:
        """What to send so that the platform holds what the ticket wants. Pure; never raises for bad tickets.

        CREATE: the whole tree, everything paused, uploads of its files first. The other request types: the
        difference to `held` (see changes.py); PAUSE, ACTIVATE, ARCHIVE and RENAME come ready-made from there.
        """

    def bought_as(self, fields: Mapping[str, Any]) -> str:
        """The buying type that a live campaign's fields tell; "" where they don't. For guesses that a person sees."""
        told = [value for value in fields.values() if isinstance(value, str) and value in self.buying_types]
        return told[0] if len(told) == 1 else ""

    @abstractmethod
    def media_findings(self, file: File, kind: str) -> list[Finding]:
        """What this platform would refuse of a file used as `kind` (MediaKind or "CARD"), before any ticket uses it; the
        same rules as in `compile`."""

    def known_values(
        self, field: str, *, objective: str = "", buying_type: str = ""
    ) -> tuple[str, ...] | None:
        """What this platform's reference takes in a field of an ad set or ad, in the house's words: "goal", "format",
        "call_to_action", "conversion_event", "placements", "countries", "languages". Empty: the platform has no such
        thing here; None: its reference has no list, and QA says what is wrong with a value."""
        return None

    def payload_schemas(self) -> Mapping[str, Mapping[str, Any]]:
        """JSON Schemas of what creates a campaign ("campaign"), ad set and ad, in the words of `Wanted.fields` where a
        dot leads into an object: what QA rules may ask about."""
        return {}

    @abstractmethod
    def wanted(self, operations: Sequence[Operation]) -> tuple[Wanted, ...]:
        """The objects that the creating operations leave behind, of a CREATE plan or of a part of one; what updates and
        switches change is not among them. Google's criteria are fields of their campaign or ad group."""

    @abstractmethod
    def fields_of(self, object_type: str, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        """An object as the platform's API answers it, in the words of `Wanted.fields`."""

    @abstractmethod
    def change_kind(self, object_type: str, field: str, before: Any, after: Any) -> ChangeKind:
        """What changing this field of a live object means, from the reference: update, learning, replace, impossible."""

    @abstractmethod
    def status_operation(self, account: Account, held: Held, status: RunStatus) -> Operation:
        """Switch one object; ref "<pause|activate|archive>:<held.ref>", `expect` {"status": status}."""

    @abstractmethod
    def rename_operation(self, account: Account, held: Held, name: str) -> Operation:
        """Give one object another name; ref "update:<held.ref>", `expect` {"name": name}."""

    @abstractmethod
    def check(self, operations: Sequence[Operation]) -> list[Finding]:
        """Payload schema: required fields, enums, types and lengths of each body, from the reference."""

    @abstractmethod
    def client(self, connection: Connection, session: requests.Session) -> Client: ...

    @abstractmethod
    def currency_unit(self, currency: str) -> Decimal | None:
        """Smallest amount in `currency` that the platform can express; None: currency not listed."""

    def money_unit(self, field: str, currency: str) -> Decimal | None:
        """What 1 in this field of `Wanted.fields` is in the currency's major unit; None: the field is no money."""
        return None

    def budget_of(self, fields: Mapping[str, Any], currency: str) -> Budget | None:
        """The budget that an object with these fields spends from; None: it has none of its own."""
        return None


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


def _nothing() -> None:
    return None


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
