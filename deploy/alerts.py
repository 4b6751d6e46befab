"""What people must be told: once for as long as nobody has seen it, in the house and by mail."""

from __future__ import annotations

import logging
import zoneinfo
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.mail import EmailMessage, get_connection
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from deploy.models import AccountWatch, Alert, KillSwitch
from governance.access import reach_of
from governance.findings import Finding, blocking
from governance.models import AdAccount, User
from governance.notices import wants_mail
from trafficking.models import Ticket
from trafficking.statuses import RUNNING, Status

logger = logging.getLogger(__name__)

#: Who is told of what has no owner, or what is critical: they can do something about it.
RIGHT = "trafficking.deploy_ticket"
#: A mail waits so long for others that go to the same people.
GATHER_S = 20
#: Not mailed any more: who opens the house sees it anyway.
TOO_OLD = timedelta(days=2)
#: A moment of going live has been missed when so much has passed since.
GRACE = timedelta(minutes=10)
RANK = {"INFO": 0, "WARNING": 1, "CRITICAL": 2}


def raise_alert(
    code: str, *, severity: str = "WARNING", ticket: Ticket | None = None, ad_account: AdAccount | None = None,
    key: str = "", **params: Any,
) -> Alert | None:  # fmt: skip
    """Tell people. None where the same `key` has been told and nobody has seen it yet; safe for racing workers."""
    known = Alert(
        code=code, severity=severity, params=params, ticket=ticket, ad_account=ad_account, key=_short(key)
    )
    if known.key and Alert.objects.open().filter(key=known.key).exists():
        return None
    try:
        with transaction.atomic():
            known.save(force_insert=True)
    except IntegrityError:
        if known.key and Alert.objects.open().filter(key=known.key).exists():
            return None  # another worker was faster: the constraint alert_open_once
        raise
    transaction.on_commit(_gather_mail)
    return known


def _short(key: str) -> str:
    """Keys are ours and short; one that is not must not fail the work that it tells of."""
    return key[:200]


def mark_seen(alerts: Iterable[Alert], *, by: Any) -> int:
    """They have been read: the same may be told again. Raises PermissionDenied for one that is not theirs."""
    wanted = {each.pk for each in alerts}
    mine = Alert.objects.visible_to(by).filter(pk__in=wanted)
    if mine.count() < len(wanted):
        raise PermissionDenied
    return Alert.objects.filter(pk__in=wanted, seen_at__isnull=True).update(
        seen_at=timezone.now(), seen_by=by
    )


# --------------------------------------------------------------------------------- what is told when


def tell_of_status(sender: Any, ticket: Ticket, before: str, after: str, **_kwargs: Any) -> None:
    """Receiver of `trafficking.services.status_moved`. The run's reason stands there only when all is committed."""
    refused = after == Status.QA_FAILED and before in RUNNING
    if refused or after in (Status.FAILED, Status.IN_DOUBT):
        transaction.on_commit(lambda: _tell_of_end(ticket, before, after))


def _tell_of_end(ticket: Ticket, before: str, after: str) -> None:
    run = ticket.deployments.order_by("-id").first()
    reason = run.reason if run is not None else ""
    if ticket.go_live_at and before in RUNNING and after != Status.IN_DOUBT:
        tell_missed(ticket, reason)
        return
    in_doubt = after == Status.IN_DOUBT
    raise_alert(
        "alert.deployment_in_doubt" if in_doubt else "alert.deployment_failed",
        severity="CRITICAL" if in_doubt else "WARNING",
        ticket=ticket,
        key=f"{after.lower()}:{ticket.pk}",
        number=ticket.pk,
        name=ticket.governed_name,
        reason=reason,
    )


def tell_missed(ticket: Ticket, reason: str) -> Alert | None:
    """An authorised moment of going live that was refused or has passed."""
    zone = zoneinfo.ZoneInfo(ticket.ad_account.time_zone)
    assert ticket.go_live_at is not None  # only such tickets can miss it
    return raise_alert(
        "alert.go_live_missed",
        severity="CRITICAL",
        ticket=ticket,
        key=f"go-live:{ticket.pk}",
        number=ticket.pk,
        name=ticket.governed_name,
        moment=f"{ticket.go_live_at.astimezone(zone):%Y-%m-%d %H:%M} ({zone.key})",
        reason=reason,
    )


def tell_of_account(sender: Any, instance: AccountWatch, **_kwargs: Any) -> None:
    """Receiver of a saved AccountWatch: what preflight found in the account."""
    findings = blocking(Finding.from_dict(each) for each in instance.findings)
    if not findings:
        return
    account = instance.ad_account
    codes = ",".join(sorted({each.code for each in findings}))
    problem = " ".join(each.message for each in findings)
    raise_alert(
        "alert.account_unfit", ad_account=account, key=f"unfit:{account.pk}:{codes}", account=account.name,
        problem=problem,
    )  # fmt: skip


def tell_unreadable(account: AdAccount, reason: str) -> Alert | None:
    """A token or a permission: nothing is read there until a person mends it."""
    return raise_alert(
        "alert.account_unreadable", severity="CRITICAL", ad_account=account, key=f"unreadable:{account.pk}",
        account=account.name, reason=reason,
    )  # fmt: skip


def tell_of_stop(sender: Any, instance: KillSwitch, **_kwargs: Any) -> None:
    """Receiver of a saved KillSwitch, and called by `tell_what_passed`: each stop and each release, once."""
    engaged = instance.state in KillSwitch.ENGAGED
    key = f"stop:{instance.pk}:{'engaged' if engaged else 'released'}"
    if _ever_told(key):
        return
    who = instance.engaged_by if engaged else instance.released_by
    raise_alert(
        "alert.stop_engaged" if engaged else "alert.stop_released",
        severity="CRITICAL",
        ad_account=instance.ad_account,
        key=key,
        who=str(who or _("The house")),
        what=_scope_of(instance),
        reason=instance.reason,
    )


def _scope_of(stop: KillSwitch) -> str:
    named = {
        KillSwitch.Scope.ACCOUNT: stop.ad_account.name if stop.ad_account else "",
        KillSwitch.Scope.BRAND: stop.brand.name if stop.brand else "",
        KillSwitch.Scope.PLATFORM: stop.get_platform_display(),
    }
    return str(named.get(KillSwitch.Scope(stop.scope), _("everything")))


def tell_what_passed() -> int:
    """What no single write tells: moments of going live that have passed, and stops that were set past the signals."""
    now = timezone.now()
    missed = Ticket.objects.filter(
        request_type=Ticket.RequestType.ACTIVATE, go_live_at__lt=now - GRACE, go_live_at__gt=now - TOO_OLD
    ).exclude(status__in=[Status.TRAFFICKED_SUCCESS, Status.CANCELLED])
    told = 0
    for ticket in missed.select_related("campaign", "channel", "ad_account"):
        if not _ever_told(f"go-live:{ticket.pk}"):
            told += tell_missed(ticket, _why_not_live(ticket)) is not None
    for stop in KillSwitch.objects.filter(updated_at__gt=now - TOO_OLD).select_related("ad_account", "brand"):
        tell_of_stop(KillSwitch, stop)
    return told


def _why_not_live(ticket: Ticket) -> str:
    run = ticket.deployments.order_by("-id").first()
    status = _("the ticket is '%(status)s'") % {"status": ticket.get_status_display()}
    return f"{status}. {run.reason if run else ''}".strip()


def _ever_told(key: str) -> bool:
    """Also where it has been seen since: what is looked at again and again is told once."""
    return Alert.objects.filter(key=key).exists()


# -------------------------------------------------------------------------------------------- the mail


def _gather_mail() -> None:
    """Mail goes a little later, so that many alerts become one mail. Without a mail server none goes."""
    if not settings.ALERT_MAIL:
        return
    from deploy.watch_tasks import mail_alerts

    try:
        mail_alerts.apply_async(countdown=GATHER_S, retry=False)
    except Exception:
        # kombu raises many kinds for an unreachable broker; the schedule mails what is left
        logger.exception("could not enqueue the mail of alerts")


def mail_open_alerts() -> int:
    """One mail a person with all that they have not been told; how many mails. Raises what the mail server raises:
    then those alerts are mailed again later. A person may so read an alert twice, never not at all."""
    claimed = _claim()
    try:
        mails = list(_mails(claimed))
        if mails:
            get_connection().send_messages(mails)
    except Exception:
        Alert.objects.filter(pk__in=[each.pk for each in claimed]).update(mailed_at=None)
        raise
    return len(mails)


def _claim() -> list[Alert]:
    """The alerts that this call mails: a second worker finds them taken."""
    fresh = Alert.objects.open().filter(mailed_at__isnull=True, created_at__gt=timezone.now() - TOO_OLD)
    found = fresh.select_related("ticket__owner", "ticket__requested_by", "ticket__campaign", "ad_account")
    now = timezone.now()
    return [each for each in found if Alert.objects.filter(pk=each.pk, mailed_at=None).update(mailed_at=now)]


def _mails(alerts: Sequence[Alert]) -> Iterable[EmailMessage]:
    from deploy.notices import kind_of

    by_person: dict[User, list[Alert]] = defaultdict(list)
    for alert in alerts:
        for person in wants_mail(people_for(alert), kind_of(alert)):
            by_person[person].append(alert)
    for person, theirs in by_person.items():
        yield EmailMessage(_subject(theirs), _body(theirs), settings.DEFAULT_FROM_EMAIL, [person.email])


def people_for(alert: Alert) -> list[User]:
    """The ticket's owner and whoever submitted it; where neither can be mailed, where it hangs on no ticket, and
    where it is critical, everyone who may deploy there. Nobody is told of what they may not see."""
    own = [alert.ticket.owner, alert.ticket.requested_by] if alert.ticket else []
    people = {each.pk: each for each in own if each is not None and each.email and each.is_active}
    if not people or alert.severity == Alert.Severity.CRITICAL:
        people |= {each.pk: each for each in _deployers()}
    return [each for each in people.values() if may_see(each, alert)]


def _deployers() -> Iterable[User]:
    app, codename = RIGHT.split(".")
    held = Q(groups__permissions__codename=codename, groups__permissions__content_type__app_label=app)
    own = Q(user_permissions__codename=codename, user_permissions__content_type__app_label=app)
    return User.objects.filter(held | own, is_active=True).exclude(email="").distinct()


def may_see(person: User, alert: Alert) -> bool:
    if alert.ticket is not None:
        campaign = alert.ticket.campaign
        return reach_of(person).covers(campaign.brand_id, campaign.market_id)
    return Alert.objects.visible_to(person).filter(pk=alert.pk).exists()


def _subject(alerts: Sequence[Alert]) -> str:
    if len(alerts) == 1:
        return " ".join(alerts[0].message.split())[:150]
    return ngettext("OmniTraffick: %(n)d alert", "OmniTraffick: %(n)d alerts", len(alerts)) % {
        "n": len(alerts)
    }


def _body(alerts: Sequence[Alert]) -> str:
    worst_first = sorted(alerts, key=lambda each: (-RANK[each.severity], each.pk))
    return "\n\n".join(
        f"[{each.get_severity_display()}] {each.message}\n{each.remedy}".rstrip() for each in worst_first
    )
