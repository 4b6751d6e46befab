"""Reads of the deploy floor worth a name: what is whose among rows that hang on accounts rather than on campaigns."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from deploy.models import Drift, ExistingObject, KillSwitch, MediaUpload
from governance.access import reach_of
from governance.models import AdAccount, AdAccountServes, Brand

State = KillSwitch.State
#: A stop that people must know of: it stands, or what it paused is still being started again.
STANDING = (State.STOPPING, State.STOPPED, State.RELEASING)


def stops_visible_to(user: Any) -> QuerySet[KillSwitch]:
    """Stops that touch the person's work: of everything, of a platform, of a brand or an account of theirs."""
    reach = reach_of(user)
    rows = KillSwitch.objects.all()
    if reach.everything:
        return rows
    if not reach.pairs:
        return rows.none()
    mine = Q(scope__in=[KillSwitch.Scope.ALL, KillSwitch.Scope.PLATFORM])
    mine |= Q(brand__in=Brand.objects.visible_to(user).values("pk"))
    mine |= Q(ad_account__in=AdAccount.objects.visible_to(user).values("pk"))
    return rows.filter(mine)


def standing_stops(user: Any) -> QuerySet[KillSwitch]:
    """The oldest first."""
    found = stops_visible_to(user).filter(state__in=STANDING)
    return (
        found.select_related("ad_account", "brand", "engaged_by")
        .defer("ad_account__credentials")
        .order_by("id")
    )


def scope_words(stop: KillSwitch) -> str:
    """What it stops: "Everything", "Meta", "Disney", "Disney US (Meta …)"."""
    named = {
        KillSwitch.Scope.ACCOUNT: str(stop.ad_account or ""),
        KillSwitch.Scope.BRAND: str(stop.brand or ""),
        KillSwitch.Scope.PLATFORM: stop.get_platform_display(),
    }
    return str(named.get(KillSwitch.Scope(stop.scope)) or _("Everything"))


def drift_visible_to(user: Any) -> QuerySet[Drift]:
    campaign = "held__tree__campaign__"
    return Drift.objects.filter(reach_of(user).within((f"{campaign}brand_id", f"{campaign}market_id")))


def whole_accounts(user: Any) -> set[int]:
    """Primary keys of the accounts whose every brand × market is the person's; with a full grant every account's."""
    reach = reach_of(user)
    if reach.everything:
        return set(AdAccount.objects.values_list("pk", flat=True))
    served: dict[int, bool] = {}
    for account, brand, market in AdAccountServes.objects.values_list("account_id", "brand_id", "market_id"):
        served[account] = served.get(account, True) and reach.covers(brand, market)
    return {account for account, theirs in served.items() if theirs}


def existing_visible_to(user: Any) -> QuerySet[ExistingObject]:
    """All of an account that is wholly the person's; of a shared one what is known to be of their brands and markets."""
    reach = reach_of(user)
    rows = ExistingObject.objects.all()
    if reach.everything:
        return rows
    held = "governed_by__tree__campaign__"
    accounts = AdAccount.objects.visible_to(user).values("pk")
    mine = Q(ad_account__in=whole_accounts(user))
    mine |= Q(governed_by__isnull=False) & reach.within((f"{held}brand_id", f"{held}market_id"))
    return rows.filter(mine, ad_account__in=accounts)


def uploads_visible_to(user: Any) -> QuerySet[MediaUpload]:
    return MediaUpload.objects.filter(ad_account__in=AdAccount.objects.visible_to(user).values("pk"))
