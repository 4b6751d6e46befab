"""What an empty installation needs before its first ticket: shown on the desk until there is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Model
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
    """In order; none once anybody has a ticket, or for who sees no tickets."""
    if Ticket.objects.exists():
        return []
    people = get_user_model().objects.filter(is_active=True)[:2]
    return [
        _step(user, Market, _("Add a market"), _("A country with its currency and time zone: US.")),
        _step(user, Brand, _("Add a brand"), _("Its code stands in every name: DIS.")),
        _step(user, AdAccount, _("Add an ad account that serves them"),
              _("Sandbox mode needs no credentials: any number of ten digits will do as its id."),
              done=AdAccountServes.objects.exists()),
        _step(user, get_user_model(), _("Add a second person"), _("Nobody approves their own request: give them the Approver role."),
              done=len(people) > 1),
        Step(_("Build the first ticket"), _("Campaign, ad sets and ads on one page; the names build themselves."),
             reverse("admin:trafficking_ticket_build") if user.has_perm("trafficking.add_ticket") else "", False),
    ]  # fmt: skip


def _step(user: Any, model: type[Model], title: Any, about: Any, done: bool | None = None) -> Step:
    meta = model._meta
    may = user.has_perm(f"{meta.app_label}.add_{meta.model_name}")
    url = reverse(f"admin:{meta.app_label}_{meta.model_name}_add") if may else ""
    return Step(title, about, url, model._default_manager.exists() if done is None else done)
