"""Telling people: in the house and by mail, each as they want it; and other systems, by signed webhooks.

Higher floors call `notify` inside the transaction of what they tell of: the rows are there if and only if it is. Mail
and webhooks leave after the commit, and a sweeper sends what was not sent then.
"""

from __future__ import annotations

import logging
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from governance.access import reach_of, read_reaches
from governance.findings import Finding
from governance.models import Notice, NoticeKind, NoticePreference, User, Webhook, WebhookDelivery

logger = logging.getLogger(__name__)

#: Not mailed any more: who opens the house sees it anyway.
TOO_OLD = timedelta(days=2)
#: Notices of one mail run.
MOST_MAILED = 500


def notify(
    *, kind: str, code: str, params: Mapping[str, Any], people: Iterable[User], brand: Any = None, market: Any = None,
    path: str = "", subject: Any = None, mail: bool = True,
) -> list[Notice]:  # fmt: skip
    """Tell `people` who reach that brand and market, and the webhooks that want the kind. Each event once a call.

    `code` and `params` are a registered message; `path` the page that it is about (from the root of the site);
    `subject` the row; `mail=False` where the caller mails by itself.
    """
    told = _notices(kind, code, params, people, brand, market, path, mail)
    Notice.objects.bulk_create(told)
    queued = _queue_webhooks(kind, code, params, brand, market, path, subject)
    if queued or any(each.by_mail for each in told):
        transaction.on_commit(send_soon)
    return told


def _notices(
    kind: str, code: str, params: Mapping[str, Any], people: Iterable[User], brand: Any, market: Any, path: str, mail: bool
) -> list[Notice]:  # fmt: skip
    unique = {each.pk: each for each in people if each.is_active}
    read_reaches(list(unique.values()))
    reaching = [each for each in unique.values() if _reaches(each, brand, market)]
    wishes = preferences_of(reaching, kind)
    made = []
    for person in reaching:
        in_app, by_mail = wishes[person.pk]
        by_mail = by_mail and mail and bool(person.email)
        if in_app or by_mail:
            made.append(
                Notice(person=person, kind=kind, code=code, params=dict(params), path=path, brand=brand, market=market,
                       in_app=in_app, by_mail=by_mail)
            )  # fmt: skip
    return made


def _reaches(person: User, brand: Any, market: Any) -> bool:
    """What belongs to no brand and market is told to whom the caller names."""
    if brand is None and market is None:
        return True
    return reach_of(person).covers(brand and brand.pk, market and market.pk)


def holders_of(permission: str) -> QuerySet[User]:
    """Active people with a permission (`app.codename`), superusers included."""
    app, codename = permission.split(".")
    by_group = Q(groups__permissions__codename=codename, groups__permissions__content_type__app_label=app)
    own = Q(user_permissions__codename=codename, user_permissions__content_type__app_label=app)
    return User.objects.filter(by_group | own | Q(is_superuser=True), is_active=True).distinct()


# --------------------------------------------------------------------------------------- preferences


def preferences_of(people: Sequence[User], kind: str) -> dict[int, tuple[bool, bool]]:
    """person -> (in the house, by mail); both where nothing was chosen."""
    rows = NoticePreference.objects.filter(person__in=[each.pk for each in people], kind=kind)
    chosen = {each.person_id: (each.in_app, each.by_mail) for each in rows}
    return {each.pk: chosen.get(each.pk, (True, True)) for each in people}


def wants_mail(people: Sequence[User], kind: str) -> list[User]:
    wishes = preferences_of(people, kind)
    return [each for each in people if wishes[each.pk][1]]


def all_preferences(person: User) -> list[NoticePreference]:
    """One a kind, in their order; those without a row with the defaults."""
    rows = {each.kind: each for each in NoticePreference.objects.filter(person=person)}
    return [rows.get(kind) or NoticePreference(person=person, kind=kind) for kind in NoticeKind.values]


def set_preference(*, person: User, kind: str, in_app: bool, by_mail: bool) -> NoticePreference:
    row, _created = NoticePreference.objects.update_or_create(
        person=person, kind=kind, defaults={"in_app": in_app, "by_mail": by_mail}
    )
    return row


# ------------------------------------------------------------------------------------------ reading


def unread_count(person: User, most: int = 100) -> int:
    """Of what is shown in the house; counted up to `most`."""
    rows = Notice.objects.visible_to(person).unread().filter(in_app=True)
    return len(rows.order_by().values_list("pk", flat=True)[:most])


def mark_read(rows: QuerySet[Notice], *, by: User) -> int:
    """Those of `rows` that are the person's and unread."""
    mine = Notice.objects.visible_to(by).unread().filter(pk__in=rows.values("pk"))
    keys = list(mine.values_list("pk", flat=True))
    return Notice.objects.filter(pk__in=keys).update(read_at=timezone.now())


# --------------------------------------------------------------------------------------------- mail


def send_soon() -> None:
    """A broker that is down loses nothing: the schedule finds what is due in the database."""
    from governance.tasks import send_notices

    try:
        send_notices.apply_async(retry=False)
    except Exception:
        # kombu raises many kinds for an unreachable broker
        logger.exception("could not enqueue the sending of notices")


def mail_due() -> int:
    """One mail a person with all that waits for them; how many mails. Raises what the mail server raises: then they
    are mailed again later. A person may so read a notice twice, never not at all."""
    if not settings.ALERT_MAIL:
        return 0
    claimed = _claim()
    by_person: dict[User, list[Notice]] = defaultdict(list)
    for notice in claimed:
        # what was taken away from a person since is not mailed to them
        if notice.person.is_active and _reaches(notice.person, notice.brand, notice.market):
            by_person[notice.person].append(notice)
    mails = [_mail(person, theirs) for person, theirs in by_person.items()]
    try:
        if mails:
            get_connection().send_messages(mails)
    except Exception:
        Notice.objects.filter(pk__in=[each.pk for each in claimed]).update(mailed_at=None)
        raise
    return len(mails)


def _claim() -> list[Notice]:
    """The notices that this call mails: a second worker finds them taken."""
    now = timezone.now()
    due = Notice.objects.filter(by_mail=True, mailed_at=None, created_at__gt=now - TOO_OLD)
    found = due.select_related("person", "brand", "market").order_by("id")[:MOST_MAILED]
    return [each for each in found if Notice.objects.filter(pk=each.pk, mailed_at=None).update(mailed_at=now)]


def _mail(person: User, notices: Sequence[Notice]) -> EmailMessage:
    if len(notices) == 1:
        subject = " ".join(notices[0].message.split())[:150]
    else:
        words = ngettext("OmniTraffick: %(n)d notice", "OmniTraffick: %(n)d notices", len(notices))
        subject = words % {"n": len(notices)}
    parts = [
        "\n".join(line for line in (each.message, each.remedy, _address(each.path)) if line)
        for each in notices
    ]
    foot = gettext("What you are told, and how, is yours to choose: Notices > Preferences.")
    return EmailMessage(subject, "\n\n".join([*parts, foot]), settings.DEFAULT_FROM_EMAIL, [person.email])


def _address(path: str) -> str:
    return f"{settings.PUBLIC_URL}{path}" if path and settings.PUBLIC_URL else ""


# ----------------------------------------------------------------------------------------- webhooks


def _queue_webhooks(
    kind: str, code: str, params: Mapping[str, Any], brand: Any, market: Any, path: str, subject: Any
) -> int:
    rows = Webhook.objects.filter(active=True, archived_at=None, secret_made_at__isnull=False)
    hooks = [
        each for each in rows.filter(Q(brand=None) | Q(brand=brand)).defer("secret") if kind in each.kinds
    ]
    if not hooks:
        return 0
    event = uuid.uuid4()
    body = event_body(event, kind, Finding(code, params=dict(params)), brand, market, path, subject)
    WebhookDelivery.objects.bulk_create(
        WebhookDelivery(webhook=each, event=event, kind=kind, payload=body) for each in hooks
    )
    return len(hooks)


def event_body(
    event: uuid.UUID, kind: str, finding: Finding, brand: Any, market: Any, path: str, subject: Any
) -> dict[str, Any]:
    """What a webhook is sent (docs/webhooks.md)."""
    return {
        "id": str(event), "kind": kind, "at": timezone.now().isoformat(timespec="seconds"), "code": finding.code,
        "text": f"{finding.message} {finding.remedy}".strip(), "brand": brand.code if brand else None,
        "market": market.code if market else None, "path": path,
        "object": {"type": subject._meta.label_lower, "id": str(subject.public_id)} if subject is not None else None,
    }  # fmt: skip
