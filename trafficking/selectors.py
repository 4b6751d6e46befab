"""Reads worth a name."""

from __future__ import annotations

import uuid

from django.db.models import QuerySet

from trafficking.models import Ticket


def tickets_with_context() -> QuerySet[Ticket]:
    """Tickets with what nearly every use of them needs, in one query."""
    return Ticket.objects.select_related(
        "campaign__brand", "campaign__market", "channel", "ad_account", "requested_by", "owner"
    )


def find_ticket(reference: str) -> Ticket | None:
    """By public id (UUID) or by number, as people paste either into a terminal."""
    found = tickets_with_context()
    try:
        return found.filter(public_id=uuid.UUID(reference)).first()
    except ValueError:
        return found.filter(pk=int(reference)).first() if reference.isdecimal() else None
