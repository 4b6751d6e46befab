"""Who is told of what, in the house, by mail and by signed webhook; and who is not."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from deploy import alerts
from deploy.models import Alert
from governance import notices, webhooks
from governance.governed import unguarded
from governance.models import Grant, Notice, NoticeKind, Webhook, WebhookDelivery
from governance.outbound import Bounds, Network
from governance.tests.api_clients import ROOT, client_of, error_of
from governance.tests.factories import UserFactory
from omnitraffick.tests.admin_world import approved, make_world, submitted
from trafficking.services import reject_ticket, transition
from trafficking.statuses import Status

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(settings):
    settings.ALERT_MAIL = True
    made = make_world()
    for person in (made.planner, made.approver, made.outsider):
        person.email = f"{person.username}@example.com"
        person.save()
    return made


def kinds_of(person: Any) -> list[str]:
    return list(Notice.objects.filter(person=person).order_by("id").values_list("kind", flat=True))


# ------------------------------------------------------------------------------------- who is told


def test_approval_is_asked_of_who_may_give_it_and_answered_to_who_asked(world):
    elsewhere = UserFactory(username="elsewhere", roles=["Approver"])
    Grant.objects.create(user=elsewhere, brand=world.other_brand)
    ticket = submitted(world)
    assert kinds_of(world.approver) == ["approval_asked"] and kinds_of(world.boss) == ["approval_asked"]
    assert kinds_of(elsewhere) == [] and kinds_of(world.planner) == [] and kinds_of(world.outsider) == []
    reject_ticket(ticket=ticket, by=world.approver, comment="the budget")
    told = Notice.objects.get(person=world.planner)
    assert told.kind == "rejected" and "the budget" in told.message and str(ticket.pk) in told.path


def test_who_asked_learns_of_approval_and_of_going_live(world):
    ticket = approved(world)
    assert kinds_of(world.planner) == ["approved"]
    for status in (Status.QUEUED, Status.DEPLOYING, Status.TRAFFICKED_SUCCESS):
        transition(ticket, status)
    assert kinds_of(world.planner) == ["approved", "live"]


@pytest.mark.parametrize(
    ("code", "kind"),
    [("alert.deployment_failed", "failed"), ("alert.deployment_in_doubt", "in_doubt"), ("alert.ad_rejected", "ad_rejected")],
)  # fmt: skip
def test_an_alert_is_a_notice_once_and_mailed_once(world, code, kind, django_capture_on_commit_callbacks):
    ticket = submitted(world)
    Notice.objects.all().delete()
    params = {"number": ticket.pk, "name": "x", "reason": "y", "platform": "meta"}
    with django_capture_on_commit_callbacks():
        for _again in range(2):
            alerts.raise_alert(code, ticket=ticket, key="k", **params)
    assert kinds_of(world.planner) == [kind]
    assert Alert.objects.count() == 1
    notices.mail_due()
    assert mail.outbox == []
    alerts.mail_open_alerts()
    assert [each.to for each in mail.outbox] == [["planner@example.com"]]


def test_each_person_chooses_how_they_are_told(world):
    notices.set_preference(person=world.approver, kind="approval_asked", in_app=True, by_mail=False)
    submitted(world)
    notices.mail_due()
    assert mail.outbox == []
    notices.set_preference(person=world.approver, kind="approval_asked", in_app=False, by_mail=True)
    told = notices.notify(
        kind=NoticeKind.APPROVAL_ASKED,
        code="notice.approved",
        params={"number": 1, "name": "n"},
        people=[world.approver],
    )
    assert [(each.in_app, each.by_mail) for each in told] == [(False, True)]
    assert notices.mail_due() == 1 and notices.mail_due() == 0
    notices.set_preference(person=world.approver, kind="approval_asked", in_app=False, by_mail=False)
    none = notices.notify(
        kind="approval_asked",
        code="notice.approved",
        params={"number": 1, "name": "n"},
        people=[world.approver],
    )
    assert none == []


def test_a_mail_server_that_is_down_loses_no_notice(world, monkeypatch):
    submitted(world)

    class Down:
        def send_messages(self, mails: Any) -> None:
            raise OSError("down")

    with monkeypatch.context() as patch:
        patch.setattr("governance.notices.get_connection", Down)
        with pytest.raises(OSError, match="down"):
            notices.mail_due()
    assert notices.mail_due() == 1
    assert "asks for approval" in mail.outbox[0].subject


def test_what_was_taken_away_is_neither_shown_nor_mailed(world):
    submitted(world)
    Grant.objects.filter(user=world.approver).delete()
    person = type(world.approver).objects.get(pk=world.approver.pk)
    assert not Notice.objects.visible_to(person).exists()
    assert notices.mail_due() == 0


# -------------------------------------------------------------------------------------- in the house


def test_the_bell_the_list_and_reading(world, client):
    ticket = submitted(world)
    notice = Notice.objects.get(person=world.approver)
    client.force_login(world.approver)
    listed = reverse("admin:governance_notice_changelist")
    page = client.get(listed).content.decode()
    assert "1 unread notice" in page and "asks for approval" in page
    opened = client.get(reverse("admin:notice_open", args=[notice.public_id]))
    assert opened.url == reverse("admin:trafficking_ticket_change", args=[ticket.pk])
    assert "0 unread notices" in client.get(listed + "?read=yes").content.decode()
    Notice.objects.update(read_at=None)
    client.post(reverse("admin:notices_read"))
    assert notices.unread_count(world.approver) == 0 and notices.unread_count(world.boss) == 1
    client.force_login(world.planner)
    assert client.get(reverse("admin:notice_open", args=[notice.public_id])).status_code == 404


def test_preferences_by_page_and_by_request(world, client):
    client.force_login(world.planner)
    url = reverse("admin:notice_preferences")
    client.post(url, {"in_app-failed": "on", "by_mail-live": "on"})
    chosen = {each.kind: (each.in_app, each.by_mail) for each in notices.all_preferences(world.planner)}
    assert (
        chosen["failed"] == (True, False)
        and chosen["live"] == (False, True)
        and chosen["alert"] == (False, False)
    )
    assert client.get(url).content.decode().count("checked") == 2
    api = client_of(world.planner)
    put = api.put(
        f"{ROOT}/notices/preferences", {"kind": "alert", "in_app": True, "by_mail": False}, format="json"
    )
    assert put.status_code == 200
    told = {each["kind"]: each["in_app"] for each in api.get(f"{ROOT}/notices/preferences").json()}
    assert told["alert"] is True and told["live"] is False


def test_notices_by_request_are_one_s_own(world):
    submitted(world)
    api = client_of(world.approver)
    rows = api.get(f"{ROOT}/notices?unread=true").json()["results"]
    assert [each["kind"] for each in rows] == ["approval_asked"]
    assert client_of(world.boss).post(f"{ROOT}/notices/{rows[0]['id']}/read").status_code == 404
    assert api.post(f"{ROOT}/notices/{rows[0]['id']}/read").json()["read_at"]
    assert api.post(f"{ROOT}/notices/read-all").json() == {"read": 0}


# ------------------------------------------------------------------------------------------ webhooks


class Listener:
    """A system that is called: keeps what it was sent, answers as it is told to."""

    def __init__(self) -> None:
        self.calls: list[tuple[dict[str, str], bytes]] = []
        self.status = 204
        taken = self

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                taken.calls.append((dict(self.headers), body))
                self.send_response(taken.status)
                if taken.status == 302:
                    self.send_header("Location", "http://169.254.169.254/")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_args: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Door)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


LOCAL = Network(resolve=lambda host, port: [ipaddress.ip_address("127.0.0.1")], permits=lambda address: True)


@pytest.fixture
def listener(monkeypatch) -> Iterator[Listener]:
    monkeypatch.setattr(webhooks, "BOUNDS", Bounds(5, http=True))  # plain HTTP to the test's own server
    made = Listener()
    yield made
    made.server.shutdown()
    made.server.server_close()


def hook_for(world: Any, listener: Listener, **values: Any) -> tuple[Webhook, str]:
    kinds = values.pop("kinds", ["approval_asked"])
    hook = Webhook.objects.create(
        name="bridge", url="https://hooks.test/in", brand=world.brand, kinds=kinds, **values
    )
    secret = webhooks.make_secret(webhook=hook, by=world.boss)
    aim(hook, listener)
    return hook, secret


def aim(hook: Webhook, listener: Listener) -> None:
    """Past the fence, which takes https only: the test's own server has no certificate."""
    url = f"http://hooks.test:{listener.server.server_port}/in?x=1"
    unguarded(Webhook).filter(pk=hook.pk).update(url=url)
    hook.refresh_from_db()


def signed_with(headers: dict[str, str], body: bytes) -> tuple[str, list[str]]:
    parts = [each.split("=", 1) for each in headers[webhooks.SIGNATURE].split(",")]
    at = next(value for name, value in parts if name == "t")
    return f"{at}.{headers['X-OmniTraffick-Delivery']}.".encode() + body, [
        v for name, v in parts if name == "v1"
    ]


def test_a_webhook_is_called_signed_and_only_for_its_brand_and_kinds(world, listener):
    _hook, secret = hook_for(world, listener)
    Webhook.objects.create(
        name="other brand", url="https://a.test/", brand=world.other_brand, kinds=NoticeKind.values
    )
    Webhook.objects.create(name="other kind", url="https://a.test/", kinds=["live"])
    ticket = submitted(world)
    assert webhooks.deliver_due(LOCAL) == 1
    (headers, body), = listener.calls  # fmt: skip
    signed, made = signed_with(headers, body)
    assert made == [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()]
    told = json.loads(body)
    assert (told["kind"], told["brand"], told["market"]) == ("approval_asked", "DIS", "US")
    assert told["object"] == {"type": "trafficking.ticket", "id": str(ticket.public_id)}
    assert WebhookDelivery.objects.get().state == "DONE" and webhooks.deliver_due(LOCAL) == 0


def test_a_new_secret_signs_beside_the_old_one_for_a_day_and_none_is_readable(world, listener):
    hook, first = hook_for(world, listener)
    hook.url = "https://hooks.test/in"
    second = webhooks.make_secret(webhook=hook, by=world.boss)
    aim(hook, listener)
    submitted(world)
    webhooks.deliver_due(LOCAL)
    signed, made = signed_with(*listener.calls[0])
    assert made == [hmac.new(key.encode(), signed, hashlib.sha256).hexdigest() for key in (second, first)]
    unguarded(Webhook).update(secret_made_at=timezone.now() - timedelta(hours=25))
    hook.refresh_from_db()
    assert webhooks.signature(hook, "d", b"", 1).count("v1=") == 1
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM governance_webhook")
        assert second not in cursor.fetchone()[0]
    assert not hasattr(hook.history.first(), "secret")
    answer = client_of(world.boss).get(f"{ROOT}/webhooks/{hook.public_id}")
    assert second not in answer.content.decode() and first not in answer.content.decode()


def test_a_failing_webhook_is_tried_later_and_later_and_then_given_up(world, listener):
    hook_for(world, listener)
    listener.status = 503
    submitted(world)
    waits = []
    for _try in range(webhooks.MOST_ATTEMPTS):
        WebhookDelivery.objects.update(next_try_at=timezone.now() - timedelta(seconds=1))
        assert webhooks.deliver_due(LOCAL) == 1
        row = WebhookDelivery.objects.get()
        waits.append((row.next_try_at - timezone.now()).total_seconds() if row.next_try_at else None)
        if row.next_try_at:
            assert webhooks.deliver_due(LOCAL) == 0, "not before its time"
    assert row.state == "FAILED" and "503" in row.error and waits[-1] is None
    assert 20 < waits[0] < 31 and 100 < waits[1] < 121 and waits[-2] > 21_000
    listener.status = 200
    webhooks.send_again(delivery=row)
    webhooks.deliver_due(LOCAL)
    assert WebhookDelivery.objects.get().state == "DONE"
    with pytest.raises(ValidationError):
        webhooks.send_again(delivery=row)


def test_a_redirect_is_no_delivery_and_is_not_followed(world, listener):
    hook_for(world, listener)
    listener.status = 302
    submitted(world)
    webhooks.deliver_due(LOCAL)
    assert len(listener.calls) == 1 and WebhookDelivery.objects.get().state == "PENDING"


def test_a_host_that_leads_inside_is_not_called_also_where_it_did_not_before(world, listener):
    """DNS rebinding: the address is checked when it is called, and the checked one is called."""
    hook_for(world, listener)
    submitted(world)
    inside = Network(resolve=lambda host, port: [ipaddress.ip_address("127.0.0.1")])
    webhooks.deliver_due(inside)
    row = WebhookDelivery.objects.get()
    assert listener.calls == [] and "public internet" in row.error and "127.0.0.1" not in row.error


@pytest.mark.parametrize(
    "url", ["http://a.test/", "ftp://a.test/", "https://me:pw@a.test/", "https://", "a.test", "https://[/"]
)
def test_an_address_that_is_no_https_address_is_refused(world, url):
    with pytest.raises(ValidationError) as refused:
        Webhook.objects.create(name="x", url=url, kinds=["live"])
    assert "url" in refused.value.message_dict


def test_webhooks_are_for_who_has_the_whole_brand(world, client, listener):
    hook, _secret = hook_for(world, listener)
    half = UserFactory(username="half", roles=["Data admin"])
    Grant.objects.create(user=half, brand=world.brand, market=world.market)
    for person in (half, world.outsider):
        api = client_of(person)
        assert api.get(f"{ROOT}/webhooks").json()["results"] == []
        assert api.post(f"{ROOT}/webhooks/{hook.public_id}/rotate-secret").status_code == 404
        for brand in ("DIS", None):
            body = {"name": "mine", "url": "https://a.test/", "brand": brand, "kinds": ["live"]}
            assert api.post(f"{ROOT}/webhooks", body, format="json").status_code in (400, 403), (
                person,
                brand,
            )
    assert client_of(world.planner).get(f"{ROOT}/webhooks").status_code == 403
    body = {"name": "mine", "url": "https://a.test/", "brand": "ACME", "kinds": ["live"]}
    made = client_of(world.outsider).post(f"{ROOT}/webhooks", body, format="json")
    assert made.status_code == 201
    rotated = client_of(world.outsider).post(f"{ROOT}/webhooks/{made.json()['id']}/rotate-secret")
    assert len(rotated.json()["secret"]) > 40
    nothing = client_of(world.outsider).post(
        f"{ROOT}/webhooks", {**body, "kinds": ["nonsense"], "name": "z"}, format="json"
    )
    assert "kinds[0]" in error_of(nothing)["fields"]
    client.force_login(world.outsider)
    listed = client.get(reverse("admin:governance_webhook_changelist")).context["cl"].result_list
    assert [each.name for each in listed] == ["mine"]
    assert client.get(reverse("admin:governance_webhook_change", args=[hook.pk])).status_code == 302


def test_a_data_admin_adds_makes_a_secret_and_tests_in_the_browser(world, client, listener, monkeypatch):
    client.force_login(world.data_admin)
    add = reverse("admin:governance_webhook_add")
    sent = {
        "name": "bridge",
        "url": "https://hooks.test/in",
        "brand": world.brand.pk,
        "kinds": ["failed"],
        "active": "on",
    }
    assert client.post(add, sent).status_code == 302
    hook = Webhook.objects.get()
    page = reverse("admin:governance_webhook_make_secret", args=[hook.pk])
    assert "webhook-secret" not in client.get(page).content.decode()
    shown = client.post(page).content.decode()
    hook.refresh_from_db()
    assert hook.secret["key"] in shown
    assert (
        hook.secret["key"]
        not in client.get(reverse("admin:governance_webhook_change", args=[hook.pk])).content.decode()
    )
    unguarded(Webhook).update(url=f"http://hooks.test:{listener.server.server_port}/")
    monkeypatch.setattr("governance.outbound.Network", lambda: LOCAL)
    client.post(reverse("admin:governance_webhook_send_test", args=[hook.pk]))
    assert len(listener.calls) == 1 and WebhookDelivery.objects.get().state == "DONE"
