"""What the desk tells of deployments and of what lives on platforms. Each read is one query over few rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from deploy import progress
from deploy.models import Alert, Deployment, Drift
from deploy.selectors import drift_visible_to, existing_visible_to
from governance.access import reach_of

#: Existing objects that compliance is told of: the last read ones.
LAST_READ = 5000
#: Days of the chart.
DAYS = 14
_REACH = ("ticket__campaign__brand_id", "ticket__campaign__market_id")


def _visible(user: Any) -> QuerySet[Deployment]:
    return Deployment.objects.filter(reach_of(user).within(_REACH))


def running(user: Any) -> list[Deployment]:
    """Open deployments, the newest first, each with `done` and `total` operations."""
    rows = _visible(user).filter(state__in=[*Deployment.OPEN, Deployment.State.IN_DOUBT]).order_by("-id")
    found = list(
        rows.select_related("ticket__campaign", "ticket__channel").only(
            "state", "reason", "next_try_at", "not_before", "ticket__campaign__name", "ticket__channel__code"
        )[:12]
    )
    counted = progress.of_tickets([each.ticket_id for each in found])
    for each in found:
        each.done, each.total = counted.get(each.ticket_id, (0, 0))  # type: ignore[attr-defined]
    return found


def drifting_tickets(user: Any, most: int) -> list[int]:
    """Tickets of objects that the platform has otherwise than they were applied."""
    rows = drift_visible_to(user).filter(state=Drift.State.OPEN).order_by("-id")
    return list(dict.fromkeys(rows.values_list("held__ticket_id", flat=True)[:most]))


def compliance(user: Any) -> tuple[int, int]:
    """(legal names, all) among the campaigns, ad sets and ads last read from imported accounts."""
    rows = (
        existing_visible_to(user).exclude(name="").order_by("-id").values_list("legal", flat=True)[:LAST_READ]
    )
    found = list(rows)
    return sum(found), len(found)


def trafficked_by_day(user: Any) -> list[tuple[date, int]]:
    """Deployments that succeeded on each of the last days, in the person's zone; days without any are there, too."""
    today = timezone.localdate()
    first = today - timedelta(days=DAYS - 1)
    began = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS - 1)
    rows = _visible(user).filter(state=Deployment.State.SUCCEEDED, finished_at__gte=began).order_by()
    counted = dict(rows.annotate(day=TruncDate("finished_at")).values_list("day").annotate(count=Count("pk")))
    return [(day, counted.get(day, 0)) for day in (first + timedelta(days=at) for at in range(DAYS))]


def alerts(user: Any) -> Sequence[Alert]:
    """The newest that nobody has seen."""
    rows = (
        Alert.objects.visible_to(user)
        .open()
        .select_related("ticket__campaign", "ticket__channel", "ad_account")
    )
    return list(rows.defer("ad_account__credentials").order_by("-id")[:5])
