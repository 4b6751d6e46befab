"""Writes on the vocabulary that are more than one row: codes with their effect, accounts with whom they serve,
the convention in force."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from governance import impact
from governance.access import reach_of
from governance.actor import acting
from governance.models import AdAccount, AdAccountServes, Brand, Market, NamingConvention


def may_change(user: Any, row: Any) -> bool:
    """Whether `user`'s grants cover everything that a change of this vocabulary row touches.

    A brand is changed by who has it in every market, a market by who has it for every brand, an account by
    who has every brand × market that it serves; channels and conventions, and new rows, are everyone's.
    """
    reach = reach_of(user)
    if isinstance(row, AdAccount) and row._state.adding:
        return reach.everything or bool(reach.pairs)  # what it will serve is asked for by itself
    if isinstance(row, AdAccount):
        served = AdAccountServes.objects.filter(
            account=row
        )  # not row.serves: a view may have prefetched only a part
        return all(reach.covers(*pair) for pair in served.values_list("brand_id", "market_id"))
    brand_id = row.pk if isinstance(row, Brand) else None
    market_id = row.pk if isinstance(row, Market) else None
    return reach.covers(brand_id, market_id)


def save_coded(*, row: Any, impact_accepted: bool = False) -> Any:
    """Save a market, brand or channel; names that no platform knows yet follow a changed code.

    Raises ValidationError (`code_in_use` with kept, renamed and examples) while the effect of a changed code
    has not been accepted.
    """
    row.impact_accepted = impact_accepted
    with transaction.atomic():
        old_code = None if row._state.adding else impact.stored_code(row)
        row.save()
        if old_code not in (None, row.code):
            impact.code_changed.send(type(row), row=row, old_code=old_code)
    return row


def save_ad_account(*, account: AdAccount, serves: Iterable[tuple[Brand, Market]] | None = None) -> AdAccount:
    """Save an account and exactly the brand × market pairs that it serves (None: as they are)."""
    with transaction.atomic():
        account.save()
        if serves is not None:
            _set_served(account, list(serves))
    return account


def _set_served(account: AdAccount, wanted: list[tuple[Brand, Market]]) -> None:
    present = {
        (each.brand_id, each.market_id): each for each in AdAccountServes.objects.filter(account=account)
    }
    keys = [(brand.pk, market.pk) for brand, market in wanted]
    if len(set(keys)) != len(keys):
        raise ValidationError(
            {"serves": ValidationError(_("A brand × market stands there twice."), code="duplicate")}
        )
    for key, row in present.items():
        if key not in keys:
            row.delete()
    for (brand, market), key in zip(wanted, keys, strict=True):
        if key not in present:
            AdAccountServes(account=account, brand=brand, market=market).save()


def add_convention(*, convention: NamingConvention) -> NamingConvention:
    """Save a new version with the next number; it is not in force yet."""
    with transaction.atomic():
        last = NamingConvention.objects.aggregate(last=Max("number"))["last"] or 0
        convention.number, convention.in_force = last + 1, False
        convention.save()
    return convention


def put_in_force(*, convention: NamingConvention, by: Any) -> NamingConvention:
    """This version builds new names from now on, and the one before it ends, in one transaction.

    Names that no platform knows yet are built anew (`impact.convention_put_in_force`); ValidationError where
    two of them would become one, and then nothing has changed.
    """
    if convention.in_force:
        return convention
    with acting(by, reason="put in force"), transaction.atomic():
        for before in NamingConvention.objects.filter(in_force=True):
            before.in_force = False
            before.save()
        convention.in_force = True
        convention.save()
        impact.convention_put_in_force.send(NamingConvention, convention=convention)
    return convention
