"""To which destinations a conversion goes, and to which not: decided by consent when it is taken in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import transaction
from django.utils import timezone

from tracking.destinations.registry import destination as known
from tracking.models import ConversionEvent, ConversionSource, Delivery, Destination
from tracking.signals import deliveries_due

State = Delivery.State


def plan_deliveries(events: Sequence[ConversionEvent], source: ConversionSource) -> int:
    """A row for each event and each destination that takes it; how many wait to be sent.

    Of an event that is known already, only what was not sent for want of consent is decided again. Call it inside
    the transaction that wrote the events; who delivers is told after its commit.
    """
    receiving = [each for each in source.destinations.all() if each.active and each.archived_at is None]
    standing = _standing(events) if receiving else {}
    made: list[Delivery] = []
    waiting = 0
    for event in events:
        for each in receiving:
            if not each.takes(event.name):
                continue
            row = standing.get((event.pk, each.pk))
            fresh = _decided(event, each, source)
            if row is None:
                made.append(fresh)
            elif row.state == State.SUPPRESSED and fresh.state == State.PENDING:
                _reopen(row, fresh)
            else:
                continue
            waiting += fresh.state == State.PENDING
    # two requests may report the same conversion in the same moment
    Delivery.objects.bulk_create(made, ignore_conflicts=True)
    if waiting:
        transaction.on_commit(lambda: deliveries_due.send(sender=ConversionSource, source_id=source.pk))
    return waiting


def _standing(events: Iterable[ConversionEvent]) -> dict[tuple[int, int], Delivery]:
    known_before = [each.pk for each in events if each.reports > 1]
    rows = Delivery.objects.filter(event__in=known_before) if known_before else ()
    return {(row.event_id, row.destination_id): row for row in rows}


def _decided(event: ConversionEvent, to: Destination, source: ConversionSource) -> Delivery:
    decision = known(to.short).decide(
        event.consent, to.consent_policy or source.consent_policy, source.region
    )
    row = Delivery(source=source, event=event, destination=to, limited=decision.kind == "limited")
    if decision.kind == "drop":
        row.state, row.reason, row.detail = State.SUPPRESSED, "consent", decision.reason
        row.done_at = timezone.now()
    return row


def _reopen(row: Delivery, fresh: Delivery) -> None:
    """Consent came with a later report of the same conversion."""
    Delivery.objects.filter(pk=row.pk, state=State.SUPPRESSED).update(
        state=State.PENDING,
        limited=fresh.limited,
        reason="",
        detail="",
        done_at=None,
        next_try_at=timezone.now(),
    )
