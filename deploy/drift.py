"""Drift: what somebody changed on a platform behind the tickets' back, field by field, and what becomes of it.

Three values stand side by side: what our last call applied, what the current tree wants (with what was adopted), and
what the platform has. A pass over an account reads each tree within its rate budget and can be put down anywhere.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Min, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from deploy import alerts, reading
from deploy.models import AccountWatch, Deployment, Drift, KillSwitch, StoppedObject
from governance.access import reach_of
from governance.actor import acting
from governance.findings import Finding, raise_blocking
from governance.models import AdAccount
from trafficking import requests
from trafficking import services as tickets
from trafficking.held import held_value
from trafficking.models import PlatformObject, Ticket
from trafficking.platforms import base
from trafficking.platforms.changes import with_adopted
from trafficking.platforms.registry import platform
from trafficking.snapshots import ticket_snapshot
from trafficking.statuses import Status

logger = logging.getLogger(__name__)

State = Drift.State
ARCHIVED = "ARCHIVED"
SWITCHED = ("campaign", "ad_set", "ad")
#: The field of a Drift row that speaks of the switch, and that of the whole object.
STATUS, WHOLE = "status", ""
#: A worker that looks for drift in an account is believed dead after so long.
CLAIM = timedelta(minutes=10)
ASK_AGAIN_S = 300.0


# ------------------------------------------------------------------------------------- the account


def visible_to(user: Any) -> QuerySet[Drift]:
    """Drift of campaigns that are theirs by brand and market."""
    return Drift.objects.filter(held__in=PlatformObject.objects.visible_to(user).values("pk"))


def accounts_with_trees() -> QuerySet[AdAccount]:
    """Those that hold something of ours."""
    ours = PlatformObject.objects.exclude(status=ARCHIVED, applied_status=ARCHIVED).values("ad_account_id")
    return AdAccount.objects.current().filter(pk__in=ours).order_by("pk")


def due_accounts() -> list[AdAccount]:
    """Those that nobody looked at for DRIFT_EVERY_S."""
    later = AccountWatch.objects.filter(drift_due_at__gt=timezone.now()).values("ad_account_id")
    return list(accounts_with_trees().exclude(pk__in=later))


def claim(account: AdAccount) -> bool:
    """Whether this worker is the one that looks now."""
    watch, _new = AccountWatch.objects.get_or_create(ad_account=account)
    now = timezone.now()
    due = AccountWatch.objects.filter(Q(drift_due_at=None) | Q(drift_due_at__lte=now), pk=watch.pk)
    return bool(due.update(drift_due_at=now + CLAIM))


def look_at_account(account: AdAccount) -> float | None:
    """Look at each tree that nobody read since the pass became due: seconds to come back where the platform or the
    budget said wait, None where all is done. Call only what `claim` gave."""
    fresh = timezone.now() - timedelta(seconds=settings.DRIFT_EVERY_S)
    try:
        for ticket in trees_of(account):
            look_at_tree(ticket, fresh=fresh)
            _stay(account)
    except reading.Unreadable as unread:
        return _put_down(account, unread)
    now = timezone.now()
    every = timedelta(seconds=settings.DRIFT_EVERY_S)
    AccountWatch.objects.filter(ad_account=account).update(drift_at=now, drift_due_at=now + every, problem="")
    return None


def _stay(account: AdAccount) -> None:
    AccountWatch.objects.filter(ad_account=account).update(drift_due_at=timezone.now() + CLAIM)


def _put_down(account: AdAccount, unread: reading.Unreadable) -> float:
    after = ASK_AGAIN_S if unread.after is None else max(1.0, unread.after)
    if unread.after is None:
        alerts.tell_unreadable(account, unread.reason)
    due = timezone.now() + timedelta(seconds=after)
    AccountWatch.objects.filter(ad_account=account).update(drift_due_at=due, problem=unread.reason)
    return after


def trees_of(account: AdAccount) -> list[Ticket]:
    """For each tree that the account holds the ticket that it is now, the one not read for longest first."""
    held = PlatformObject.objects.filter(ad_account=account, object_type="campaign").exclude(
        status=ARCHIVED, applied_status=ARCHIVED
    )
    trees = (
        held.values("tree__campaign_id", "tree__channel_id").annotate(read=Min("live_at")).order_by("read")
    )
    found = [requests.current_tree(each["tree__campaign_id"], each["tree__channel_id"]) for each in trees]
    return [ticket for ticket in found if ticket is not None and ticket.ad_account_id == account.pk]


# ---------------------------------------------------------------------------------------- the tree


def look_at_tree(ticket: Ticket, *, fresh: datetime | None = None) -> list[Drift]:
    """Read the tree, unless it was read after `fresh`, and write what differs. Raises Unreadable.

    Nothing is judged while a deployment works on the tree, or has done so during the read: what it changes is ours.
    """
    before = _runs(ticket)
    if busy(ticket):
        return []
    read_at = _read_at(ticket, before)
    if read_at is None or fresh is None or read_at < fresh:
        _revive(ticket, _read(ticket))
    if busy(ticket) or _runs(ticket) != before:
        return []
    return judge_tree(ticket)


def _read(ticket: Ticket) -> tuple[base.Live, ...]:
    """Also where the campaign itself was not there when it was last read: it may have come back."""
    lost = _lost(ticket).filter(object_type="campaign").first()
    return reading.read_tree(ticket, lost.external_id) if lost else reading.refresh_tree(ticket)


def _lost(ticket: Ticket) -> QuerySet[PlatformObject]:
    """What reads as archived and was not archived by us."""
    return ticket.tree_objects().filter(status=ARCHIVED).exclude(applied_status__in=[ARCHIVED, ""])


def _revive(ticket: Ticket, lives: Iterable[base.Live]) -> None:
    """A list that lagged behind, or somebody who brought it back: what is there again is ours again."""
    found = {(each.type, each.external_id): each for each in lives}
    for row in _lost(ticket):
        live = found.get((row.object_type, row.external_id))
        if live is not None:
            PlatformObject.objects.filter(pk=row.pk).update(
                status=live.status, live=dict(live.fields), live_at=timezone.now(), review=live.review,
                review_reasons=list(live.review_reasons), delivery=live.delivery,
            )  # fmt: skip


#: Calls of a run that have been made, or begun.
_AT_WORK = Q(state__in=[Deployment.State.RUNNING, Deployment.State.IN_DOUBT]) | Q(
    state=Deployment.State.WAITING, operations__attempts__gt=0
)


def busy(ticket: Ticket) -> bool:
    """Something is being sent for the tree, or nobody knows whether it landed. One that waits for its moment of going
    live has sent nothing."""
    runs = Deployment.objects.filter(
        ticket__campaign_id=ticket.campaign_id, ticket__channel_id=ticket.channel_id
    )
    return runs.filter(_AT_WORK).exists()


def _runs(ticket: Ticket) -> list[tuple[int, str, datetime | None]]:
    rows = Deployment.objects.filter(
        ticket__campaign_id=ticket.campaign_id, ticket__channel_id=ticket.channel_id
    ).order_by("pk")
    return list(rows.values_list("pk", "state", "finished_at"))


def _read_at(ticket: Ticket, runs: Iterable[tuple[int, str, datetime | None]]) -> datetime | None:
    """When the tree was last read as a whole; None where that was before our last call."""
    at = ticket.tree_objects().exclude(status=ARCHIVED).aggregate(at=Min("live_at"))["at"]
    ended = max((each for _pk, _state, each in runs if each), default=None)
    return None if at is None or (ended is not None and at < ended) else at


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of one object in its three values."""

    held: PlatformObject
    field: str
    applied: Any
    wanted: Any
    live: Any


def judge_tree(ticket: Ticket) -> list[Drift]:
    """Write the drift of a tree from what was last read of it; the rows that are new."""
    rows = list(ticket.tree_objects())
    wanted = wanted_of(ticket)
    stopped = _stopped(ticket.ad_account, rows)
    found = [each for row in rows for each in differences(row, wanted.get(row.ref), stopped)]
    gone = {each.held.ref for each in found if each.field == WHOLE}
    # what hung under an archived object went with it: one row says it
    found = [each for each in found if not (each.field == WHOLE and each.held.parent in gone)]
    _settle(rows)
    new = _write([row.pk for row in rows], {(each.held.pk, each.field): each for each in found})
    for row in rows:
        _tell(row, [each for each in new if each.held_id == row.pk], ticket)
    return new


def wanted_of(ticket: Ticket) -> dict[str, base.Wanted]:
    """The current tree as a CREATE plan would leave it, by ref; what can't be compiled is not in it."""
    known = platform(ticket.ad_account.platform)
    whole = replace(ticket_snapshot(ticket), request_type="CREATE", scope=())
    return {each.ref: each for each in known.wanted(known.compile(whole).operations)}


def differences(
    row: PlatformObject, wanted: base.Wanted | None, stopped: frozenset[str] = frozenset()
) -> list[Difference]:
    """What the platform has otherwise than we left it. `stopped` are the ids that a kill switch paused."""
    if row.status == ARCHIVED:
        ours = row.applied_status in ("", ARCHIVED) or row.object_type not in SWITCHED
        return [] if ours else [Difference(row, WHOLE, row.applied_status, row.applied_status, ARCHIVED)]
    if row.live is None:
        return []
    found = [
        Difference(row, name, applied, _wish(row, wanted, name), row.live[name])
        for name, applied in {**(row.settled or {}), **row.applied}.items()
        if name in row.live and row.live[name] != applied and name != STATUS
    ]
    switched = row.applied_status and row.status != row.applied_status
    if switched and not (row.status == "PAUSED" and row.external_id in stopped):
        found.append(Difference(row, STATUS, row.applied_status, row.applied_status, row.status))
    return found


def _wish(row: PlatformObject, wanted: base.Wanted | None, name: str) -> Any:
    if wanted is None:
        return None
    asked = wanted.fields.get(name)
    if name == "name" and asked is None:
        asked = wanted.name or None
    return with_adopted(held_value(row), name, asked)


def _settle(rows: Iterable[PlatformObject]) -> None:
    """What the platform added by itself, as it was first read: a later change of it is somebody's. A creative of which
    nothing was applied is told by its ad."""
    for row in rows:
        if row.live is not None and row.settled is None and row.applied and row.status != ARCHIVED:
            settled = {name: value for name, value in row.live.items() if name not in row.applied}
            PlatformObject.objects.filter(pk=row.pk, settled__isnull=True).update(settled=settled)


def _stopped(account: AdAccount, rows: Iterable[PlatformObject]) -> frozenset[str]:
    """What kill switches hold paused: our own doing."""
    ids = [each.external_id for each in rows]
    paused = StoppedObject.objects.filter(
        ad_account=account,
        external_id__in=ids,
        state__in=[StoppedObject.State.PAUSING, StoppedObject.State.PAUSED],
    ).exclude(stop__state=KillSwitch.State.RELEASED)
    return frozenset(paused.values_list("external_id", flat=True))


# ------------------------------------------------------------------------------------------ the rows


def _write(held: list[int], found: Mapping[tuple[int, str], Difference]) -> list[Drift]:
    """Standing rows follow what was found; what nobody knows yet is written OPEN and returned."""
    with transaction.atomic():
        standing = Drift.objects.select_for_update(of=("self",)).filter(
            held__in=held, state__in=Drift.STANDING
        )
        known = set()
        for row in standing.select_related("request"):
            if _follow(row, found.get((row.held_id, row.field))):
                known.add((row.held_id, row.field))
        fresh = [_opened(each) for key, each in found.items() if key not in known]
        # a racing pass may have written the same rows: one stands (drift_standing_once)
        Drift.objects.bulk_create(fresh, ignore_conflicts=True)
    ids = [each.public_id for each in fresh]
    return list(Drift.objects.filter(public_id__in=ids).select_related("held"))


def _follow(row: Drift, found: Difference | None) -> bool:
    """Whether a row that stands still speaks for what was found."""
    if found is None:
        _end(row)
        return False
    if row.state == State.IGNORED and found.live != row.live:
        _end(row)
        return False
    if row.state == State.RESTORING and _restore_ended(row):
        _end(row)
        return False
    values = {"applied": found.applied, "wanted": found.wanted, "live": found.live}
    if any(getattr(row, name) != value for name, value in values.items()):
        Drift.objects.filter(pk=row.pk).update(**values)
    return True


def _end(row: Drift) -> None:
    Drift.objects.filter(pk=row.pk).update(state=State.GONE)


def _restore_ended(row: Drift) -> bool:
    """Its ticket was given up, or was carried out and somebody changed the field once more."""
    return row.request is None or row.request.status in (Status.CANCELLED, Status.TRAFFICKED_SUCCESS)


def _opened(found: Difference) -> Drift:
    return Drift(
        held=found.held, field=found.field, applied=found.applied, wanted=found.wanted, live=found.live
    )  # fmt: skip


def _tell(row: PlatformObject, new: list[Drift], ticket: Ticket) -> None:
    if not new:
        return
    fields = ", ".join(sorted(_said(each) for each in new))
    alerts.raise_alert(
        "alert.drift",
        ticket=ticket,
        ad_account=ticket.ad_account,
        key=f"drift:{row.pk}:{max(each.pk for each in new)}",
        name=row.name,
        platform=platform(ticket.ad_account.platform).label,
        fields=fields,
    )


def _said(drift: Drift) -> str:
    if drift.field == WHOLE:
        return _("archived")
    return f"{drift.field} ({drift.applied} → {drift.live})"[:200]


# ------------------------------------------------------------------------------------- the decisions


def adopt(*, drift: Drift, by: Any, comment: str = "") -> Drift:
    """The platform's value stays: it counts as applied, and as wanted until the ticket asks for another."""
    with _deciding(drift, by, comment):
        held = PlatformObject.objects.get(pk=drift.held_id)
        PlatformObject.objects.filter(pk=held.pk).update(**_adopted(held, drift))
        if drift.field == WHOLE:
            _adopt_below(held)
        _decide(drift, State.ADOPTED, by, comment)
    return drift


def _adopted(held: PlatformObject, drift: Drift) -> dict[str, Any]:
    if drift.field == WHOLE:
        return {"applied_status": ARCHIVED, "status": ARCHIVED}
    if drift.field == STATUS:
        paused_below = drift.live == "PAUSED" and held.object_type != "campaign"
        return {"applied_status": drift.live, "held_back": paused_below}
    asked = _asked(held, drift.field)
    kept = {drift.field: {"live": drift.live, "over": asked}}
    return {"applied": {**held.applied, drift.field: drift.live}, "adopted": {**held.adopted, **kept}}


def _adopt_below(held: PlatformObject) -> None:
    """What hung under an archived object is archived with it."""
    level = [held.ref]
    while level:
        children = PlatformObject.objects.filter(
            tree=held.tree_id, ad_account=held.ad_account_id, parent__in=level
        )
        level = list(children.values_list("ref", flat=True))
        children.filter(status=ARCHIVED).update(applied_status=ARCHIVED)


def _asked(held: PlatformObject, field: str) -> Any:
    """What the current tree itself asks of the field, whatever was adopted before."""
    ticket = requests.current_tree(held.tree.campaign_id, held.tree.channel_id)
    wanted = wanted_of(ticket).get(held.ref) if ticket is not None else None
    if wanted is None:
        return None
    asked = wanted.fields.get(field)
    return wanted.name or None if field == "name" and asked is None else asked


def ignore(*, drift: Drift, by: Any, reason: str) -> Drift:
    """Let it be, until the platform's value changes again."""
    if not reason.strip():
        raise_blocking([Finding("drift.reason", "reason")], drift)
    with _deciding(drift, by, reason):
        _decide(drift, State.IGNORED, by, reason)
    return drift


def restore(*, drift: Drift, by: Any, comment: str = "") -> Ticket:
    """A ticket that sets it right again, submitted: it is planned, approved and deployed like any other.

    A change that stands open for another drift of the tree sets this one right, too, and is returned. Raises
    ValidationError where no plan can do it, or another change is open; then nothing was done. What speaks against the
    ticket stands on it (QA_FAILED); where the platform can't be asked now, it stays a DRAFT to be submitted later.
    """
    held = drift.held
    base_ticket = requests.current_tree(held.tree.campaign_id, held.tree.channel_id)
    raise_blocking(_unrestorable(drift, base_ticket), drift)
    assert base_ticket is not None  # one of the findings
    with _deciding(drift, by, comment):
        request_type, scope = _request_for(drift)
        ticket = _open_restore(held, request_type)
        if ticket is None:
            note = comment or f"{held.name}: {drift.field} {drift.live} → {drift.wanted}"
            ticket = requests.start_request(
                base=base_ticket, request_type=request_type, by=by, scope=scope, note=note
            )
        _decide(drift, State.RESTORING, by, comment, request=ticket)
    if ticket.editable:
        _submit(ticket, by)
    return ticket


def _submit(ticket: Ticket, by: Any) -> None:
    """Outside the decision: submitting asks the platform what it has, which no transaction should wait for."""
    try:
        tickets.submit_ticket(ticket=ticket, by=by)
    except ValidationError:
        logger.warning("restore ticket %s could not be submitted", ticket.pk, exc_info=True)
        ticket.refresh_from_db()


def _open_restore(held: PlatformObject, request_type: str) -> Ticket | None:
    """An UPDATE or RENAME speaks of the whole tree: one is enough for all that drifted in it."""
    rows = Drift.objects.filter(
        held__tree=held.tree_id, held__ad_account=held.ad_account_id, state=State.RESTORING,
        request__request_type=request_type, request__in=Ticket.objects.filter(request_type__in=Ticket.CONTENT),
    )  # fmt: skip
    ended = (Status.CANCELLED, Status.TRAFFICKED_SUCCESS)
    found = rows.exclude(request__status__in=ended).select_related("request").first()
    return found.request if found else None


def _unrestorable(drift: Drift, ticket: Ticket | None) -> list[Finding]:
    params = {"name": drift.held.name, "field": drift.field}
    if drift.field == WHOLE:
        return [Finding("drift.archived", params=params)]
    if ticket is None:
        return [Finding("drift.no_tree", params=params)]
    if drift.field not in (STATUS, "name") and drift.field not in drift.held.applied:
        return [Finding("drift.not_in_ticket", params=params)]
    return []


def _request_for(drift: Drift) -> tuple[str, list[str]]:
    kind = Ticket.RequestType
    if drift.field == "name" and drift.held.object_type in SWITCHED:
        return kind.RENAME, []
    if drift.field != STATUS:
        return kind.UPDATE, []
    switch = kind.ACTIVATE if drift.applied == "ACTIVE" else kind.PAUSE
    return switch, [] if drift.held.object_type == "campaign" else [drift.held.intent]


@contextmanager
def _deciding(drift: Drift, by: Any, comment: str) -> Iterator[None]:
    """A transaction in which `by` decides on a drift that stands as they have read it; its row is locked."""
    require_decider(by, drift)
    with acting(by, reason=comment or "drift decided"), transaction.atomic():
        now = Drift.objects.select_for_update().get(pk=drift.pk)
        if now.state not in (State.OPEN, State.IGNORED) or now.live != drift.live:
            raise_blocking([Finding("drift.decided")], drift)
        yield


def require_decider(by: Any, drift: Drift) -> None:
    """They may decide, and the campaign's brand and market are theirs. Raises PermissionDenied."""
    campaign = drift.held.tree.campaign
    if not by.has_perm("deploy.decide_drift"):
        raise PermissionDenied
    if not reach_of(by).covers(campaign.brand_id, campaign.market_id):
        raise PermissionDenied


def _decide(drift: Drift, state: str, by: Any, reason: str, **values: Any) -> None:
    values |= {"state": state, "reason": reason, "decided_by": by, "decided_at": timezone.now()}
    Drift.objects.filter(pk=drift.pk).update(**values)
    for name, value in values.items():
        setattr(drift, name, value)
