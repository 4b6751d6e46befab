"""Carries kill switches out: pauses what runs in their scope, looks again, and starts exactly that when released.

One worker at a time works on one ad account, for all stops together (a lease on `AccountStop`). A turn reads what
stands in the rows and on the platform, and does what is missing; whatever kills it, the next turn does the rest. A
row of StoppedObject is committed before each pause, so that nothing is paused that nobody knows of.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from deploy import connections, stops, throttle
from deploy.answers import storable
from deploy.belonging import Belonging
from deploy.models import AccountStop, Deployment, KillSwitch, StoppedObject
from governance.findings import Message, gettext_noop
from governance.governed import compare_and_set
from governance.models import AdAccount
from trafficking.models import PlatformObject
from trafficking.platforms import base

logger = logging.getLogger(__name__)
State, ObjectState = KillSwitch.State, StoppedObject.State

#: After a turn that paused something, or while a worker is in the middle of a call: look again (seconds).
SOON_S = 1.0
#: After an answer that told nothing, and after a stumble of ours.
UNCLEAR_S, STUMBLE_S = 2.0, 15.0
#: Where the account can't be reached until a person mends it, or the platform refuses.
MENDED_BY_PEOPLE_S = 30.0

MESSAGES = {
    "stop.unreached": Message(
        gettext_noop("The ad account {account} could not be reached by a kill switch: {reason}"),
        gettext_noop("Stop it on the platform by hand, and mend the account's credentials. It is tried again meanwhile."),
    ),
    "stop.refused": Message(
        gettext_noop("The platform refused to switch '{name}' ({external_id}) in {account}: {reason}"),
        gettext_noop("Switch it on the platform by hand."),
    ),
    "stop.unknown": Message(
        gettext_noop("{account} serves several brands, and nobody can tell whose these running campaigns are: {names}."),
        gettext_noop("They were not stopped with the brand. Stop the whole account, or pause them on the platform."),
    ),
}  # fmt: skip


class Again(Exception):
    """The turn ends here: come back after so many seconds. `problem`: what a person should read meanwhile."""

    def __init__(self, after: float, problem: str = "", *, for_people: bool = False) -> None:
        super().__init__(problem)
        self.after, self.problem, self.for_people = after, problem, for_people


class LeaseLost(Exception):
    """Another worker has taken the account over."""


# ------------------------------------------------------------------------------------------ who is due


def begin(stop: KillSwitch) -> list[AdAccount]:
    """The accounts to work on at once, whatever was planned for them."""
    accounts = list(stops.accounts_of(stop))
    AccountStop.objects.filter(ad_account__in=accounts).update(next_try_at=None)
    if not accounts:
        settle([stop])
    return accounts


def accounts_due() -> list[AdAccount]:
    """Those that a stop or a release has to do with and nobody works on; what a crash left is among them."""
    now, found = timezone.now(), {}
    for stop in KillSwitch.objects.exclude(state=State.RELEASED).order_by("id"):
        accounts = stops.accounts_of(stop)
        if stop.state == State.RELEASING:
            unsettled = stop.objects_stopped.filter(state__in=stops.UNSETTLED)
            accounts = AdAccount.objects.filter(pk__in=unsettled.values("ad_account_id"))
        if stop.state != State.STOPPED:
            settle([stop])
        later = Q(stopping__next_try_at__gt=now) | Q(stopping__lease_until__gt=now)
        found.update({each.pk: each for each in accounts.exclude(pk__in=accounts.filter(later).values("pk"))})
    return list(found.values())


def carry_out(stop: KillSwitch) -> list[AdAccount]:
    """One turn at every account of the stop, here and now. Answers the accounts that are not done yet."""
    return [
        account for account in begin(stop) if work_on(account) is not None and not _is_done(account, stop)
    ]


def _is_done(account: AdAccount, stop: KillSwitch) -> bool:
    if KillSwitch.objects.filter(pk=stop.pk, state__in=KillSwitch.ENGAGED).exists():
        row = AccountStop.objects.filter(ad_account=account).first()
        return row is not None and stop.pk in row.quiet_for
    return not stop.objects_stopped.filter(ad_account=account, state__in=stops.UNSETTLED).exists()


def work_on(account: AdAccount) -> float | None:
    """One turn at the account. Seconds until the next; None where another worker has it, or nothing is to be done."""
    lease = _claim(account)
    if not lease:
        return None
    try:
        return Turn(account, lease).run()
    except LeaseLost:
        logger.warning("the stopping of account %s was taken over by another worker", account.pk)
        return None


def lease_s() -> float:
    """A worker that dies in a turn loses the account after this; longer than any one call."""
    return 2 * float(settings.PLATFORM_TIMEOUT_S)


def _claim(account: AdAccount) -> str:
    AccountStop.objects.bulk_create([AccountStop(ad_account=account)], ignore_conflicts=True)
    now, lease = timezone.now(), secrets.token_hex(16)
    free = Q(lease_until__isnull=True) | Q(lease_until__lte=now)
    in_time = Q(next_try_at__isnull=True) | Q(next_try_at__lte=now)
    mine = AccountStop.objects.filter(free, in_time, ad_account=account)
    return lease if mine.update(lease_owner=lease, lease_until=now + timedelta(seconds=lease_s())) else ""


# ------------------------------------------------------------------------------------------- one turn


class Turn:
    """One worker's turn at one account."""

    def __init__(self, account: AdAccount, lease: str) -> None:
        self.account, self.lease = account, lease
        self.engaged = self._those(Q(state__in=KillSwitch.ENGAGED))
        self.releasing = self._those(Q(state=State.RELEASING))
        self.quiet_for: list[int] = []
        self.refused: list[str] = []

    def run(self) -> float | None:
        """Seconds until the next turn; None where nothing is left to be done."""
        after, problem = 0.0, ""
        try:
            if self.engaged:
                after = self._pause_all()
            if self.releasing:
                self._start_again()
        except Again as again:
            after, problem = again.after, again.problem
            if again.for_people:
                self._tell("stop.unreached", "CRITICAL", reason=problem)
        except throttle.Wait as wait:
            after, problem = wait.after, str(wait)
        except LeaseLost:
            raise
        except Exception as error:
            # a fault of ours in one account must not keep the others running; its text may quote a secret
            logger.exception("stopping account %s stumbled", self.account.pk)
            after, problem = (
                STUMBLE_S,
                _("The worker stumbled (%s); its log says why.") % type(error).__name__,
            )
        return self._end(after, problem or " ".join(self.refused))

    def _end(self, after: float, problem: str) -> float | None:
        now = timezone.now()
        values: dict[str, Any] = {
            "lease_owner": "", "lease_until": None, "looked_at": now, "problem": problem,
            "quiet_for": self.quiet_for, "next_try_at": now + timedelta(seconds=after) if after else None,
        }  # fmt: skip
        if not self._mine().update(**values):
            raise LeaseLost
        came_meanwhile = bool(set(self._ids()) - {each.pk for each in self.engaged})
        if came_meanwhile:
            self._row().update(next_try_at=None)
            after = SOON_S
        KillSwitch.objects.filter(pk__in=[each.pk for each in self.engaged]).update(checked_at=now)
        settle([*self.engaged, *self.releasing])
        return after or None

    # --------------------------------------------------------------------------------------- pausing

    def _pause_all(self) -> float:
        """Pause every running campaign that a standing stop covers. Seconds until the next look.

        Work in progress is asked for before the platform is: a call that was on its way then may start something
        after the look, so that another follows.
        """
        busy = {stop.pk for stop in self.engaged if self._is_worked_on(stop)}
        running = self._campaigns(active_only=True)
        self._note_landed({each.external_id for each in running})
        covered = [(each, found) for each in running if (found := self._covering(each))]
        for live, covering in covered:
            self._pause(live, covering[0])
        self._tell_unknown(running)
        still = busy | {stop.pk for _live, covering in covered for stop in covering}
        self.quiet_for = [stop.pk for stop in self.engaged if stop.pk not in still]
        if len(covered) == len(self.refused) and not busy:
            return MENDED_BY_PEOPLE_S if self.refused else float(settings.STOP_LOOK_S)
        return SOON_S

    def _is_worked_on(self, stop: KillSwitch) -> bool:
        """A worker is in the middle of a deployment that this stop is over."""
        running = Deployment.objects.filter(
            state=Deployment.State.RUNNING, lease_until__gt=timezone.now(), ticket__ad_account=self.account
        )
        if stop.scope == KillSwitch.Scope.BRAND:
            running = running.filter(ticket__campaign__brand_id=stop.brand_id or 0)
        return running.exists()

    def _covering(self, live: base.Live) -> list[KillSwitch]:
        """The standing stops over this campaign; first the one that has it already, then the oldest."""
        found = [stop for stop in self.engaged if self._covers(stop, live)]
        held = self._held_by.get(live.external_id)
        return sorted(found, key=lambda stop: (stop.pk != held, stop.pk))

    def _covers(self, stop: KillSwitch, live: base.Live) -> bool:
        if stop.scope != KillSwitch.Scope.BRAND:
            return True
        return self._belonging.brand_of(live.external_id, live.name) == stop.brand_id

    def _pause(self, live: base.Live, stop: KillSwitch) -> None:
        row = self._intent(live.external_id, live.name, stop, ObjectState.PAUSING)
        if row is None:
            return  # released in this moment
        outcome = self._switch(row, "PAUSED")
        if isinstance(outcome, base.Rejected):
            self._refuse(row, outcome)
        else:
            _write(row, state=ObjectState.PAUSED, note="", paused_at=timezone.now())

    def _intent(self, external_id: str, name: str, stop: KillSwitch, state: str) -> StoppedObject | None:
        """The row, committed before the call; None where the stop no longer stands.

        The stop is locked: a release that comes now finds the row, or comes before it.
        """
        with transaction.atomic():
            if not KillSwitch.objects.select_for_update().filter(pk=stop.pk, state__in=KillSwitch.ENGAGED):
                return None
            row, _made = StoppedObject.objects.update_or_create(
                stop=stop, ad_account=self.account, object_type="campaign", external_id=external_id,
                defaults={"name": name[:400], "state": state, "note": "", "restored_at": None},
            )  # fmt: skip
        return row

    def _note_landed(self, running: set[str]) -> None:
        """Pauses whose answer was lost, and that did land."""
        rows = StoppedObject.objects.filter(
            stop__in=self.engaged, ad_account=self.account, state=ObjectState.PAUSING
        )
        rows.exclude(external_id__in=running).update(
            state=ObjectState.PAUSED, note="", paused_at=timezone.now()
        )

    def _tell_unknown(self, running: Sequence[base.Live]) -> None:
        brands = [stop for stop in self.engaged if stop.scope == KillSwitch.Scope.BRAND]
        if not brands or len(brands) < len(self.engaged):
            return  # nothing is stopped by brand alone
        unknown = [each for each in running if self._belonging.brand_of(each.external_id, each.name) is None]
        if unknown:
            names = ", ".join(each.name or each.external_id for each in unknown[:10])
            self._tell("stop.unknown", "WARNING", names=names)

    # -------------------------------------------------------------------------------- starting again

    def _start_again(self) -> None:
        """Start what the released stops paused, is there still, and no standing stop covers."""
        rows = list(
            StoppedObject.objects.filter(
                stop__in=self.releasing, ad_account=self.account, state__in=stops.UNSETTLED
            )
        )
        if not rows:
            return
        there = {each.external_id: each for each in self._campaigns(active_only=False)}
        for row in rows:
            self._restore(row, there.get(row.external_id))

    def _restore(self, row: StoppedObject, live: base.Live | None) -> None:
        if live is None:
            _write(row, state=ObjectState.LEFT, note=_("It is archived or gone."))
        elif self._handed_over(row, live):
            return
        elif row.state == ObjectState.PAUSING and live.status == "ACTIVE":
            _write(
                row, state=ObjectState.RESTORED, note=_("It was never paused."), restored_at=timezone.now()
            )
        else:
            outcome = self._switch(row, "ACTIVE")
            if isinstance(outcome, base.Rejected):
                self._refuse(row, outcome)
                _write(row, state=ObjectState.LEFT)
            else:
                _write(row, state=ObjectState.RESTORED, note="", restored_at=timezone.now())

    def _handed_over(self, row: StoppedObject, live: base.Live) -> bool:
        """Another stop stands over it: it stays paused, and that one's release starts it."""
        standing = [stop for stop in self._those(Q(state__in=KillSwitch.ENGAGED)) if self._covers(stop, live)]
        for stop in standing:
            with transaction.atomic():
                if self._intent(row.external_id, row.name, stop, row.state) is None:
                    continue
                _write(row, state=ObjectState.LEFT, note=_("Kill switch %s keeps it stopped.") % stop.pk)
            return True
        return False

    # ------------------------------------------------------------------------------------ the platform

    @cached_property
    def _client(self) -> base.Client:
        try:
            return connections.client_for(self.account, share="urgent", still_ours=self._keep_lease)
        except PermissionError as error:
            raise Again(MENDED_BY_PEOPLE_S, str(error), for_people=True) from error

    def _campaigns(self, *, active_only: bool) -> tuple[base.Live, ...]:
        found = self._client.list_campaigns(active_only=active_only)
        throttle.learn(self.account, self._client.usage)
        if not isinstance(found, tuple):
            raise self._again(found)
        return tuple(each for each in found if not active_only or each.status == "ACTIVE")

    def _switch(self, row: StoppedObject, status: base.RunStatus) -> base.Applied | base.Rejected:
        outcome = self._client.set_status(row.object_type, row.external_id, status)
        throttle.learn(self.account, self._client.usage)
        if isinstance(outcome, base.Rejected):
            return storable(outcome, self._client.connection.credentials.values())
        if not isinstance(outcome, base.Applied):
            raise self._again(outcome)
        held = PlatformObject.objects.filter(ad_account=self.account, object_type=row.object_type)
        held.filter(external_id=row.external_id).update(status=status)
        return outcome

    def _again(self, unread: base.Unread) -> Again:
        told = storable(unread, self._client.connection.credentials.values())
        if isinstance(told, base.NeedsAuth):
            return Again(MENDED_BY_PEOPLE_S, told.reason, for_people=True)
        if isinstance(told, base.RetryLater):
            return Again(max(SOON_S, told.after or UNCLEAR_S), told.reason)
        return Again(UNCLEAR_S, told.reason)

    def _refuse(self, row: StoppedObject, outcome: base.Rejected) -> None:
        words = outcome.message or outcome.code
        _write(row, note=words)
        self.refused.append(f"{row.name or row.external_id}: {words}")
        self._tell(
            "stop.refused", "CRITICAL", about=row.external_id, name=row.name, external_id=row.external_id,
            reason=words,
        )  # fmt: skip

    def _tell(self, code: str, severity: str, *, about: str = "", **params: Any) -> None:
        from deploy.alerts import raise_alert  # it tells of stops, too

        key = f"{code}:{self.account.pk}:{about}"
        raise_alert(
            code, severity=severity, ad_account=self.account, key=key, account=self.account.name, **params
        )

    # ----------------------------------------------------------------------------------- what it needs

    @cached_property
    def _belonging(self) -> Belonging:
        return Belonging(self.account)

    @cached_property
    def _held_by(self) -> dict[str, int]:
        rows = StoppedObject.objects.filter(
            stop__in=self.engaged, ad_account=self.account, state__in=stops.UNSETTLED
        )
        return dict(rows.values_list("external_id", "stop_id"))

    def _those(self, condition: Q) -> list[KillSwitch]:
        """Stops over the whole account, and those over a brand that may have something in it."""
        over = stops.covering(self.account) | KillSwitch.objects.filter(scope=KillSwitch.Scope.BRAND)
        found = list(over.filter(condition).order_by("id"))
        return [each for each in found if stops.accounts_of(each).filter(pk=self.account.pk).exists()]

    def _ids(self) -> list[int]:
        return [each.pk for each in self._those(Q(state__in=KillSwitch.ENGAGED))]

    def _row(self) -> Any:
        return AccountStop.objects.filter(ad_account=self.account)

    def _mine(self) -> Any:
        return self._row().filter(lease_owner=self.lease)

    def _keep_lease(self) -> None:
        """Before each call."""
        if not self._mine().update(lease_until=timezone.now() + timedelta(seconds=lease_s())):
            raise LeaseLost


def _write(row: StoppedObject, **values: Any) -> None:
    StoppedObject.objects.filter(pk=row.pk).update(**values)
    for name, value in values.items():
        setattr(row, name, value)


# ------------------------------------------------------------------------------------------ the stops


def settle(touched: Sequence[KillSwitch]) -> None:
    """Write what has become of the stops: STOPPED where nothing runs in any account, RELEASED where all is settled."""
    from deploy.dispatch import dispatch

    released = False
    for stop in KillSwitch.objects.filter(pk__in=[each.pk for each in touched]):
        if stop.state == State.STOPPING and _all_quiet(stop):
            compare_and_set(stop, where={"state": State.STOPPING}, values={"state": State.STOPPED})
        if stop.state == State.RELEASING:
            released |= _released(stop)
    if released:
        dispatch()


def _all_quiet(stop: KillSwitch) -> bool:
    rows = AccountStop.objects.filter(ad_account__in=stops.accounts_of(stop)).values_list(
        "quiet_for", flat=True
    )
    return sum(stop.pk in quiet for quiet in rows) == stops.accounts_of(stop).count()


def _released(stop: KillSwitch) -> bool:
    """Nothing of it is left to be started. The row is locked as in `Turn._intent`."""
    with transaction.atomic():
        locked = KillSwitch.objects.select_for_update().get(pk=stop.pk)
        if locked.objects_stopped.filter(state__in=stops.UNSETTLED).exists():
            return False
        return compare_and_set(locked, where={"state": State.RELEASING}, values={"state": State.RELEASED})
