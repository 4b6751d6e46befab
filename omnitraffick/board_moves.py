"""What a drop on the board means: the transition that it asks for, or in words why there is none.

The board moves nothing itself: each way is an action of the ticket's page, with the same permission, service and words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from governance.findings import Finding, blocking
from omnitraffick.board_cards import BUILT, LIVE, cards, standing_word
from trafficking import panels
from trafficking.models import Ticket
from trafficking.panels import Order
from trafficking.statuses import Status

S = Status
#: (where it stands, the column that it is dropped on) -> the action that does it
WAYS: dict[tuple[str, str], str] = {
    (S.DRAFT, "qa"): "submit", (S.DRAFT, "approval"): "submit",
    (S.QA_FAILED, "qa"): "submit", (S.QA_FAILED, "approval"): "submit", (S.READY_FOR_API, "qa"): "submit",
    (S.QA_FAILED, "draft"): "withdraw", (S.READY_FOR_API, "draft"): "withdraw", (S.APPROVED, "draft"): "withdraw",
    (S.FAILED, "draft"): "reopen",
    (S.READY_FOR_API, "trafficking"): "approve",
    (S.APPROVED, "trafficking"): "deploy", (S.FAILED, "trafficking"): "deploy", (S.IN_DOUBT, "trafficking"): "look_again",
    (BUILT, "live"): "activate", (LIVE, "trafficking"): "pause",
}  # fmt: skip
#: A plan is approved by whoever has read it: these only open the page that shows it, and approve what it shows.
READ_FIRST = frozenset({"approve"})
#: They make a ticket that follows.
_FOLLOWING = {"activate": Ticket.RequestType.ACTIVATE, "pause": Ticket.RequestType.PAUSE}
_WORKING = (S.QA_TESTING, S.QUEUED, S.DEPLOYING)

_TO_FAILED = gettext_lazy(
    "Nothing is put there by hand: a deployment that stops goes there by itself. To give a ticket up, open it and choose Cancel."
)
_WORKED_ON = gettext_lazy("A worker has it: it moves on by itself.")
_IN_DOUBT = gettext_lazy(
    "Nobody knows yet what the platform did. Drop it on Trafficking: the platform is asked again."
)
_IS_BUILT = gettext_lazy(
    "It is built on the platform. Open it and choose Change…: a ticket that follows changes what is there."
)
_NOT_BUILT = gettext_lazy(
    "Only what is built can go live: it is submitted, approved and deployed first. Drop it here then."
)
_NOT_CHECKED = gettext_lazy("QA and an approval come before anything is sent: drop it on QA first.")
_HAS_FAILED = gettext_lazy("Drop it on Trafficking to send it again, or on Draft to mend it.")
_APPROVED = gettext_lazy(
    "It is approved already: drop it on Trafficking to deploy it, or on Draft to change it."
)


@dataclass(frozen=True, slots=True)
class Moved:
    """What came of a drop. `open`: a page to go on with; `made`: a ticket that came of it; `findings` are blocking."""

    moved: bool
    text: str
    findings: Sequence[Finding] = ()
    open: str = ""
    made: Ticket | None = None


def move(*, ticket: Ticket, to: str, by: Any) -> Moved:
    """Ask for what a drop of `ticket` on the column `to` means. Every refusal comes back in words."""
    stands = _stands(ticket, by)
    way = WAYS.get((stands, to))
    if way is None:
        return Moved(False, str(why_not(stands, to)))
    action = panels.action(way)
    if not by.has_perm(action.permission):
        return Moved(False, _lacking(way))
    if way in READ_FIRST:
        return _to_read(ticket, by, way)
    if (open_one := _asked_already(ticket, way)) is not None:
        text = _("Ticket %(number)s asks for that already: it stands where it waits.")
        return Moved(False, text % {"number": open_one.pk}, made=open_one)
    return _carried_out(ticket, by, way)


def _stands(ticket: Ticket, by: Any) -> str:
    found = cards(by, [ticket.pk])
    return standing_word(found[0].ticket, found[0].standing) if found else ""


def why_not(stands: str, to: str) -> Any:
    if to == "failed":
        return _TO_FAILED
    if stands in _WORKING:
        return _WORKED_ON
    if stands == S.IN_DOUBT:
        return _IN_DOUBT
    if stands in (BUILT, LIVE, ""):
        return _IS_BUILT
    if to == "live":
        return _NOT_BUILT
    if stands == S.FAILED:
        return _HAS_FAILED
    return _APPROVED if stands == S.APPROVED else _NOT_CHECKED


def _lacking(way: str) -> str:
    words = {
        "approve": _("It waits for the approval of a second person: you may not approve plans."),
        "deploy": _("You may not deploy: ask a trafficker or an approver."),
        "look_again": _("You may not deploy: ask a trafficker or an approver."),
    }
    return words.get(way, _("You may not change tickets: ask a planner or a trafficker."))


def _to_read(ticket: Ticket, by: Any, way: str) -> Moved:
    if ticket.requested_by_id == by.pk:
        return Moved(False, _("You submitted it: a second person reads and approves the plan."))
    page = reverse(f"admin:trafficking_ticket_{way}", args=[ticket.pk])
    return Moved(False, _("Read the plan, then approve it there."), open=page)


def _asked_already(ticket: Ticket, way: str) -> Ticket | None:
    if way not in _FOLLOWING:
        return None
    same = Ticket.objects.filter(
        campaign_id=ticket.campaign_id, channel_id=ticket.channel_id, request_type=_FOLLOWING[way]
    )
    return same.exclude(status__in=[S.CANCELLED, S.TRAFFICKED_SUCCESS]).first()


def _carried_out(ticket: Ticket, by: Any, way: str) -> Moved:
    values = {"note": _("Asked for on the board."), "submit": True} if way in _FOLLOWING else {}
    order = Order(ticket=ticket, by=by, digest="", comment="", values=values)
    try:
        outcome = panels.action(way).run(order)
    except PermissionDenied:
        return Moved(False, _("You may not do that with this ticket."))
    except ValidationError as refused:
        return Moved(False, " ".join(refused.messages))
    subject = outcome.ticket or ticket
    subject.refresh_from_db(fields=["status", "findings", "version"])
    found = blocking(subject.all_findings) if outcome.level == messages.WARNING else []
    passed = outcome.ticket is None and outcome.level != messages.WARNING
    return Moved(passed, outcome.text, found, made=outcome.ticket)
