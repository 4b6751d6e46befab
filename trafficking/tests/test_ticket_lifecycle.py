"""A ticket from draft to approved, and what can't happen on the way."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from governance.governed import GovernedWrite, StaleVersion
from governance.tests.factories import UserFactory
from trafficking import qa, services
from trafficking.models import Ad, AdSet, Approval, Plan, Ticket
from trafficking.statuses import Status
from trafficking.tests.factories import TREES, make_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def trafficker():
    return UserFactory(roles=["Trafficker"], everywhere=True)


@pytest.fixture
def approver():
    return UserFactory(roles=["Approver"], everywhere=True)


def ready(ticket: Ticket, by) -> Ticket:
    report = services.submit_ticket(ticket=ticket, by=by)
    assert report.passed, [finding.as_report() for finding in report.findings]
    return ticket


@pytest.mark.parametrize("code", TREES)
def test_a_complete_ticket_passes_qa_on_every_channel(code, trafficker):
    ticket = ready(make_ticket(code), trafficker)
    assert ticket.status == Status.READY_FOR_API
    plan = Plan.objects.get(ticket=ticket)
    assert plan.digest == ticket.digest == qa.check_ticket(ticket).digest
    assert plan.operations


def test_an_empty_ticket_fails_with_all_its_findings(trafficker):
    ticket = make_ticket("META", ad_sets=0, special_ad_categories=None)
    report = services.submit_ticket(ticket=ticket, by=trafficker)
    codes = {finding.code for finding in report.findings if finding.blocking}
    assert ticket.status == Status.QA_FAILED
    assert len(codes) >= 2
    assert ticket.findings == [finding.as_dict() for finding in report.findings]


def test_an_edit_after_approval_takes_it_back_to_draft(trafficker, approver):
    ticket = ready(make_ticket("META"), trafficker)
    services.approve_ticket(ticket=ticket, by=approver, digest=ticket.digest)
    ad = Ad.objects.get(ad_set__ticket=ticket)
    ad.headlines = ["Moana returns"]
    ad.save()
    ticket = Ticket.objects.get(pk=ticket.pk)
    assert (ticket.status, ticket.digest) == (Status.DRAFT, "")
    assert services.approved_plan(ticket) is None


def test_whoever_submitted_can_not_approve(trafficker):
    trafficker.groups.add(*UserFactory(roles=["Approver"]).groups.all())
    ticket = ready(make_ticket("META"), trafficker)
    with pytest.raises(ValidationError) as error:
        services.approve_ticket(ticket=ticket, by=trafficker, digest=ticket.digest)
    assert error.value.error_dict["__all__"][0].code == "four_eyes"
    assert Ticket.objects.get(pk=ticket.pk).status == Status.READY_FOR_API


def test_only_the_plan_that_was_read_can_be_approved(trafficker, approver):
    ticket = ready(make_ticket("META"), trafficker)
    with pytest.raises(ValidationError, match="changed since you read it"):
        services.approve_ticket(ticket=ticket, by=approver, digest="0" * 64)


def test_a_person_of_another_brand_can_not_approve(trafficker):
    stranger = UserFactory(roles=["Approver"])
    ticket = ready(make_ticket("META"), trafficker)
    with pytest.raises(PermissionDenied):
        services.approve_ticket(ticket=ticket, by=stranger, digest=ticket.digest)


def test_a_rejection_says_why_and_goes_back(trafficker, approver):
    ticket = ready(make_ticket("META"), trafficker)
    with pytest.raises(ValidationError):
        services.reject_ticket(ticket=ticket, by=approver, comment=" ")
    services.reject_ticket(ticket=ticket, by=approver, comment="Wrong page")
    assert ticket.status == Status.DRAFT
    assert Approval.objects.get().comment == "Wrong page"


@pytest.mark.parametrize("status", [Status.READY_FOR_API, Status.APPROVED, Status.TRAFFICKED_SUCCESS])
def test_a_status_set_by_hand_moves_nothing(status):
    ticket = make_ticket("META")
    ticket.status = status
    ticket.save()
    assert Ticket.objects.get(pk=ticket.pk).status == Status.DRAFT
    with pytest.raises(ValidationError):
        ticket.save(update_fields=["status"])
    with pytest.raises(GovernedWrite):
        Ticket.objects.filter(pk=ticket.pk).update(status=status)
    with pytest.raises(GovernedWrite):
        Ticket.objects.bulk_update([ticket], ["status"])


def test_two_people_saving_the_same_ticket_the_second_is_told():
    ticket = make_ticket("META")
    first, second = Ticket.objects.get(pk=ticket.pk), Ticket.objects.get(pk=ticket.pk)
    first.save()
    with pytest.raises(StaleVersion):
        second.save()


def test_a_ready_ticket_can_not_be_reached_with_a_blocking_finding(trafficker):
    ticket = ready(make_ticket("META"), trafficker)
    AdSet.objects.filter(ticket=ticket).first().delete()
    ticket = Ticket.objects.get(pk=ticket.pk)
    assert ticket.status == Status.DRAFT
    services.transition(ticket, Status.QA_TESTING)
    with pytest.raises(ValidationError):
        services.transition(ticket, Status.READY_FOR_API)


def test_every_change_says_who_and_what(trafficker):
    ticket = ready(make_ticket("META"), trafficker)
    latest = ticket.history.first()
    assert latest.status == Status.READY_FOR_API
    assert latest.history_user == trafficker
    assert latest.history_change_reason == "submitted"
