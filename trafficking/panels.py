"""What people can do to a ticket, and what its page shows besides its own fields.

Trafficking registers its own actions; a higher floor (deploy) adds its actions and panels in `AppConfig.ready()`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from django.contrib import messages
from unfold.enums import ActionVariant

from governance.panels import Panel
from governance.panels import register as _register
from trafficking.models import Ticket


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to tell the person after an action."""

    text: str
    level: int = messages.SUCCESS


@dataclass(frozen=True, slots=True)
class Order:
    """One action on one ticket: `digest` is that of the plan that the person was shown."""

    ticket: Ticket
    by: Any
    digest: str
    comment: str


@dataclass(frozen=True, slots=True)
class TicketAction:
    """`run` calls one service and lets its refusals (ValidationError, PermissionDenied) through."""

    name: str
    label: Any
    explanation: Any
    permission: str
    statuses: frozenset[str]
    run: Callable[[Order], Outcome]
    icon: str = "play_arrow"
    variant: ActionVariant = ActionVariant.DEFAULT
    comment: Literal["none", "optional", "required"] = "none"
    shows_plan: bool = False

    @property
    def path(self) -> str:
        return self.name.replace("_", "-")


_actions: dict[str, TicketAction] = {}


def register_action(action: TicketAction) -> None:
    _actions[action.name] = action


def actions() -> list[TicketAction]:
    return list(_actions.values())


def action(name: str) -> TicketAction:
    return _actions[name]


def actions_for(user: Any, status: str) -> list[TicketAction]:
    """What this person may try on a ticket in this status."""
    return [each for each in _actions.values() if status in each.statuses and user.has_perm(each.permission)]


def register_panel(panel: Panel) -> None:
    """A panel on the ticket's page."""
    _register("trafficking.ticket", panel)
