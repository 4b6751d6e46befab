"""One change to many tickets, wherever they stand: drafts are edited in place, what is built gets a ticket that follows.

A preview does what would be done, asks QA, and takes it back: it tells exactly what a confirmation writes. Each ticket is
written whole or not at all; what becomes of one stops no other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from governance.actor import acting
from governance.governed import StaleVersion
from trafficking import bulk_requests, qa
from trafficking.bulk_requests import SWITCHES, Preview, Result, Step, Wish
from trafficking.models import Ticket
from trafficking.selectors import tickets_with_context
from trafficking.services import require_permission
from trafficking.statuses import EDITABLE, Status

#: What an edit in place voids.
_VOIDED = (Status.READY_FOR_API, Status.APPROVED)


def edited_in_place(ticket: Ticket, wish: Wish) -> bool:
    """It holds content of its own that nobody has sent yet, and the wish is about content."""
    return ticket.status in EDITABLE and ticket.request_type in Ticket.CONTENT and wish.kind not in SWITCHES


def preview(tickets: Sequence[Ticket], wish: Wish, *, by: Any) -> list[Preview]:
    """What the wish would do to each, in the order given. Raises ValidationError for an incomplete wish; writes nothing."""
    bulk_requests._refuse_incomplete(wish)
    drafts = {each.pk: _tried(each, wish, by) for each in tickets if edited_in_place(each, wish)}
    built = [each for each in tickets if each.pk not in drafts]
    found = {each.ticket.pk: each for each in bulk_requests.preview(built, wish)} | drafts
    return [found[pk] for pk in dict.fromkeys(each.pk for each in tickets) if pk in found]


def _tried(ticket: Ticket, wish: Wish, by: Any) -> Preview:
    """The edit with QA's word on it, taken back again."""
    note = _("Its approval or QA is void then: submit it again.") if ticket.status in _VOIDED else ""
    try:
        with transaction.atomic():
            edited, steps = _edited(ticket, wish, by)
            findings = tuple(qa.check_ticket(edited).findings)
            transaction.set_rollback(True)
    except _REFUSALS as refused:
        return Preview(ticket, ticket, refusal=_words(refused), in_place=True)
    return Preview(ticket, ticket, steps, in_place=True, findings=findings, note=note)


_REFUSALS = (PermissionDenied, ValidationError, OverflowError)


def _words(refused: Exception) -> str:
    if isinstance(refused, ValidationError):
        return " ".join(refused.messages)
    if isinstance(refused, OverflowError):
        return _("There is no such day: shift by fewer days.")
    return _("You may not do that with this ticket.")


def _edited(ticket: Ticket, wish: Wish, by: Any, seen: int | None = None) -> tuple[Ticket, tuple[Step, ...]]:
    """Saved. Within the caller's transaction; `seen` is the version that the person has read."""
    row = tickets_with_context().select_for_update(of=("self",)).get(pk=ticket.pk)
    require_permission(by, "trafficking.change_ticket", row)
    if seen is not None and row.version != seen:
        raise StaleVersion(row)
    changed = bulk_requests._apply(row, wish)
    if not changed.steps:
        raise ValidationError(_("There is nothing of it to change."), code="nothing_to_change")
    with acting(by, reason=wish.note or "changed in bulk"):
        bulk_requests._save(changed)
    return tickets_with_context().get(pk=row.pk), tuple(changed.steps)


def carry_out(
    tickets: Sequence[Ticket], wish: Wish, *, by: Any, seen: Mapping[int, int] | None = None
) -> list[Result]:
    """`seen`: primary key -> the version that the preview was read at; a ticket that has moved on is left alone and told.

    Drafts stay drafts: they are submitted when they are ready. Raises ValidationError for an incomplete wish.
    """
    bulk_requests._refuse_incomplete(wish)
    seen = seen or {}
    results: dict[int, Result] = {}
    for ticket in tickets:
        if seen.get(ticket.pk, ticket.version) != ticket.version:
            results[ticket.pk] = Result(ticket, None, " ".join(StaleVersion(ticket).messages))
        elif edited_in_place(ticket, wish):
            results[ticket.pk] = _written(ticket, wish, by)
    built = [each for each in tickets if each.pk not in results]
    results |= {each.ticket.pk: each for each in bulk_requests.carry_out(built, wish, by=by)}
    return [results[pk] for pk in dict.fromkeys(each.pk for each in tickets) if pk in results]


def _written(ticket: Ticket, wish: Wish, by: Any) -> Result:
    result = Result(ticket, None)
    try:
        with transaction.atomic():
            edited, _steps = _edited(ticket, wish, by, ticket.version)
    except _REFUSALS as refused:
        return replace(result, problem=_words(refused))
    return replace(result, made=edited)
