"""What stands on the board: its columns, and the cards in them. A fixed number of queries, whatever there is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.admin import flight
from campaigns.models import CampaignChannel
from trafficking import live
from trafficking.admin_parts import REQUEST_BADGES, REQUEST_WORDS, STATUS_BADGES, ticket_budget
from trafficking.models import AdSet, PlatformObject, Ticket
from trafficking.statuses import Status

S = Status
#: Cards in one column; the rest is behind its "more".
MOST_CARDS = 50
#: Stands beside the statuses: built on the platform, and switched on there or not.
BUILT, LIVE = "BUILT", "LIVE"


@dataclass(frozen=True, slots=True)
class Column:
    """`holds` are statuses, BUILT or LIVE; `listed` is the condition of its "more" in the ticket list."""

    key: str
    title: Any
    help: Any
    holds: tuple[str, ...]
    listed: str


COLUMNS = (
    Column("draft", _("Draft"), _("Being filled in. Drop a card here to withdraw it and change it."), (S.DRAFT,), "status__exact=DRAFT"),
    Column(
        "qa", _("QA"), _("Checked, and something is to be mended. Drop a draft here: QA runs."),
        (S.QA_TESTING, S.QA_FAILED), "status__in=QA_TESTING,QA_FAILED",
    ),
    Column(
        "approval", _("Approval"), _("QA passed: it waits for a second person, or, approved, to be deployed."),
        (S.READY_FOR_API, S.APPROVED), "status__in=READY_FOR_API,APPROVED",
    ),
    Column(
        "trafficking", _("Trafficking"),
        _("On its way to the platform, or built there and not switched on: it spends nothing until it is activated."),
        (S.QUEUED, S.DEPLOYING, BUILT), "status__in=QUEUED,DEPLOYING,TRAFFICKED_SUCCESS",
    ),
    Column(
        "live", _("Live"), _("Built and active on the platform, as it was last read. Drop a built card here to ask for its activation."),
        (LIVE,), "on_air=yes",
    ),
    Column(
        "failed", _("Failed / In doubt"), _("A deployment stopped. Open the card to see why; drop it on Trafficking to try again."),
        (S.FAILED, S.IN_DOUBT), "status__in=FAILED,IN_DOUBT",
    ),
)  # fmt: skip
BY_KEY = {each.key: each for each in COLUMNS}
_COLUMN_OF = {held: each.key for each in COLUMNS for held in each.holds}


@dataclass(frozen=True, slots=True)
class Wanted:
    """The board's filter: primary keys, None for all."""

    brand: int | None = None
    market: int | None = None
    channel: int | None = None
    owner: int | None = None

    def of(self, tickets: QuerySet[Ticket]) -> QuerySet[Ticket]:
        lookups = {
            "campaign__brand_id": self.brand, "campaign__market_id": self.market, "channel_id": self.channel, "owner_id": self.owner,
        }  # fmt: skip
        return tickets.filter(**{name: pk for name, pk in lookups.items() if pk is not None})

    @property
    def listed(self) -> str:
        """The same filter in the ticket list."""
        names = {
            "campaign__brand__id__exact": self.brand, "campaign__market__id__exact": self.market,
            "channel__id__exact": self.channel, "owner__id__exact": self.owner,
        }  # fmt: skip
        return "".join(f"&{name}={pk}" for name, pk in names.items() if pk is not None)


@dataclass(frozen=True, slots=True)
class Card:
    """One ticket as the board shows it; `column` is "" where it has left the board."""

    ticket: Ticket
    standing: live.Standing
    column: str
    badge: str = ""
    budget: str = ""
    flight: str = ""
    blocks: int = 0
    warns: int = 0
    request: str = ""
    request_badge: str = ""


@dataclass(slots=True)
class Filled:
    column: Column
    cards: list[Card] = field(default_factory=list)
    more: str = ""

    @property
    def count(self) -> str:
        return f"{MOST_CARDS}+" if self.more else str(len(self.cards))


def standing_word(ticket: Ticket, standing: live.Standing) -> str:
    """Its status, BUILT or LIVE; "" for what is done and over."""
    if ticket.status != S.TRAFFICKED_SUCCESS:
        return ticket.status
    if ticket.request_type != Ticket.RequestType.CREATE or ticket.end_on < _yesterday():
        return ""  # a change that was carried out shows on its campaign's own card
    if standing.on_air:
        return LIVE
    return BUILT if getattr(ticket, "still_held", True) else ""


def _yesterday() -> date:
    """The last day that may not be over yet somewhere on earth."""
    return timezone.now().date() - timedelta(days=1)


def column_of(ticket: Ticket, standing: live.Standing) -> str:
    return _COLUMN_OF.get(standing_word(ticket, standing), "")


def fill(user: Any, wanted: Wanted, *, listed: str) -> list[Filled]:
    """Every column with its newest cards by activity. `listed` is the ticket list's address, for what is beyond."""
    mine = wanted.of(Ticket.objects.visible_to(user))
    keys = {each.key: _newest(mine, each) for each in COLUMNS}
    found = {
        each.ticket.pk: each for each in cards(user, [pk for pks in keys.values() for pk in pks[:MOST_CARDS]])
    }
    columns = []
    for each in COLUMNS:
        pks = keys[each.key]
        more = f"{listed}?{each.listed}{wanted.listed}" if len(pks) > MOST_CARDS else ""
        columns.append(Filled(each, [found[pk] for pk in pks[:MOST_CARDS] if pk in found], more))
    return columns


def _newest(tickets: QuerySet[Ticket], column: Column) -> list[int]:
    """One query a status: each is a walk along an index that stops after a page."""
    rows: list[tuple[datetime, int]] = []
    for held in column.holds:
        ordered = _holding(tickets, held).order_by("-updated_at", "-pk")
        rows += ordered.values_list("updated_at", "pk")[: MOST_CARDS + 1]
    return [pk for _at, pk in sorted(rows, reverse=True)][: MOST_CARDS + 1]


def _holding(tickets: QuerySet[Ticket], held: str) -> QuerySet[Ticket]:
    if held not in (BUILT, LIVE):
        return tickets.filter(status=held)
    built = tickets.filter(
        status=S.TRAFFICKED_SUCCESS, request_type=Ticket.RequestType.CREATE, end_on__gte=_yesterday()
    )
    return built.filter(live.on_air()) if held == LIVE else built.exclude(live.on_air()).filter(_still_held())


def _still_held() -> Exists:
    objects = PlatformObject.objects.filter(
        tree__campaign_id=OuterRef("campaign_id"),
        tree__channel_id=OuterRef("channel_id"),
        object_type="campaign",
    )
    return Exists(objects.exclude(status="ARCHIVED"))


def cards(user: Any, pks: Iterable[int]) -> list[Card]:
    """Of those that are the person's: tickets with budgets, standings, progress; four queries."""
    wanted = list(pks)
    names = CampaignChannel.objects.filter(
        campaign_id=OuterRef("campaign_id"), channel_id=OuterRef("channel_id")
    )
    budgets = AdSet.objects.only("ticket_id", "budget", "budget_type").order_by("position")
    mine = Ticket.objects.visible_to(user).filter(pk__in=wanted)
    rows = (
        mine.select_related("campaign__brand", "campaign__market", "channel", "ad_account", "owner")
        .defer("ad_account__credentials", "payload_config", "scope", "budget_source")
        .annotate(on_platform=Subquery(names.values("governed_name")[:1]), still_held=_still_held())
        .prefetch_related(Prefetch("ad_sets", queryset=budgets))
    )
    standings = {each.pk: each for each in live.standings(mine)}
    return [_card(row, standings[row.pk]) for row in rows if row.pk in standings]


def _card(row: Ticket, standing: live.Standing) -> Card:
    blocks = sum(each.get("severity") == "block" for each in row.findings)
    return Card(
        ticket=row, standing=standing, column=column_of(row, standing), badge=STATUS_BADGES.get(row.status, ""),
        budget=ticket_budget(row), flight=flight(row), blocks=blocks, warns=len(row.findings) - blocks,
        request=str(REQUEST_WORDS[row.request_type]), request_badge=REQUEST_BADGES.get(row.request_type, ""),
    )  # fmt: skip
