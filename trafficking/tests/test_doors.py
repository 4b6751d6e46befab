"""Doors around the fence that Django leaves open unless they are closed: partial saves, bulk deletes, related sets."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction

from campaigns.models import CampaignChannel
from governance.governed import GovernedWrite, StaleVersion
from governance.tests.factories import UserFactory
from trafficking import qa, services
from trafficking.models import Ad, AdSet, Ticket
from trafficking.statuses import Status
from trafficking.tests.factories import TREES, make_campaign, make_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def trafficker():
    return UserFactory(roles=["Trafficker"], everywhere=True)


@pytest.fixture
def approver():
    return UserFactory(roles=["Approver"], everywhere=True)


def approved(ticket: Ticket, trafficker, approver) -> Ticket:
    assert services.submit_ticket(ticket=ticket, by=trafficker).passed
    services.approve_ticket(ticket=ticket, by=approver, digest=ticket.digest)
    return ticket


def stored(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def test_saving_some_fields_of_an_approved_ticket_voids_its_approval(trafficker, approver):
    ticket = approved(make_ticket("META"), trafficker, approver)
    ticket.payload_config = {"spend_cap": "900"}
    ticket.save(update_fields=["payload_config"])
    row = stored(ticket)
    assert (row.status, row.digest, row.findings) == (Status.DRAFT, "", [])
    assert row.payload_config == {"spend_cap": "900"}


def test_update_or_create_on_an_approved_ticket_voids_its_approval(trafficker, approver):
    ticket = approved(make_ticket("META"), trafficker, approver)
    Ticket.objects.update_or_create(pk=ticket.pk, defaults={"political": "CONTAINS"})
    assert (stored(ticket).status, stored(ticket).political) == (Status.DRAFT, "CONTAINS")


def test_saving_only_an_ad_sets_name_saves_the_name_that_is_built_from_it():
    row = AdSet.objects.get(ticket=make_ticket("META"))
    row.name = "Retargeting"
    row.save(update_fields=["name"])
    fresh = AdSet.objects.get(pk=row.pk)
    assert "Retargeting" in fresh.governed_name
    assert fresh.name_key == row.name_key


def test_deleting_parts_in_bulk_takes_an_approved_ticket_back_to_draft(trafficker, approver):
    ticket = approved(make_ticket("META", ad_sets=2), trafficker, approver)
    count, by_model = AdSet.objects.filter(ticket=ticket, position=1).delete()
    assert by_model["trafficking.AdSet"] == 1
    assert count >= 2  # its ad, too
    assert stored(ticket).status == Status.DRAFT


@pytest.mark.parametrize("rows", [lambda t: t.ad_sets.all(), lambda t: Ad.objects.filter(ad_set__ticket=t)])
def test_parts_of_a_queued_ticket_can_not_be_deleted_in_bulk(rows, trafficker, approver):
    ticket = approved(make_ticket("META", ad_sets=2), trafficker, approver)
    services.transition(ticket, Status.QUEUED)
    with pytest.raises(ValidationError, match="can't be edited"):
        rows(ticket).delete()
    assert ticket.ad_sets.count() == 2


def test_an_ad_set_is_not_moved_to_another_ticket_around_its_clean(trafficker, approver):
    ticket = approved(make_ticket("META"), trafficker, approver)
    campaign = make_campaign(name="Another Launch")
    other = AdSet.objects.get(ticket=make_ticket("META", campaign=campaign))
    with pytest.raises(GovernedWrite), transaction.atomic():
        ticket.ad_sets.add(other)
    assert AdSet.objects.get(pk=other.pk).ticket_id != ticket.pk


def test_a_name_that_a_ticket_holds_can_not_be_deleted_by_any_door(trafficker):
    ticket = make_ticket("META")
    services.cancel_ticket(ticket=ticket, by=trafficker)
    name = CampaignChannel.objects.get(campaign=ticket.campaign)
    for door in (
        name.delete, CampaignChannel.objects.filter(pk=name.pk).delete, ticket.campaign.channels.clear,
        lambda: ticket.campaign.channels.remove(ticket.channel), lambda: ticket.campaign.channels.set([]),
    ):  # fmt: skip
        with pytest.raises((ValidationError, GovernedWrite)), transaction.atomic():
            door()
    assert CampaignChannel.objects.filter(pk=name.pk).exists()


# --------------------------------------------------------------------------------------- submission


def test_a_crash_in_qa_leaves_the_ticket_where_it_was(trafficker, monkeypatch):
    ticket = make_ticket("META")
    version, history = ticket.version, ticket.history.count()

    def crashes(_ticket):
        raise RuntimeError("a rule broke")

    with monkeypatch.context() as patch:
        patch.setattr(qa, "check_ticket", crashes)
        with pytest.raises(RuntimeError):
            services.submit_ticket(ticket=ticket, by=trafficker)
    row = stored(ticket)
    assert (row.status, row.version, row.history.count()) == (Status.DRAFT, version, history)
    assert (ticket.status, ticket.version) == (Status.DRAFT, version)
    assert services.submit_ticket(ticket=ticket, by=trafficker).passed


def test_a_ticket_edited_between_reading_and_approving_is_not_approved(trafficker, approver):
    ticket = make_ticket("META")
    assert services.submit_ticket(ticket=ticket, by=trafficker).passed
    read = Ticket.objects.select_related("campaign", "channel", "ad_account").get(pk=ticket.pk)
    AdSet.objects.get(ticket=ticket).save()
    with pytest.raises((StaleVersion, ValidationError)):
        services.approve_ticket(ticket=read, by=approver, digest=read.digest)
    assert stored(ticket).status == Status.DRAFT
    assert not ticket.approvals.exists()


def test_of_two_approvers_one_is_told(trafficker, approver):
    ticket = make_ticket("META")
    assert services.submit_ticket(ticket=ticket, by=trafficker).passed
    both = [stored(ticket), stored(ticket)]
    services.approve_ticket(ticket=both[0], by=approver, digest=ticket.digest)
    with pytest.raises(StaleVersion):
        services.approve_ticket(
            ticket=both[1], by=UserFactory(roles=["Approver"], everywhere=True), digest=ticket.digest
        )
    assert ticket.approvals.count() == 1


# ----------------------------------------------------------------------------------------- settings


@pytest.mark.parametrize("code", TREES)
@pytest.mark.parametrize("level", ["ad_set", "ad"])
def test_settings_that_a_platform_does_not_know_are_refused_when_saved(code, level):
    ticket = make_ticket(code)
    row = AdSet.objects.get(ticket=ticket) if level == "ad_set" else Ad.objects.get(ad_set__ticket=ticket)
    row.config = {"no_such_option": 1}
    with pytest.raises(ValidationError) as refused:
        row.save()
    assert [error.code for error in refused.value.error_dict["config"]] == ["ticket.config"]
    row.config = {}
    row.save()


def test_settings_of_one_level_are_refused_at_another():
    row = Ad.objects.get(ad_set__ticket=make_ticket("META"))
    row.config = {"advantage_audience": 1}  # an ad set's
    with pytest.raises(ValidationError):
        row.save()
    row.config = {"multi_advertiser_ads": False}
    row.save()
    row.ad_set.config = {"advantage_audience": 1}
    row.ad_set.save()


def test_a_part_of_no_ticket_is_an_error_and_no_crash():
    for row in (AdSet(name="A"), Ad(name="A", format="IMAGE")):
        with pytest.raises(ValidationError):
            row.save()


# ------------------------------------------------------------------------------------------- money


def test_tickets_of_one_campaign_can_not_each_plan_its_whole_budget(trafficker):
    campaign = make_campaign(channels=("META", "TIKTOK"), budget=Decimal("1500"))
    first, second = (make_ticket(code, campaign=campaign) for code in ("META", "TIKTOK"))  # 1,000 each
    assert services.submit_ticket(ticket=first, by=trafficker).passed
    report = services.submit_ticket(ticket=second, by=trafficker)
    assert [each.code for each in report.findings if each.blocking] == ["qa.over_campaign"]
    services.cancel_ticket(ticket=first, by=trafficker)
    assert services.submit_ticket(ticket=stored(second), by=trafficker).passed
