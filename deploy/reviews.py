"""After activation: each ad is followed until the platform has decided on it. Built and proved is one fact, live another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Max, Min, Q, QuerySet
from django.dispatch import Signal
from django.utils import timezone

from deploy import alerts, reading
from deploy.models import Alert, Deployment
from governance.models import AdAccount
from trafficking import requests
from trafficking.models import PlatformObject, Ticket
from trafficking.platforms.registry import platform

#: Sent after people were told (sender: PlatformObject; ad, before, after: states of review).
review_changed = Signal()
#: Decided; REJECTED and LIMITED ones are read on with the drift.
DECIDED = ("APPROVED", "LIMITED", "REJECTED")
ARCHIVED = "ARCHIVED"
#: Reviews end within a day or two; after this the passes for drift are enough.
FOLLOW_FOR = timedelta(days=14)
#: The time to the next look is this share of the time since the last call.
PATIENCE = 0.1
_TOLD_AS = {"REJECTED": "alert.ad_rejected", "LIMITED": "alert.ad_limited", "APPROVED": "alert.ad_approved"}


def undecided_ads() -> QuerySet[PlatformObject]:
    """Ads that are switched on, or in review, and that the platform has not decided on."""
    on = Q(status="ACTIVE") | Q(review="PENDING")
    return PlatformObject.objects.filter(on, object_type="ad", review__in=("", "PENDING")).exclude(
        status=ARCHIVED
    )


def due_trees(*, now: datetime | None = None) -> list[Ticket]:
    """The trees that are to be read again: soon after activation often, later seldom. Paused accounts are left out."""
    now = now or timezone.now()
    waiting = undecided_ads().values("tree_id", "tree__campaign_id", "tree__channel_id")
    due = []
    for each in waiting.annotate(read=Min("live_at")).order_by("read"):
        ended = _last_call(each["tree__campaign_id"], each["tree__channel_id"])
        if ended is None or now - ended > FOLLOW_FOR or not _is_due(each["read"], ended, now):
            continue
        ticket = requests.current_tree(each["tree__campaign_id"], each["tree__channel_id"])
        if ticket is not None:
            due.append(ticket)
    return due


def _last_call(campaign_id: int, channel_id: int) -> datetime | None:
    runs = Deployment.objects.filter(ticket__campaign_id=campaign_id, ticket__channel_id=channel_id)
    ended: datetime | None = runs.aggregate(at=Max("finished_at"))["at"]
    return ended


def _is_due(read: datetime | None, ended: datetime, now: datetime) -> bool:
    return read is None or now - read >= pause_after(now - ended)


def pause_after(since: timedelta) -> timedelta:
    """How long to wait for the next look, so long after the last call: growing, within bounds."""
    seconds = since.total_seconds() * PATIENCE
    shortest, longest = settings.REVIEW_EVERY_S
    return timedelta(seconds=min(max(seconds, shortest), longest))


def follow() -> int:
    """Read what is due, account by account; an account that must wait is left for the next time. How many were read."""
    read, away = 0, set()
    for ticket in due_trees():
        if ticket.ad_account_id in away:
            continue
        try:
            reading.refresh_tree(ticket)
        except reading.Unreadable as unread:
            away.add(ticket.ad_account_id)
            _note(ticket.ad_account, unread)
            continue
        read += 1
    tell_changes()
    return read


def _note(account: AdAccount, unread: reading.Unreadable) -> None:
    if unread.after is None:
        alerts.tell_unreadable(account, unread.reason)


# ---------------------------------------------------------------------------------------- telling


def tell_changes(*, since: timedelta = timedelta(days=2)) -> int:
    """Tell of every ad that was rejected or limited, and of those that were approved after all, once each.

    Reads record reviews wherever they are made; what was told last stands in the alerts themselves, so that no change
    is lost and none is told twice.
    """
    fresh = timezone.now() - since
    decided = PlatformObject.objects.filter(object_type="ad", review__in=DECIDED, live_at__gt=fresh)
    rows = list(decided.exclude(status=ARCHIVED).select_related("tree", "ad_account"))
    told = _last_told(rows)
    return sum(_tell(row, told.get(_key(row))) for row in rows)


def _key(row: PlatformObject) -> str:
    return f"review:{row.pk}"


def _last_told(rows: Iterable[PlatformObject]) -> dict[str, Alert]:
    """The newest alert about each ad's review."""
    found = Alert.objects.filter(key__in=[_key(row) for row in rows]).order_by("pk")
    return {each.key: each for each in found}


def _tell(row: PlatformObject, last: Alert | None) -> bool:
    before = last.params.get("review", "") if last else ""
    same = before == row.review and last is not None and last.params.get("words") == row.review_reasons
    if same or (last is None and row.review == "APPROVED"):
        return False
    # an older one that nobody has seen says what is no longer so
    Alert.objects.open().filter(key=_key(row)).update(seen_at=timezone.now())
    alerts.raise_alert(
        _TOLD_AS[row.review],
        severity="INFO" if row.review == "APPROVED" else "WARNING",
        ticket=requests.current_tree(row.tree.campaign_id, row.tree.channel_id),
        ad_account=row.ad_account,
        key=_key(row),
        name=row.name,
        platform=platform(row.ad_account.platform).label,
        reasons="; ".join(row.review_reasons) or "–",
        review=row.review,
        words=row.review_reasons,
    )
    review_changed.send(PlatformObject, ad=row, before=before, after=row.review)
    return True


# ----------------------------------------------------------------------------------------- delivery


@dataclass(frozen=True, slots=True)
class DeliverySummary:
    """What people could see of a ticket's campaign now. `ads` counts them by Delivery ("" where it is unknown);
    `state` is the one word for all; `rejected` names the ads with the platform's reasons; `read_at` is the oldest read."""

    state: str
    ads: dict[str, int]
    rejected: tuple[tuple[str, tuple[str, ...]], ...]
    read_at: datetime | None

    @property
    def live(self) -> bool:
        return self.state == "LIVE"


#: The first of these that any ad has is the word for all. One live ad makes a campaign live.
_ORDER = ("LIVE", "ACCOUNT", "IN_REVIEW", "SCHEDULED", "REJECTED", "PROBLEM", "PAUSED", "ENDED")


def delivery_of(ticket: Ticket) -> DeliverySummary:
    """Of the tree that the ticket speaks of, as last read."""
    ads = list(ticket.tree_objects().filter(object_type="ad").exclude(status=ARCHIVED).order_by("pk"))
    counted = Counter(each.delivery for each in ads)
    state = next((each for each in _ORDER if counted[each]), "")
    rejected = tuple((each.name, tuple(each.review_reasons)) for each in ads if each.review == "REJECTED")
    read = min((each.live_at for each in ads if each.live_at), default=None)
    return DeliverySummary(state, dict(counted), rejected, read)
