"""What people are told: once while nobody has seen it, to those whom it concerns, many in one mail."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from deploy import alerts, watch_tasks
from deploy.models import AccountWatch, Alert, KillSwitch
from deploy.tests.test_engine import approved, deployed
from deploy.tests.watch_world import built
from governance.findings import MESSAGES, Finding
from governance.governed import unguarded
from governance.models import Grant
from governance.tests.factories import AdAccountFactory, BrandFactory, MarketFactory, UserFactory
from trafficking import requests
from trafficking.models import Ticket
from trafficking.platforms.sandbox_base import Fault
from trafficking.tests.factories import make_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket() -> Ticket:
    return make_ticket("META")


def told(ticket: Ticket | None = None, **values) -> Alert | None:
    values = {"key": "k", "number": 1, "name": "Moana", "reason": "so", **values}
    return alerts.raise_alert("alert.deployment_failed", ticket=ticket, **values)


def test_the_same_is_told_once_while_nobody_has_seen_it(ticket, trafficker):
    first = told(ticket)
    assert first is not None
    assert told(ticket) is None
    alerts.mark_seen([first], by=trafficker)
    first.refresh_from_db()
    assert first.seen_by == trafficker
    assert told(ticket) is not None
    assert told(ticket, key="") is not None
    assert told(ticket, key="") is not None


def test_a_worker_that_was_faster_is_no_error(ticket, monkeypatch):
    """Both have looked and found nothing; the database lets one through."""
    first = told(ticket)
    looked = []

    class Nothing:
        def exists(self) -> bool:
            looked.append(True)
            return len(looked) > 1

    class Blind:
        def filter(self, **_where) -> Nothing:
            return Nothing()

    monkeypatch.setattr(type(Alert.objects), "open", lambda self: Blind())
    assert told(ticket) is None
    assert list(Alert.objects.all()) == [first]


def test_an_alert_is_seen_by_whom_it_concerns(ticket):
    elsewhere = UserFactory(roles=["Trafficker"])
    Grant.objects.create(user=elsewhere, brand=BrandFactory(code="OTH"))
    mine = told(ticket)
    account = told(key="account", ad_account=ticket.ad_account)
    everyones = told(key="all")
    assert set(Alert.objects.visible_to(elsewhere)) == {everyones}
    assert set(Alert.objects.visible_to(UserFactory(everywhere=True))) == {mine, account, everyones}
    assert not Alert.objects.visible_to(UserFactory()).exists()
    with pytest.raises(PermissionDenied):
        alerts.mark_seen([mine, everyones], by=elsewhere)
    assert Alert.objects.open().count() == 3


def test_every_alert_has_words_and_says_what_to_do():
    from deploy.messages import MESSAGES as OURS

    assert OURS.items() <= MESSAGES.items()
    assert all(each.text and each.remedy for each in OURS.values())


# ------------------------------------------------------------------------------------------ the mail


@pytest.fixture
def mailing(settings):
    settings.ALERT_MAIL = True


def person(name: str, *, roles=("Trafficker",), everywhere=True):
    return UserFactory(username=name, email=f"{name}@example.com", roles=roles, everywhere=everywhere)


def test_many_alerts_are_one_mail_a_person(ticket, mailing):
    owner, submitter = person("owner"), person("submitter")
    unguarded(Ticket).filter(pk=ticket.pk).update(owner=owner, requested_by=submitter)
    ticket.refresh_from_db()
    told(ticket, key="a", reason="first")
    told(ticket, key="b", reason="second")
    assert alerts.mail_open_alerts() == 2
    assert {each.to[0] for each in mail.outbox} == {"owner@example.com", "submitter@example.com"}
    for each in mail.outbox:
        assert "2" in each.subject
        assert "first" in each.body and "second" in each.body
    assert alerts.mail_open_alerts() == 0
    assert not Alert.objects.filter(mailed_at=None).exists()


def test_what_has_no_owner_or_is_critical_goes_to_who_may_deploy_there(ticket, mailing):
    owner, deployer = person("owner", roles=["Planner"]), person("deployer")
    person("analyst", roles=["Analyst"])
    elsewhere = person("elsewhere", everywhere=False)
    Grant.objects.create(user=elsewhere, brand=BrandFactory(code="OTH"))
    assert alerts.people_for(told(ticket)) == [deployer]
    unguarded(Ticket).filter(pk=ticket.pk).update(owner=owner)
    ticket.refresh_from_db()
    assert alerts.people_for(told(ticket, key="2")) == [owner]
    assert set(alerts.people_for(told(ticket, key="3", severity="CRITICAL"))) == {owner, deployer}
    assert alerts.people_for(told(key="4", ad_account=ticket.ad_account)) == [deployer]


def test_a_mail_server_that_is_down_loses_nothing(ticket, mailing, monkeypatch):
    person("deployer")
    told(ticket)

    def down(*_args, **_kwargs):
        raise OSError("no route to host")

    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", down)
        with pytest.raises(OSError, match="no route"):
            alerts.mail_open_alerts()
    assert Alert.objects.get().mailed_at is None
    assert watch_tasks.mail_alerts() == 1
    assert len(mail.outbox) == 1


def test_a_line_break_in_a_platforms_words_breaks_no_mail(ticket, mailing):
    person("deployer")
    told(ticket, reason="first line\nBcc: someone@example.com")
    alerts.mail_open_alerts()
    assert "\n" not in mail.outbox[0].subject


def test_without_a_mail_server_alerts_stand_in_the_house(
    ticket, settings, django_capture_on_commit_callbacks
):
    settings.ALERT_MAIL = False
    with django_capture_on_commit_callbacks(execute=True):
        told(ticket)
    assert mail.outbox == []
    assert Alert.objects.get().mailed_at is None


# ------------------------------------------------------------------------------------ what is told when


def test_a_deployment_that_failed_is_told_with_its_reason(
    sandboxes, trafficker, approver, django_capture_on_commit_callbacks
):
    ticket = approved(make_ticket("META"), trafficker, approver)
    sandboxes["meta"].faults.append(Fault(kind="expired_token", match="POST", count=5))
    with django_capture_on_commit_callbacks(execute=True):
        run = deployed(ticket, trafficker)
    assert run.state == "FAILED"
    alert = Alert.objects.get(code="alert.deployment_failed")
    assert alert.ticket == ticket
    assert run.reason and run.reason in alert.message


def test_a_stop_and_its_release_are_told_once_each(trafficker):
    account = AdAccountFactory(serving=[(BrandFactory(), MarketFactory())])
    stop = KillSwitch(scope="ACCOUNT", ad_account=account, reason="Wrong prices.", engaged_by=trafficker)
    stop.save()
    alerts.tell_what_passed()
    unguarded(KillSwitch).filter(pk=stop.pk).update(state="RELEASED", released_by=trafficker)
    alerts.tell_what_passed()
    alerts.tell_what_passed()
    codes = list(Alert.objects.order_by("pk").values_list("code", flat=True))
    assert codes == ["alert.stop_engaged", "alert.stop_released"]
    assert "Wrong prices." in Alert.objects.get(code="alert.stop_engaged").message


def test_an_account_that_preflight_found_unfit_is_told(ticket):
    account = ticket.ad_account
    warning = Finding("campaign.no_convention", severity="warn").as_dict()
    AccountWatch.objects.create(ad_account=account, findings=[warning])
    assert not Alert.objects.exists()
    blocked = Finding("campaign.no_convention").as_dict()
    for _time in range(2):
        AccountWatch.objects.update_or_create(ad_account=account, defaults={"findings": [blocked]})
    alert = Alert.objects.get(code="alert.account_unfit")
    assert alert.ad_account == account
    assert Finding("campaign.no_convention").message in alert.message


def test_a_moment_of_going_live_that_passed_is_told_once_even_after_it_was_seen(
    sandboxes, trafficker, approver
):
    ticket = built("META", trafficker, approver)
    soon = timezone.now() + timedelta(hours=1)
    request = requests.start_request(base=ticket, request_type="ACTIVATE", by=trafficker, go_live_at=soon)
    assert alerts.tell_what_passed() == 0
    unguarded(Ticket).filter(pk=request.pk).update(go_live_at=timezone.now() - timedelta(hours=1))
    assert alerts.tell_what_passed() == 1
    alert = Alert.objects.get(code="alert.go_live_missed")
    assert "Draft" in alert.message
    alerts.mark_seen([alert], by=trafficker)
    assert alerts.tell_what_passed() == 0
