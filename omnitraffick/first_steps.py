"""What an empty installation needs before its first ticket: shown on the desk until there is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Exists, Model
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from governance.models import AdAccount, AdAccountServes, Brand, Market
from trafficking.models import Ticket


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, where, and whether it is done. Without `url` it is somebody else's to do."""

    title: Any
    about: Any
    url: str
    done: bool


def first_steps(user: Any) -> list[Step]:
    """In order; none once anybody has a ticket. One question to the database, whatever is there."""
    there = _there(user)
    if there["has_tickets"]:
        return []
    return [
        _step(user, Market, _("Add a market"), _("A country with its currency and time zone: US."), there["has_markets"]),
        _step(user, Brand, _("Add a brand"), _("Its code stands in every name: DIS."), there["has_brands"]),
        _step(user, AdAccount, _("Add an ad account that serves them"),
              _("Sandbox mode needs no credentials: any number of ten digits will do as its id."), there["has_accounts"]),
        _step(user, get_user_model(), _("Add a second person"),
              _("Nobody approves their own request: give them the Approver role."), there["has_colleagues"]),
        Step(_("Build the first ticket"), _("Campaign, ad sets and ads on one page; the names build themselves."),
             reverse("admin:trafficking_ticket_build") if user.has_perm("trafficking.add_ticket") else "", False),
    ]  # fmt: skip


def _there(user: Any) -> dict[str, bool]:
    people = get_user_model().objects
    asked = {
        "tickets": Ticket.objects.all(), "markets": Market.objects.all(), "brands": Brand.objects.all(),
        "accounts": AdAccountServes.objects.all(), "colleagues": people.filter(is_active=True).exclude(pk=user.pk),
    }  # fmt: skip
    rows: Any = people.filter(pk=user.pk).values(
        **{f"has_{name}": Exists(found) for name, found in asked.items()}
    )
    return rows[0]


def _step(user: Any, model: type[Model], title: Any, about: Any, done: bool) -> Step:
    meta = model._meta
    may = user.has_perm(f"{meta.app_label}.add_{meta.model_name}")
    url = reverse(f"admin:{meta.app_label}_{meta.model_name}_add") if may else ""
    return Step(title, about, url, done)
