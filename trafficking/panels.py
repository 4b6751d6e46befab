"""What people can do to a ticket, and what its page shows besides its own fields.

Trafficking registers its own actions; a higher floor (deploy) adds its actions and panels in `AppConfig.ready()`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from django.contrib import messages
from django.forms import Form
from unfold.enums import ActionVariant

from governance.panels import Panel
from governance.panels import register as _register
from trafficking.models import Ticket


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to tell the person after an action."""

    text: str
    level: int = messages.SUCCESS
    #: the ticket that has come of it: the person is led there
    ticket: Ticket | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """One action on one ticket: `digest` is that of the plan that the person was shown."""

    ticket: Ticket
    by: Any
    digest: str
    comment: str
    #: what the action's own form was filled in with
    values: Mapping[str, Any] = field(default_factory=dict)


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
    #: `form(ticket, data)` asks for more than a comment; such an action is for one ticket at a time
    form: Callable[[Ticket, Any], Form] | None = None
    #: whether it makes sense on this ticket, beyond its status
    fits: Callable[[Ticket], bool] = lambda _ticket: True
    #: kept behind "More…" on the ticket's page
    aside: bool = False

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


def actions_for(user: Any, ticket: Ticket) -> list[TicketAction]:
    """What this person may try on this ticket."""
    return [
        each
        for each in _actions.values()
        if ticket.status in each.statuses and user.has_perm(each.permission) and each.fits(ticket)
    ]


def register_panel(panel: Panel) -> None:
    """A panel on the ticket's page."""
    _register("trafficking.ticket", panel)
