"""Kill switches: who may stop what, what stands, and what a standing stop refuses.

`halting.py` carries them out on the platforms. A stop is in force from the commit of its row: every call of a
deployment asks `refuse_stopped` first.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from deploy.models import KillSwitch, StoppedObject
from governance.access import reach_of
from governance.actor import acting
from governance.governed import StaleVersion, compare_and_set
from governance.models import AdAccount, Brand

State, Scope = KillSwitch.State, KillSwitch.Scope
#: A campaign that a stop has paused, or is pausing, and that its release has to look after.
UNSETTLED = (StoppedObject.State.PAUSING, StoppedObject.State.PAUSED)


class Stopped(Exception):
    """A kill switch stands: nothing is sent."""

    def __init__(self, stop: KillSwitch) -> None:
        super().__init__(f"{stop}: {stop.reason}")
        self.stop = stop


def refuse_stopped(account: AdAccount, brand_id: int | None = None) -> None:
    """Raises Stopped where a kill switch stands over this account, or over this brand."""
    stop = standing_stop(account, brand_id)
    if stop is not None:
        raise Stopped(stop)


def standing_stop(account: AdAccount, brand_id: int | None = None) -> KillSwitch | None:
    """The oldest that holds this account's work up: engaged, or released and not yet done with this account.

    Work waits for the release to end: a pause that was asked for meanwhile must come after it, or it would be undone.
    """
    return covering(account, brand_id).filter(_holding(account)).order_by("id").first()


def stopped_brands(account: AdAccount) -> list[int]:
    """The brands whose work in this account a brand's own stop holds up."""
    stops = KillSwitch.objects.filter(_holding(account), scope=Scope.BRAND)
    return [brand for brand in stops.values_list("brand_id", flat=True) if brand is not None]


def _holding(account: AdAccount) -> Q:
    unsettled = StoppedObject.objects.filter(stop=OuterRef("pk"), ad_account=account, state__in=UNSETTLED)
    return Q(state__in=KillSwitch.ENGAGED) | Q(Exists(unsettled), state=State.RELEASING)


def covering(account: AdAccount, brand_id: int | None = None) -> QuerySet[KillSwitch]:
    """The stops, in whatever state, whose scope this account (or this brand in it) is in."""
    scopes = (
        Q(scope=Scope.ALL)
        | Q(scope=Scope.PLATFORM, platform=account.platform)
        | Q(scope=Scope.ACCOUNT, ad_account=account)
    )
    if brand_id is not None:
        scopes |= Q(scope=Scope.BRAND, brand_id=brand_id)
    return KillSwitch.objects.filter(scopes)


def accounts_of(stop: KillSwitch) -> QuerySet[AdAccount]:
    """The accounts in which it stops something, also those that take no new tickets."""
    accounts = AdAccount.objects.filter(archived_at__isnull=True)
    if stop.scope == Scope.ACCOUNT:
        return accounts.filter(pk=stop.ad_account_id or 0)
    if stop.scope == Scope.PLATFORM:
        return accounts.filter(platform=stop.platform)
    if stop.scope == Scope.BRAND:
        held = Q(objects_held__tree__campaign__brand_id=stop.brand_id)
        return accounts.filter(Q(serves__brand_id=stop.brand_id) | held).distinct()
    return accounts


# --------------------------------------------------------------------------------- engage and release


def engage(
    *, scope: str, by: Any, reason: str, ad_account: AdAccount | None = None, brand: Brand | None = None,
    platform: str = "",
) -> KillSwitch:  # fmt: skip
    """Stop everything in the scope, from now on. One that stands for the very same scope is answered, and hurried.

    Raises PermissionDenied, or ValidationError per field.
    """
    stop = KillSwitch(
        scope=scope, ad_account=ad_account, brand=brand, platform=platform, reason=reason, engaged_by=by
    )
    stop.full_clean()
    require_reach(by, stop)
    same = {"scope": scope, "ad_account": ad_account, "brand": brand, "platform": platform}
    with acting(by, reason=reason), transaction.atomic():
        standing = KillSwitch.objects.filter(**same, state__in=KillSwitch.ENGAGED).first()
        if standing is None:
            stop.save()
        transaction.on_commit(lambda: hurry(standing or stop))
    return standing or stop


def release(*, stop: KillSwitch, by: Any, comment: str) -> KillSwitch:
    """Let it run again: what this stop paused and no other stop covers is started.

    Raises PermissionDenied, StaleVersion, or ValidationError.
    """
    require_reach(by, stop)
    if not comment.strip():
        raise ValidationError({"comment": _("Say why it may run again.")})
    if stop.state not in KillSwitch.ENGAGED:
        raise ValidationError(_("It has been released already."), code="wrong_status")
    values = {"state": State.RELEASING, "released_by": by, "released_at": timezone.now()}
    with acting(by, reason=comment), transaction.atomic():
        if not compare_and_set(stop, where={"state__in": KillSwitch.ENGAGED}, values=values):
            raise StaleVersion(stop)
        transaction.on_commit(lambda: hurry(stop))
    return stop


def require_reach(by: Any, stop: KillSwitch) -> None:
    """The right to stop, and every brand and market that the scope touches."""
    if not by.has_perm("deploy.engage_killswitch"):
        raise PermissionDenied(_("You may not stop or release."))
    if not within_reach(by, stop):
        raise PermissionDenied(_("This reaches further than your brands and markets."))


def within_reach(user: Any, stop: KillSwitch) -> bool:
    """A brand: in every market. An account: all that it serves, whoever's. A platform or everything: no bounds."""
    reach = reach_of(user)
    if reach.everything:
        return True
    if stop.scope == Scope.BRAND:
        return reach.covers(stop.brand_id, None)
    if stop.scope == Scope.ACCOUNT and stop.ad_account is not None:
        served = list(stop.ad_account.serves.values_list("brand_id", "market_id"))
        return bool(served) and all(reach.covers(brand, market) for brand, market in served)
    return False


def hurry(stop: KillSwitch) -> None:
    """Wake the workers. A broker that is down loses nothing: the scheduler finds the row."""
    from deploy import dispatch
    from deploy.tasks import carry_out_stop

    dispatch.send(carry_out_stop, str(stop.public_id))
