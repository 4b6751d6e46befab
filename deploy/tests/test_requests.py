"""Every request type from ticket to platform and back, on each platform: what is sent, what is proved, what is refused."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from deploy import engine, rehearsal, services
from deploy.models import Alert, Deployment
from deploy.sandboxes import sandbox_keys
from deploy.tests.test_engine import OF_PLATFORM, approved, deployed, run_until_it_rests
from governance.governed import unguarded
from governance.tests.factories import UserFactory
from trafficking import held, requests
from trafficking import services as tickets
from trafficking.models import Ad, AdSet, ApprovalRule, PlatformObject, Ticket
from trafficking.platforms.sandbox_base import Fault
from trafficking.statuses import Status
from trafficking.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
CHANGING = ("POST", "DELETE", "PUT")


@pytest.fixture(params=sandbox_keys())
def built(request, sandboxes, no_wait, trafficker, approver):
    """A campaign of two ad sets that has been built; with its sandbox."""
    ticket = approved(make_ticket(OF_PLATFORM[request.param], ad_sets=2), trafficker, approver)
    assert deployed(ticket, trafficker).state == Deployment.State.SUCCEEDED
    return ticket, sandboxes[request.param]


def follow(base: Ticket, request_type: str, by, **options) -> Ticket:
    return requests.start_request(base=base, request_type=request_type, by=by, **options)


def carried_out(ticket: Ticket, trafficker, approver) -> Deployment:
    deployment = deployed(approved(ticket, trafficker, approver), trafficker)
    assert deployment.state == Deployment.State.SUCCEEDED, deployment.reason
    return deployment


def statuses(ticket: Ticket) -> dict[str, str]:
    return dict(ticket.tree_objects().exclude(status="").values_list("ref", "status"))


def writes(sandbox) -> int:
    """Calls that could have changed something: all but reads and dry runs."""
    return sum(
        1
        for each in sandbox.requests
        if each["method"] in CHANGING
        and not each["path"].endswith((":search", "/token"))
        and "validate" not in each["body"].lower()
    )


def test_a_change_sends_only_the_difference_and_leaves_nothing_to_plan(built, trafficker, approver):
    ticket, sandbox = built
    change = follow(ticket, "UPDATE", trafficker, note="client asked for it")
    ad_set = change.ad_sets.first()
    ad = ad_set.ads.first()
    ad.landing_page = "https://example.com/new"
    ad.save()
    before = writes(sandbox)
    deployment = carried_out(Ticket.objects.get(pk=change.pk), trafficker, approver)
    assert 1 <= writes(sandbox) - before <= 3
    plan = deployment.plan
    assert {each["field"] for each in plan.changes if each["source"]} != set()
    assert all(each["agrees"] for entry in deployment.proof["objects"] for each in entry["fields"])
    again = follow(change, "UPDATE", trafficker)
    report = tickets.submit_ticket(ticket=again, by=trafficker)
    assert [each.code for each in report.findings if each.blocking] == ["request.nothing"]
    assert report.operations == ()


def test_a_budget_is_changed_and_undone(built, trafficker, approver):
    ticket, _sandbox = built
    change = follow(ticket, "UPDATE", trafficker)
    row = _with_budget(change)
    old = row.budget
    row.budget = old + Decimal(10)
    row.save()
    deployment = carried_out(Ticket.objects.get(pk=change.pk), trafficker, approver)
    (line,) = [each for each in deployment.plan.changes if "budget" in each["source"]]
    assert line["before"] != line["after"]
    undo = requests.undo_request(ticket=Ticket.objects.get(pk=change.pk), by=trafficker)
    assert _with_budget(undo).budget == old
    back = carried_out(undo, trafficker, approver)
    (line_back,) = [each for each in back.plan.changes if "budget" in each["source"]]
    assert (line_back["before"], line_back["after"]) == (line["after"], line["before"])


def _with_budget(ticket: Ticket):
    return ticket if ticket.budget is not None else ticket.ad_sets.first()


def test_it_goes_live_is_paused_and_goes_live_again(built, trafficker, approver):
    ticket, _sandbox = built
    assert set(statuses(ticket).values()) == {"PAUSED"}
    carried_out(follow(ticket, "ACTIVATE", trafficker), trafficker, approver)
    assert set(statuses(ticket).values()) == {"ACTIVE"}
    first = ticket.ad_sets.first()
    carried_out(follow(ticket, "PAUSE", trafficker, scope=[str(first.intent_id)]), trafficker, approver)
    assert statuses(ticket)[f"ad_set:{first.intent_id}"] == "PAUSED"
    carried_out(follow(ticket, "PAUSE", trafficker), trafficker, approver)
    assert statuses(ticket)["campaign"] == "PAUSED"
    carried_out(follow(ticket, "ACTIVATE", trafficker), trafficker, approver)
    now = statuses(ticket)
    assert now["campaign"] == "ACTIVE"
    assert now[f"ad_set:{first.intent_id}"] == "PAUSED"  # paused by name: it was held back


def test_what_is_archived_is_gone_from_every_later_tree(built, trafficker, approver):
    ticket, _sandbox = built
    first = ticket.ad_sets.first()
    carried_out(follow(ticket, "ARCHIVE", trafficker, scope=[str(first.intent_id)]), trafficker, approver)
    change = follow(ticket, "UPDATE", trafficker)
    assert [each.intent_id for each in change.ad_sets.all()] == [ticket.ad_sets.last().intent_id]
    tickets.cancel_ticket(ticket=change, by=trafficker)
    carried_out(follow(ticket, "ARCHIVE", trafficker), trafficker, approver)
    assert set(statuses(ticket).values()) == {"ARCHIVED"}
    with pytest.raises(ValidationError, match="on the platform yet"):
        follow(ticket, "PAUSE", trafficker)


def test_an_added_ad_set_comes_paused_beside_what_runs(built, trafficker, approver):
    ticket, _sandbox = built
    carried_out(follow(ticket, "ACTIVATE", trafficker), trafficker, approver)
    more = follow(ticket, "ADD", trafficker)
    model = more.ad_sets.last()
    fields = {
        field.name: getattr(model, field.name)
        for field in AdSet._meta.concrete_fields
        if field.name not in requests._OWN | {"intent_id", "external_id", "name", "governed_name", "name_key"}
    }
    fresh = AdSet(ticket=more, name="Third", **fields)
    fresh.save()
    ad_model = model.ads.first()
    ad_fields = {
        field.name: getattr(ad_model, field.name)
        for field in Ad._meta.concrete_fields
        if field.name
        not in requests._OWN
        | {"intent_id", "external_id", "creative_external_id", "governed_name", "name_key"}
    }
    Ad(ad_set=fresh, **ad_fields).save()
    carried_out(Ticket.objects.get(pk=more.pk), trafficker, approver)
    now = statuses(ticket)
    assert now[f"ad_set:{fresh.intent_id}"] == "PAUSED"
    assert now["campaign"] == "ACTIVE"
    assert AdSet.objects.get(pk=fresh.pk).external_id


# ---------------------------------------------------------------------------------- what is refused


def test_somebody_elses_change_between_approval_and_apply_leads_to_no_call(built, trafficker, approver):
    ticket, sandbox = built
    change = follow(ticket, "UPDATE", trafficker)
    ad = change.ad_sets.first().ads.first()
    ad.landing_page = "https://example.com/new"
    ad.save()
    change = approved(Ticket.objects.get(pk=change.pk), trafficker, approver)
    services.start_deployment(ticket=change, by=trafficker)
    client = engine.connections.client_for(ticket.ad_account)
    ad_set = PlatformObject.objects.get(tree__campaign=ticket.campaign, ref=f"ad_set:{ad.ad_set.intent_id}")
    client.set_status("ad_set", ad_set.external_id, "ACTIVE")
    before = writes(sandbox)
    ended = engine.run(str(change.public_id))
    assert ended.state == Deployment.State.CANCELLED
    assert writes(sandbox) == before
    change.refresh_from_db()
    assert change.status == Status.QA_FAILED
    assert [each["code"] for each in change.findings] == ["qa.live_changed"]


def test_a_campaign_of_the_name_that_is_there_already_stops_a_build(sandboxes, no_wait, trafficker, approver):
    for code in OF_PLATFORM.values():
        ticket = approved(make_ticket(code), trafficker, approver)
        deployment = services.start_deployment(ticket=ticket, by=trafficker)
        client = engine.connections.client_for(ticket.ad_account)
        assert client.apply(deployment.plan.as_operations()[0], {}).external_ids
        before = writes(sandboxes[ticket.ad_account.platform])
        assert engine.run(str(ticket.public_id)).state == Deployment.State.CANCELLED
        assert writes(sandboxes[ticket.ad_account.platform]) == before
        ticket.refresh_from_db()
        assert [each["code"] for each in ticket.findings if each["severity"] == "block"] == ["qa.name_taken"]


def test_a_changed_rule_voids_the_approval(sandboxes, trafficker, approver):
    from governance.models import QARule

    ticket = approved(make_ticket("META"), trafficker, approver)
    rule = QARule.objects.get(kind="BUDGET_LIMITS")
    rule.parameters = {**rule.parameters, "daily": "99999"}
    rule.save()
    with pytest.raises(ValidationError) as refused:
        services.start_deployment(ticket=ticket, by=trafficker)
    codes = [each.code for errors in refused.value.error_dict.values() for each in errors]
    assert codes == ["qa.plan_changed"]
    assert sandboxes["meta"].requests == []


def test_two_changes_of_one_campaign_are_not_open_at_once(built, trafficker):
    ticket, _sandbox = built
    follow(ticket, "UPDATE", trafficker)
    with pytest.raises(ValidationError, match="still open"):
        follow(ticket, "ADD", trafficker)
    follow(ticket, "PAUSE", trafficker)  # a pause is always possible


# -------------------------------------------------------------------------------- going live by night


def test_an_activation_for_a_moment_sends_nothing_before_it(built, trafficker, approver):
    ticket, sandbox = built
    moment = timezone.now() + timedelta(hours=6)
    night = approved(follow(ticket, "ACTIVATE", trafficker, go_live_at=moment), trafficker, approver)
    services.start_deployment(ticket=night, by=trafficker)
    before = len(sandbox.requests)
    assert engine.run(str(night.public_id)).state == "HELD"
    assert len(sandbox.requests) == before
    unguarded(Deployment).filter(ticket=night).update(not_before=timezone.now())
    run_until_it_rests(night)
    assert set(statuses(ticket).values()) == {"ACTIVE"}


def test_a_moment_that_has_passed_is_no_authorisation(built, trafficker, approver):
    ticket, _sandbox = built
    late = follow(ticket, "ACTIVATE", trafficker, go_live_at=timezone.now() - timedelta(minutes=1))
    report = tickets.submit_ticket(ticket=late, by=trafficker)
    assert "qa.go_live_past" in [each.code for each in report.findings]


def test_what_is_to_go_live_by_night_is_rehearsed_while_people_are_awake(built, trafficker, approver):
    ticket, sandbox = built
    moment = timezone.now() + timedelta(hours=3)
    night = approved(follow(ticket, "ACTIVATE", trafficker, go_live_at=moment), trafficker, approver)
    services.start_deployment(ticket=night, by=trafficker)
    before = writes(sandbox)
    assert rehearsal.rehearse_coming() == 1
    assert not Alert.objects.exists()
    assert rehearsal.rehearse_coming() == 0  # it was, just now
    client = engine.connections.client_for(ticket.ad_account)
    client.set_status("ad_set", ticket.ad_sets.first().external_id, "ACTIVE")
    assert rehearsal.rehearse_coming(now=timezone.now() + timedelta(hours=1)) == 1
    (alert,) = Alert.objects.all()
    assert alert.code == "alert.rehearsal_failed"
    assert "no longer has what this plan was made for" in alert.message
    night.refresh_from_db()
    assert night.status == Status.QUEUED
    assert writes(sandbox) == before + 1  # the one of somebody else


# ------------------------------------------------------------------------------------ half-built trees


def test_what_a_failed_build_left_is_taken_back_in_reverse_order(sandboxes, no_wait, trafficker, approver):
    ticket = approved(make_ticket("META", ad_sets=2), trafficker, approver)
    sandboxes["meta"].faults = [Fault("expired_token", match="/ads", skip=1)]
    assert deployed(ticket, trafficker).state == Deployment.State.FAILED
    assert ticket.status == Status.FAILED
    built_refs = [each.ref for each in held.held_of(ticket) if each.type != "creative"]
    assert built_refs
    taken = services.compensate(ticket=ticket, by=trafficker, comment="wrong campaign")
    run_until_it_rests(ticket)
    taken.refresh_from_db()
    ticket.refresh_from_db()
    assert (taken.state, taken.reason) == (Deployment.State.SUCCEEDED, "")
    assert ticket.status == Status.CANCELLED
    sent = [row.ref.removeprefix("archive:") for row in taken.operations.order_by("position")]
    assert sent == built_refs[::-1]
    assert held.held_of(ticket) == [] or {each.type for each in held.held_of(ticket)} == {"creative"}
    states = {row.state for row in ticket.deployments.order_by("id").first().operations.all()}
    assert "COMPENSATED" in states
    assert "DONE" not in states


# ----------------------------------------------------------------------------------- approval rules


def test_two_people_approve_where_a_rule_says_so(sandboxes, trafficker, approver):
    ApprovalRule(platform="meta", approvers=2).save()
    ticket = make_ticket("META")
    tickets.submit_ticket(ticket=ticket, by=trafficker)
    tickets.approve_ticket(ticket=ticket, by=approver, digest=ticket.digest)
    assert ticket.status == Status.READY_FOR_API
    with pytest.raises(ValidationError, match="already"):
        tickets.approve_ticket(ticket=ticket, by=approver, digest=ticket.digest)
    second = UserFactory(roles=["Approver"], everywhere=True)
    tickets.approve_ticket(ticket=ticket, by=second, digest=ticket.digest)
    assert ticket.status == Status.APPROVED


def test_nobody_approves_where_a_data_admin_has_said_so_and_it_shows(sandboxes, trafficker):
    with pytest.raises(ValidationError, match="why"):
        ApprovalRule(approvers=0).save()
    ApprovalRule(approvers=0, note="Test brand").save()
    ticket = make_ticket("META")
    tickets.submit_ticket(ticket=ticket, by=trafficker)
    assert ticket.status == Status.APPROVED
    (waived,) = ticket.approvals.all()
    assert waived.decision == "WAIVED"
    assert "Test brand" in waived.comment
    assert deployed(ticket, trafficker).state == Deployment.State.SUCCEEDED


def test_the_most_particular_rule_decides(sandboxes, trafficker, approver):
    ticket = make_ticket("META")
    ApprovalRule(approvers=0, note="all").save()
    ApprovalRule(platform="meta", approvers=1).save()
    ApprovalRule(platform="meta", approvers=2, from_amount=Decimal("100000000")).save()
    tickets.submit_ticket(ticket=ticket, by=trafficker)
    plan = tickets.current_plan(ticket)
    assert (plan.approvers_needed, plan.approval_rule.platform) == (1, "meta")


# ------------------------------------------------------------------------------------------- proof


@pytest.mark.parametrize(
    ("key", "match", "field"),
    [("meta", "/adsets", "lifetime_budget"), ("tiktok", "/adgroup/create", "budget")],
)
def test_a_field_that_the_platform_drops_fails_the_deployment_and_is_named(
    key, match, field, sandboxes, no_wait, trafficker, approver
):
    ticket = approved(make_ticket(OF_PLATFORM[key]), trafficker, approver)
    sandboxes[key].faults = [Fault("drop_field", match=match, field=field)]
    deployment = deployed(ticket, trafficker)
    assert deployment.state == Deployment.State.FAILED
    (finding,) = [each for each in ticket.all_findings if each.code == "proof.differs"]
    assert (finding.params["field"], finding.params["live"]) == (field, None)
    assert field in finding.message
