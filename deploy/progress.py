"""How far the open deployments of tickets are."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Count, Q

from deploy.models import Deployment, Operation

State = Operation.State
#: Nothing is to be sent for it any more.
_OVER = (State.DONE, State.SKIPPED, State.COMPENSATED)


def of_tickets(tickets: Collection[int]) -> dict[int, tuple[int, int]]:
    """Primary keys -> (operations done, all of them) of each ticket's open deployment; one query."""
    rows = Operation.objects.filter(
        deployment__ticket_id__in=tickets,
        deployment__state__in=[*Deployment.OPEN, Deployment.State.IN_DOUBT],
    )
    counted = rows.values("deployment__ticket_id").annotate(
        done=Count("pk", filter=Q(state__in=_OVER)), total=Count("pk")
    )
    return {each["deployment__ticket_id"]: (each["done"], each["total"]) for each in counted.order_by()}
