"""Sending to webhooks: signed, to public addresses only, again and again until it is taken or given up."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
import uuid
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from governance import outbound
from governance.access import reach_of
from governance.actor import acting
from governance.findings import Finding, Message, gettext_noop
from governance.models import Webhook, WebhookDelivery
from governance.notices import event_body, send_soon
from governance.tables import Refused

MESSAGES = {"webhook.test": Message(gettext_noop("{who} tests this webhook."), "")}
State = WebhookDelivery.State
#: All of one call, connecting included.
BOUNDS = outbound.Bounds(seconds=10.0)
#: A worker that died with a delivery leaves it to another one after this.
LEASE = timedelta(seconds=60)
#: After each failed try the wait is four times as long, up to six hours: given up after about two days.
FIRST_WAIT_S, LONGEST_WAIT_S, MOST_ATTEMPTS = 30, 6 * 3600, 14
#: Deliveries of one sweep, and of one webhook in it: a slow one does not hold up the others for long.
MOST_AT_ONCE, MOST_OF_ONE = 50, 5
#: For so long after a new secret was made the old one signs, too.
OLD_SIGNS_FOR = timedelta(hours=24)
TEST = "test"
SIGNATURE = "X-OmniTraffick-Signature"


def may_manage(user: Any, hook: Webhook) -> bool:
    """A brand's webhook is for who has it in every market; one of every brand for who has everything."""
    return reach_of(user).covers(hook.brand_id, None)


def make_secret(*, webhook: Webhook, by: Any) -> str:
    """A new secret, given out this once. The one before it signs beside it for a day."""
    key = secrets.token_urlsafe(32)
    before = webhook.secret.get("key", "")
    webhook.secret = {"key": key, "before": before}
    webhook.secret_made_at = timezone.now()
    with acting(by, reason=_("a new secret was made")):
        webhook.save()
    return key


def send_test(*, webhook: Webhook, by: Any) -> WebhookDelivery:
    """One delivery that says who tests; sent now, tried once. Raises ValidationError where there is no secret yet."""
    if not webhook.secret.get("key"):
        raise ValidationError(_("Make a secret first: nothing is sent unsigned."), code="no_secret")
    event = uuid.uuid4()
    finding = Finding("webhook.test", params={"who": by.get_username()})
    body = event_body(event, TEST, finding, webhook.brand, None, "", None)
    made = WebhookDelivery.objects.create(
        webhook=webhook, event=event, kind=TEST, payload=body, next_try_at=timezone.now() + LEASE, attempts=MOST_ATTEMPTS,
    )  # fmt: skip
    deliver(made)
    return made


def send_again(*, delivery: WebhookDelivery) -> None:
    """What was given up is tried from the beginning."""
    rows = WebhookDelivery.objects.filter(pk=delivery.pk, state=State.FAILED)
    if not rows.update(state=State.PENDING, attempts=0, next_try_at=timezone.now(), error=""):
        raise ValidationError(_("Only what was given up is sent again."), code="not_failed")
    transaction.on_commit(send_soon)


def deliveries_visible_to(user: Any) -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(webhook__in=Webhook.objects.visible_to(user).values("pk"))


# ------------------------------------------------------------------------------------------ sending


def deliver_due(network: outbound.Network | None = None) -> int:
    """Send what is due; how many calls were made."""
    made = 0
    for each in _due():
        if _claim(each):
            deliver(each, network)
            made += 1
    return made


def _due() -> list[WebhookDelivery]:
    rows = WebhookDelivery.objects.filter(state=State.PENDING, next_try_at__lte=timezone.now())
    due: list[WebhookDelivery] = []
    for each in rows.order_by("next_try_at").select_related("webhook")[: MOST_AT_ONCE * 4]:
        if sum(other.webhook_id == each.webhook_id for other in due) < MOST_OF_ONE:
            due.append(each)
    return due[:MOST_AT_ONCE]


def _claim(delivery: WebhookDelivery) -> bool:
    """Compare and set: of two workers one has it, until its lease is over."""
    mine = WebhookDelivery.objects.filter(
        pk=delivery.pk, state=State.PENDING, next_try_at=delivery.next_try_at, attempts=delivery.attempts
    )
    delivery.attempts += 1
    delivery.next_try_at = timezone.now() + LEASE
    return bool(mine.update(attempts=delivery.attempts, next_try_at=delivery.next_try_at))


def deliver(delivery: WebhookDelivery, network: outbound.Network | None = None) -> bool:
    """One try; what came of it is written down. True where it was taken (2xx)."""
    hook = delivery.webhook
    if delivery.kind != TEST and (not hook.active or hook.archived_at):
        return _over(delivery, State.FAILED, None, _("The webhook was switched off."))
    try:
        status = _posted(delivery, network or outbound.Network())
    except Refused as refused:
        return _failed(delivery, None, _in_words(refused))
    if 200 <= status < 300:
        return _over(delivery, State.DONE, status, "")
    return _failed(delivery, status, _("It answered %(status)s.") % {"status": status})


def _posted(delivery: WebhookDelivery, network: outbound.Network) -> int:
    """The status of the answer; its body is not read. Raises Refused."""
    hook = delivery.webhook
    body = json.dumps(delivery.payload, ensure_ascii=False, separators=(",", ":")).encode()
    target = outbound.read_url(hook.url, BOUNDS)
    headers = {
        "Content-Type": "application/json; charset=utf-8", "User-Agent": "OmniTraffick webhooks", "Connection": "close",
        "X-OmniTraffick-Delivery": str(delivery.public_id), "X-OmniTraffick-Kind": delivery.kind,
        SIGNATURE: signature(hook, str(delivery.public_id), body, int(time.time())),
    }  # fmt: skip
    with outbound.called(target, network, BOUNDS, time.monotonic() + BOUNDS.seconds) as call:
        return call.ask("POST", headers, body).status


def signature(hook: Webhook, delivery: str, body: bytes, at: int) -> str:
    """`t=<seconds>,v1=<hex>`: HMAC-SHA256 over "t.delivery.body"; one v1 a secret that signs now."""
    keys = [hook.secret["key"]]
    fresh = hook.secret_made_at and timezone.now() - hook.secret_made_at < OLD_SIGNS_FOR
    if fresh and hook.secret.get("before"):
        keys.append(hook.secret["before"])
    signed = f"{at}.{delivery}.".encode() + body
    made = [hmac.new(key.encode(), signed, hashlib.sha256).hexdigest() for key in keys]
    return ",".join([f"t={at}", *(f"v1={each}" for each in made)])


def _in_words(refused: Refused) -> str:
    """Without the address: it may hold what only its owner should read."""
    finding = refused.findings[0]
    said = {
        "media.url_forbidden": _("The host leads to an address that is not on the public internet."),
        "media.url_no_host": _("There is no address for the host."),
        "media.url_too_slow": _("It took longer than %(s)s seconds.") % {"s": f"{BOUNDS.seconds:g}"},
        "media.url_port": _("That port is not called."),
    }
    reason = str(finding.params.get("reason") or "")
    return said.get(finding.code) or (
        _("It could not be reached: %(reason)s.") % {"reason": reason or finding.code}
    )


def _failed(delivery: WebhookDelivery, status: int | None, error: str) -> bool:
    if delivery.attempts >= MOST_ATTEMPTS:
        return _over(delivery, State.FAILED, status, error)
    wait = min(LONGEST_WAIT_S, FIRST_WAIT_S * 4 ** max(0, delivery.attempts - 1))
    return _written(delivery, State.PENDING, status, error, timezone.now() + timedelta(seconds=wait))


def _over(delivery: WebhookDelivery, state: str, status: int | None, error: str) -> bool:
    return _written(delivery, state, status, error, None)


def _written(delivery: WebhookDelivery, state: str, status: int | None, error: str, next_try_at: Any) -> bool:
    done = state == State.DONE
    delivery.state, delivery.answered, delivery.error = state, status, error[:300]
    delivery.next_try_at, delivery.done_at = next_try_at, timezone.now() if done else None
    delivery.save(update_fields=["state", "answered", "error", "next_try_at", "done_at"])
    return done
