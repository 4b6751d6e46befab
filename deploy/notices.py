"""Who is told of what became of a deployment. Alerts are told as notices; they mail by themselves (`deploy.alerts`)."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from deploy import alerts
from deploy.models import Alert
from governance import notices
from governance.findings import Message
from governance.findings import gettext_noop as _
from governance.models import NoticeKind
from trafficking.models import Ticket
from trafficking.notices import requesters, tell
from trafficking.statuses import Status

MESSAGES = {
    "notice.built": Message(
        _("Ticket {number}, {name}, is done and proved on the platform."), _("What was created is paused until somebody switches it on.")
    ),
    "notice.live": Message(_("Ticket {number}: {name} is live."), ""),
}  # fmt: skip
KINDS = {
    "alert.deployment_failed": NoticeKind.FAILED, "alert.go_live_missed": NoticeKind.FAILED,
    "alert.rehearsal_failed": NoticeKind.FAILED, "alert.deployment_in_doubt": NoticeKind.IN_DOUBT,
    "alert.ad_rejected": NoticeKind.AD_REJECTED, "alert.ad_limited": NoticeKind.AD_REJECTED,
}  # fmt: skip


def kind_of(alert: Alert) -> str:
    return KINDS.get(alert.code, NoticeKind.ALERT)


def tell_of_status(sender: Any, ticket: Ticket, before: str, after: str, **_kwargs: Any) -> None:
    """Receiver of `trafficking.services.status_moved`."""
    if after == Status.TRAFFICKED_SUCCESS:
        live = ticket.request_type == Ticket.RequestType.ACTIVATE
        tell(ticket, NoticeKind.LIVE, "notice.live" if live else "notice.built", requesters(ticket))


def tell_of_alert(sender: Any, instance: Alert, created: bool, **_kwargs: Any) -> None:
    """Receiver of a saved Alert: in the house and by webhook."""
    if not created:
        return
    ticket = instance.ticket
    campaign = ticket.campaign if ticket else None
    notices.notify(
        kind=kind_of(instance), code=instance.code, params=instance.params, mail=False, subject=instance,
        people=[each for each in _people(instance) if alerts.may_see(each, instance)],
        brand=campaign and campaign.brand, market=campaign and campaign.market, path=_path(instance),
    )  # fmt: skip


def _people(alert: Alert) -> list[Any]:
    own = requesters(alert.ticket) if alert.ticket else []
    if own and alert.severity != Alert.Severity.CRITICAL:
        return own
    return [*own, *notices.holders_of(alerts.RIGHT)]


def _path(alert: Alert) -> str:
    if alert.ticket_id:
        return reverse("admin:trafficking_ticket_change", args=[alert.ticket_id])
    return reverse("admin:deploy_alert_changelist")
