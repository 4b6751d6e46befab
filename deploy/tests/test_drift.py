"""Somebody changes a campaign behind our back: it is seen, told once, and adopted, restored or ignored."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from deploy import drift, reading, watch_tasks
from deploy.models import AccountWatch, Alert, Deployment, Drift, KillSwitch, StoppedObject
from deploy.tests.watch_world import (
    CODES,
    HANDS,
    budget_there,
    built,
    carried_out,
    row,
    set_budget,
    switched_on,
)
from governance.models import Grant
from governance.tests.factories import BrandFactory, UserFactory
from trafficking import requests
from trafficking import services as tickets
from trafficking.models import PlatformObject, Ticket
from trafficking.platforms.sandbox_base import Fault
from trafficking.statuses import Status

pytestmark = pytest.mark.django_db
State = Drift.State


@pytest.fixture(params=CODES)
def code(request) -> str:
    return request.param


@pytest.fixture
def ticket(code, sandboxes, trafficker, approver) -> Ticket:
    return built(code, trafficker, approver)


@pytest.fixture
def sandbox(ticket, sandboxes):
    return sandboxes[ticket.ad_account.platform]


def seen(ticket: Ticket) -> list[Drift]:
    drift.look_at_tree(ticket)
    return list(Drift.objects.filter(state=State.OPEN).order_by("pk"))


def test_what_we_built_and_changed_ourselves_is_no_drift(code, ticket, trafficker, approver):
    assert seen(ticket) == []
    switched_on(ticket, trafficker, approver)
    assert seen(ticket) == []
    pause = requests.start_request(base=ticket, request_type="PAUSE", by=trafficker)
    carried_out(pause, trafficker, approver)
    assert seen(ticket) == []


def test_a_changed_field_shows_applied_wanted_and_live_and_is_told_once(code, ticket, sandbox):
    held = row(ticket, HANDS[code].budget[0])
    field = HANDS[code].budget[2]
    before = held.applied[field]
    set_budget(code, ticket, sandbox)
    (found,) = seen(ticket)
    assert (found.held, found.field, found.applied, found.wanted) == (held, field, before, before)
    assert found.live not in (before, None)
    assert seen(ticket) == [found]
    assert Alert.objects.filter(code="alert.drift").count() == 1


def test_drift_is_gone_when_the_platform_has_the_value_again(code, ticket, sandbox):
    before = budget_there(code, ticket, sandbox)
    held = set_budget(code, ticket, sandbox)
    (found,) = seen(ticket)
    _type, kind, _field, changes = HANDS[code].budget
    sandbox.tamper(kind, held.external_id, dict.fromkeys(changes, before))
    assert seen(ticket) == []
    found.refresh_from_db()
    assert found.state == State.GONE


def test_somebody_who_switches_the_campaign_on_is_seen(code, ticket, sandbox):
    sandbox.tamper(HANDS[code].campaign, row(ticket, "campaign").external_id, HANDS[code].on)
    (found,) = seen(ticket)
    assert (found.field, found.applied, found.live) == ("status", "PAUSED", "ACTIVE")


def test_reading_for_another_purpose_does_not_swallow_drift(code, ticket, sandbox):
    sandbox.tamper(HANDS[code].campaign, row(ticket, "campaign").external_id, HANDS[code].on)
    set_budget(code, ticket, sandbox)
    reading.refresh_tree(ticket)
    assert {each.field for each in seen(ticket)} == {"status", HANDS[code].budget[2]}


def test_an_ad_set_archived_outside_is_one_drift_for_all_that_hung_under_it(code, ticket, sandbox):
    sandbox.tamper(HANDS[code].ad_set, row(ticket, "ad_set").external_id, HANDS[code].away)
    (found,) = seen(ticket)
    assert (found.held.object_type, found.field, found.live) == ("ad_set", "", "ARCHIVED")


def test_what_comes_back_is_no_drift_any_more(code, ticket, sandbox):
    """A list that lags, or somebody who brings it back."""
    for level in ("campaign", "ad_set"):
        held, kind = row(ticket, level), getattr(HANDS[code], level)
        sandbox.tamper(kind, held.external_id, HANDS[code].away)
        assert [each.field for each in seen(ticket)] == [""]
        sandbox.tamper(kind, held.external_id, HANDS[code].off)
        assert seen(ticket) == []
        held.refresh_from_db()
        assert held.status == "PAUSED"


def test_an_object_archived_outside_can_be_adopted_and_not_restored(code, ticket, sandbox, trafficker):
    sandbox.tamper(HANDS[code].ad_set, row(ticket, "ad_set").external_id, HANDS[code].away)
    (found,) = seen(ticket)
    with pytest.raises(ValidationError, match="archived"):
        drift.restore(drift=found, by=trafficker)
    drift.adopt(drift=found, by=trafficker, comment="It was not needed.")
    assert seen(ticket) == []
    below = PlatformObject.objects.filter(object_type__in=("ad_set", "ad"))
    assert set(below.values_list("status", "applied_status")) == {("ARCHIVED", "ARCHIVED")}


def test_an_adopted_value_stays_until_the_ticket_asks_for_another(code, ticket, sandbox, trafficker):
    held = set_budget(code, ticket, sandbox)
    (found,) = seen(ticket)
    drift.adopt(drift=found, by=trafficker, comment="Agreed by telephone.")
    assert (found.state, found.decided_by) == (State.ADOPTED, trafficker)
    assert seen(ticket) == []
    held.refresh_from_db()
    assert held.applied[found.field] == found.live
    update = requests.start_request(base=ticket, request_type="UPDATE", by=trafficker)
    report = tickets.submit_ticket(ticket=update, by=trafficker)
    assert [each.code for each in report.findings if each.blocking] == ["request.nothing"]


def test_an_adopted_value_that_is_changed_once_more_is_drift_again(code, ticket, sandbox, trafficker):
    before = budget_there(code, ticket, sandbox)
    held = set_budget(code, ticket, sandbox)
    (found,) = seen(ticket)
    drift.adopt(drift=found, by=trafficker)
    _type, kind, _field, changes = HANDS[code].budget
    sandbox.tamper(kind, held.external_id, dict.fromkeys(changes, before))
    (again,) = seen(ticket)
    assert (again.applied, again.wanted) == (found.live, found.live)


def test_an_ad_set_that_was_paused_outside_and_adopted_is_left_when_the_whole_is_activated(
    code, ticket, sandbox, trafficker, approver
):
    switched_on(ticket, trafficker, approver)
    held = row(ticket, "ad_set")
    sandbox.tamper(HANDS[code].ad_set, held.external_id, HANDS[code].off)
    (found,) = seen(ticket)
    drift.adopt(drift=found, by=trafficker)
    held.refresh_from_db()
    assert held.held_back
    assert seen(ticket) == []


def test_restoring_goes_through_a_ticket_with_approval_and_brings_the_value_back(
    code, ticket, sandbox, trafficker, approver
):
    before = budget_there(code, ticket, sandbox)
    set_budget(code, ticket, sandbox)
    (found,) = seen(ticket)
    request = drift.restore(drift=found, by=trafficker, comment="Not agreed.")
    assert (request.request_type, request.status) == ("UPDATE", Status.READY_FOR_API), request.findings
    assert found.request == request
    assert seen(ticket) == []
    found.refresh_from_db()
    assert found.state == State.RESTORING
    carried_out(request, trafficker, approver)
    assert budget_there(code, ticket, sandbox) == before
    seen(ticket)
    found.refresh_from_db()
    assert found.state == State.GONE


def test_restoring_a_switch_is_a_pause_or_activate_ticket(code, ticket, sandbox, trafficker, approver):
    sandbox.tamper(HANDS[code].campaign, row(ticket, "campaign").external_id, HANDS[code].on)
    (found,) = seen(ticket)
    request = drift.restore(drift=found, by=trafficker)
    assert (request.request_type, request.scope) == ("PAUSE", [])
    carried_out(request, trafficker, approver)
    assert seen(ticket) == []
    assert row(ticket, "campaign").status == "PAUSED"


def test_one_restore_ticket_stands_for_all_that_drifted_in_a_tree(sandboxes, trafficker, approver):
    ticket = built("META", trafficker, approver, ad_sets=2)
    for held in ticket.tree_objects().filter(object_type="ad_set"):
        sandboxes["meta"].tamper("ad_set", held.external_id, {"lifetime_budget": "999900"})
    first, second = seen(ticket)
    request = drift.restore(drift=first, by=trafficker)
    assert drift.restore(drift=second, by=trafficker) == request


def test_drift_is_open_again_when_its_restore_ticket_was_cancelled(
    code, ticket, sandbox, trafficker, approver
):
    set_budget(code, ticket, sandbox)
    (found,) = seen(ticket)
    request = drift.restore(drift=found, by=trafficker)
    tickets.cancel_ticket(ticket=request, by=trafficker)
    (again,) = seen(ticket)
    assert again != found
    assert again.live == found.live


def test_ignored_drift_stays_ignored_until_the_live_value_changes(code, ticket, sandbox, trafficker):
    held = set_budget(code, ticket, sandbox)
    (found,) = seen(ticket)
    with pytest.raises(ValidationError, match="reason"):
        drift.ignore(drift=found, by=trafficker, reason=" ")
    drift.ignore(drift=found, by=trafficker, reason="A test of the client.")
    assert seen(ticket) == []
    _type, kind, _field, changes = HANDS[code].budget
    bigger = {
        name: type(value)(int(value) + 100_000_0 if isinstance(value, str) else value + 1)
        for name, value in changes.items()
    }
    sandbox.tamper(kind, held.external_id, bigger)
    (again,) = seen(ticket)
    assert again.live != found.live
    found.refresh_from_db()
    assert (found.state, found.reason) == (State.GONE, "A test of the client.")


def test_a_decision_on_what_has_changed_meanwhile_is_refused(code, ticket, sandbox, trafficker):
    set_budget(code, ticket, sandbox)
    (found,) = seen(ticket)
    Drift.objects.filter(pk=found.pk).update(live="something else")
    with pytest.raises(ValidationError, match="no longer open"):
        drift.adopt(drift=found, by=trafficker)
    assert Drift.objects.get(pk=found.pk).state == State.OPEN


def test_only_who_may_decide_in_that_brand_decides(sandboxes, trafficker, approver):
    ticket = built("META", trafficker, approver)
    set_budget("META", ticket, sandboxes["meta"])
    (found,) = seen(ticket)
    elsewhere = UserFactory(roles=["Trafficker"])
    Grant.objects.create(user=elsewhere, brand=BrandFactory(code="OTH"))
    assert list(drift.visible_to(trafficker)) == [found]
    assert not drift.visible_to(elsewhere).exists()
    for person in (elsewhere, UserFactory(roles=["Analyst"], everywhere=True)):
        for decide in (
            lambda who: drift.adopt(drift=found, by=who),
            lambda who: drift.ignore(drift=found, by=who, reason="so"),
            lambda who: drift.restore(drift=found, by=who),
        ):
            with pytest.raises(PermissionDenied):
                decide(person)
    assert Drift.objects.get(pk=found.pk).state == State.OPEN


def test_a_field_that_nobody_set_and_somebody_sets_is_drift_that_a_plan_can_not_restore(
    sandboxes, trafficker, approver
):
    ticket = built("META", trafficker, approver)
    assert seen(ticket) == []
    held = row(ticket, "ad_set")
    assert "destination_type" not in held.applied
    sandboxes["meta"].tamper("ad_set", held.external_id, {"destination_type": "MESSENGER"})
    (found,) = seen(ticket)
    assert (found.field, found.applied, found.live) == ("destination_type", None, "MESSENGER")
    with pytest.raises(ValidationError, match="says nothing about destination_type"):
        drift.restore(drift=found, by=trafficker)
    drift.adopt(drift=found, by=trafficker)
    assert seen(ticket) == []


def test_a_renamed_campaign_is_restored_by_a_rename_ticket(code, ticket, sandbox, trafficker, approver):
    held = row(ticket, "campaign")
    name = held.name
    sandbox.tamper(HANDS[code].campaign, held.external_id, {"name": "Elsa", "campaign_name": "Elsa"})
    (found,) = seen(ticket)
    assert (found.field, found.live) == ("name", "Elsa")
    request = drift.restore(drift=found, by=trafficker)
    assert request.request_type == "RENAME"
    carried_out(request, trafficker, approver)
    assert seen(ticket) == []
    held.refresh_from_db()
    assert held.live["name"] == name


# ----------------------------------------------------------------------------- not our own doing


@pytest.mark.parametrize("state", ["RUNNING", "IN_DOUBT"])
def test_nothing_is_judged_while_a_deployment_is_at_work(state, sandboxes, trafficker, approver):
    ticket = built("META", trafficker, approver)
    run = ticket.deployments.get()
    from governance.governed import unguarded

    unguarded(Deployment).filter(pk=run.pk).update(state=state)
    set_budget("META", ticket, sandboxes["meta"])
    assert drift.look_at_tree(ticket) == []
    unguarded(Deployment).filter(pk=run.pk).update(state="SUCCEEDED")
    assert len(drift.look_at_tree(ticket)) == 1


def test_a_deployment_that_ran_during_the_read_is_not_taken_for_drift(
    sandboxes, trafficker, approver, monkeypatch
):
    ticket = built("META", trafficker, approver)
    read = reading.refresh_tree

    def slow(of: Ticket):
        lives = read(of)
        monkeypatch.setattr(reading, "refresh_tree", read)
        switched_on(ticket, trafficker, approver)
        PlatformObject.objects.filter(object_type="campaign").update(status="PAUSED")  # what was read before
        return lives

    monkeypatch.setattr(reading, "refresh_tree", slow)
    assert drift.look_at_tree(ticket) == []
    assert not Drift.objects.exists()


def test_what_a_kill_switch_paused_is_no_drift_until_it_is_released(sandboxes, trafficker, approver):
    ticket = built("META", trafficker, approver)
    switched_on(ticket, trafficker, approver)
    held = row(ticket, "campaign")
    stop = KillSwitch(scope="ALL", reason="Wrong prices.", engaged_by=trafficker)
    stop.save()
    StoppedObject.objects.create(
        stop=stop, ad_account=ticket.ad_account, external_id=held.external_id, state="PAUSED"
    )
    sandboxes["meta"].tamper("campaign", held.external_id, {"status": "PAUSED"})
    assert seen(ticket) == []
    StoppedObject.objects.update(state="LEFT")
    assert [each.field for each in seen(ticket)] == ["status"]


# --------------------------------------------------------------------------------- the schedule


def test_a_pass_reads_each_account_that_is_due_and_then_leaves_it_alone(sandboxes, trafficker, approver):
    ticket = built("META", trafficker, approver)
    set_budget("META", ticket, sandboxes["meta"])
    account = ticket.ad_account
    assert drift.due_accounts() == [account]
    PlatformObject.objects.update(live_at=timezone.now() - timedelta(days=1))
    watch_tasks.read_account_drift(str(account.public_id))
    watch = AccountWatch.objects.get(ad_account=account)
    assert watch.drift_at is not None
    assert Drift.objects.filter(state=State.OPEN).count() == 1
    assert drift.due_accounts() == []
    assert not drift.claim(account)


def test_a_throttled_pass_is_put_down_and_goes_on_later(sandboxes, trafficker, approver):
    ticket = built("META", trafficker, approver)
    set_budget("META", ticket, sandboxes["meta"])
    PlatformObject.objects.update(live_at=timezone.now() - timedelta(days=1))
    sandboxes["meta"].faults.append(Fault(kind="throttle", match="GET", count=1, seconds=120))
    account = ticket.ad_account
    assert drift.claim(account)
    after = drift.look_at_account(account)
    watch = AccountWatch.objects.get(ad_account=account)
    assert after is not None and after >= 60
    assert (watch.drift_at, bool(watch.problem)) == (None, True)
    assert drift.due_accounts() == []
    AccountWatch.objects.update(drift_due_at=timezone.now())
    assert drift.claim(account)
    assert drift.look_at_account(account) is None
    assert Drift.objects.filter(state=State.OPEN).count() == 1


def test_a_refused_token_is_told(sandboxes, trafficker, approver):
    ticket = built("META", trafficker, approver)
    PlatformObject.objects.update(live_at=timezone.now() - timedelta(days=1))
    sandboxes["meta"].faults.append(Fault(kind="expired_token", match="GET", count=1))
    assert drift.claim(ticket.ad_account)
    drift.look_at_account(ticket.ad_account)
    alert = Alert.objects.get(code="alert.account_unreadable")
    assert (alert.ad_account, alert.severity) == (ticket.ad_account, "CRITICAL")


def test_two_passes_at_once_write_one_row(sandboxes, trafficker, approver, monkeypatch):
    ticket = built("META", trafficker, approver)
    set_budget("META", ticket, sandboxes["meta"])
    reading.refresh_tree(ticket)
    write, raced = drift._write, []

    def racing(held, found):
        if not raced:
            raced.append(True)
            drift.judge_tree(ticket)
        return write(held, found)

    monkeypatch.setattr(drift, "_write", racing)
    drift.judge_tree(ticket)
    assert Drift.objects.filter(state=State.OPEN).count() == 1
