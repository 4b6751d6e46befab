"""A campaign that somebody built by hand comes under governance as it is; its names follow by a ticket."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from campaigns.models import Campaign
from deploy import adoption, drift, inventory, watch_tasks
from deploy.models import Drift, ExistingObject
from deploy.tests.watch_world import CODES, HANDS, built, carried_out, row
from governance.models import Grant
from governance.tests.factories import BrandFactory, UserFactory
from trafficking import requests
from trafficking import services as tickets
from trafficking.models import Ad, AdSet, PlatformObject, Ticket
from trafficking.statuses import Status
from trafficking.tests.factories import TREES

pytestmark = pytest.mark.django_db

WISHES = adoption.Wishes(
    budget=Decimal("5000"), objective="TRAFFIC", end_on=date.today() + timedelta(days=60),
    start_on=date.today() - timedelta(days=30),
)  # fmt: skip
STRANGER = "Elsa returns // always on"


@pytest.fixture(params=CODES)
def code(request) -> str:
    return request.param


def strangers(code: str, sandboxes: Any, trafficker: Any, approver: Any, **values: Any) -> ExistingObject:
    """A campaign on the platform that the house knows nothing of: built, then forgotten, and its account imported."""
    ticket = built(code, trafficker, approver, **values)
    account, sandbox = ticket.ad_account, sandboxes[ticket.ad_account.platform]
    for at, held in enumerate(ticket.tree_objects().order_by("pk")):
        kind = getattr(HANDS[code], held.object_type, None)
        if isinstance(kind, str):
            name = STRANGER if held.object_type == "campaign" else f"{held.object_type} {at}"
            sandbox.tamper(
                kind,
                held.external_id,
                {"name": name, "campaign_name": name, "adgroup_name": name, "ad_name": name},
            )
    PlatformObject.objects.all()._raw_delete(PlatformObject.objects.db)
    inventory.import_account(account=account, by=trafficker)
    watch_tasks.read_inventory(str(account.public_id))
    return ExistingObject.objects.get(ad_account=account, object_type="campaign")


@pytest.fixture
def existing(code, sandboxes, trafficker, approver) -> ExistingObject:
    return strangers(code, sandboxes, trafficker, approver)


def test_an_adopted_campaign_is_trafficked_and_every_object_is_on_record(existing, trafficker):
    ticket = adoption.adopt_campaign(existing=existing, by=trafficker, wishes=WISHES)
    assert (ticket.status, ticket.external_id) == (Status.TRAFFICKED_SUCCESS, existing.external_id)
    assert not ticket.deployments.exists()
    assert ticket.campaign.start_on == WISHES.start_on
    assert ticket.campaign.deployed
    read = ExistingObject.objects.filter(ad_account=existing.ad_account)
    assert all(each.governed_by is not None for each in read)
    held = row(ticket, "campaign")
    assert (held.ref, held.external_id, held.applied_status) == ("campaign", existing.external_id, "PAUSED")
    assert AdSet.objects.get(ticket=ticket).external_id == row(ticket, "ad_set").external_id
    assert Ad.objects.get(ad_set__ticket=ticket).external_id == row(ticket, "ad").external_id
    assert row(ticket, "ad").parent == row(ticket, "ad_set").ref
    assert requests.current_tree(ticket.campaign_id, ticket.channel_id) == ticket
    history = Ticket.history.filter(id=ticket.pk).order_by("-history_id").first()
    assert (history.status, history.history_change_reason) == (Status.TRAFFICKED_SUCCESS, adoption.REASON)


def test_nothing_is_sent_by_adopting_and_nothing_has_drifted(existing, sandboxes, trafficker):
    sandbox = sandboxes[existing.ad_account.platform]
    before = len(sandbox.requests)
    ticket = adoption.adopt_campaign(existing=existing, by=trafficker, wishes=WISHES)
    assert len(sandbox.requests) == before
    assert drift.look_at_tree(ticket) == []
    assert not Drift.objects.exists()


def test_an_adopted_campaign_is_watched(code, existing, sandboxes, trafficker):
    ticket = adoption.adopt_campaign(existing=existing, by=trafficker, wishes=WISHES)
    sandbox = sandboxes[existing.ad_account.platform]
    sandbox.tamper(HANDS[code].campaign, existing.external_id, HANDS[code].on)
    object_type, kind, field, changes = HANDS[code].budget
    sandbox.tamper(kind, row(ticket, object_type).external_id, changes)
    assert {each.field for each in drift.look_at_tree(ticket)} == {"status", field}


def test_names_follow_by_a_ticket_with_approval(code, existing, sandboxes, trafficker, approver):
    (made,) = adoption.rename_plan(
        account=existing.ad_account, existing_ids=[existing.pk], by=trafficker, wishes=WISHES
    )
    assert made.errors == ()
    assert made.waits_for_approval
    assert made.ticket.request_type == "RENAME"
    assert {each["field"] for each in tickets.current_plan(made.ticket).changes} == {"name"}
    carried_out(made.ticket, trafficker, approver)
    inventory.import_account(account=existing.ad_account, by=trafficker)
    watch_tasks.read_inventory(str(existing.ad_account.public_id))
    existing.refresh_from_db()
    assert existing.legal
    assert existing.name == made.ticket.governed_name
    assert {each.share for each in inventory.compliance(existing.ad_account) if each.total} == {1.0}
    assert drift.look_at_tree(made.ticket) == []


def test_switches_work_at_once(code, existing, sandboxes, trafficker, approver):
    ticket = adoption.adopt_campaign(existing=existing, by=trafficker, wishes=WISHES)
    for request_type, status in (("ACTIVATE", "ACTIVE"), ("PAUSE", "PAUSED"), ("ARCHIVE", "ARCHIVED")):
        request = requests.start_request(base=ticket, request_type=request_type, by=trafficker)
        carried_out(request, trafficker, approver)
        assert ticket.tree_objects().get(object_type="campaign").status == status


def test_an_update_is_refused_until_somebody_has_filled_it_in(existing, trafficker):
    ticket = adoption.adopt_campaign(existing=existing, by=trafficker, wishes=WISHES)
    update = requests.start_request(base=ticket, request_type="UPDATE", by=trafficker)
    report = tickets.submit_ticket(ticket=update, by=trafficker)
    assert update.status == Status.QA_FAILED
    assert not report.passed


#: What an update of an adopted campaign can't do without.
NEEDED: dict[str, Any] = {"budget": Decimal("2000"), "budget_type": "LIFETIME", "geo": {"countries": ["US"]}}


def test_a_filled_in_update_changes_what_it_names_and_leaves_the_rest(code, existing, trafficker):
    ticket = adoption.adopt_campaign(existing=existing, by=trafficker, wishes=WISHES)
    update = requests.start_request(base=ticket, request_type="UPDATE", by=trafficker)
    ad_set_values, (ad_values,) = TREES[code]
    update.special_ad_categories, update.political = [], "DOES_NOT_CONTAIN"
    update.save()
    ad_set = update.ad_sets.get()
    for name, value in {**ad_set_values, **NEEDED}.items():
        setattr(ad_set, name, value)
    ad_set.save()
    ad = ad_set.ads.get()
    for name in ad_values.keys() - {"name"}:
        setattr(ad, name, ad_values[name])
    ad.save()
    update.refresh_from_db()
    report = tickets.submit_ticket(ticket=update, by=trafficker)
    assert report.passed, report.findings
    said = {each.field.casefold().replace("_", "") for each in report.changes}
    touched = ("name", "budget", "start", "end", "url", "amountmicros", "daily", "lifetime")
    # ages and languages were set on the platform, and this ticket says nothing about them
    assert {field for field in said if not any(word in field for word in touched)} == set()
    assert HANDS[code].budget[2].casefold().replace("_", "") in said


def test_what_was_paused_below_stays_paused_when_the_whole_is_activated(existing, trafficker):
    ticket = adoption.adopt_campaign(existing=existing, by=trafficker, wishes=WISHES)
    assert row(ticket, "ad_set").held_back
    assert not row(ticket, "campaign").held_back


def test_a_campaign_is_adopted_once(existing, trafficker):
    adoption.adopt_campaign(existing=existing, by=trafficker, wishes=WISHES)
    with pytest.raises(ValidationError, match="governed already"):
        adoption.adopt_campaign(existing=existing, by=trafficker, wishes=WISHES)


# -------------------------------------------------------------------------------- what must be known


@pytest.fixture
def on_meta(sandboxes, trafficker, approver) -> ExistingObject:
    return strangers("META", sandboxes, trafficker, approver)


def test_all_that_is_missing_is_told_at_once_and_nothing_is_written(on_meta, trafficker):
    known = (Campaign.objects.count(), Ticket.objects.count())
    on_meta.fields, on_meta.proposed_parts = {}, {}
    on_meta.save()
    ExistingObject.objects.exclude(pk=on_meta.pk).update(fields={})
    with pytest.raises(ValidationError) as raised:
        adoption.adopt_campaign(existing=on_meta, by=trafficker)
    said = " ".join(raised.value.messages)
    for each in ("brand", "market", "channel", "name", "objective", "budget", "start_on", "end_on"):
        assert f"its {each}" in said
    assert (Campaign.objects.count(), Ticket.objects.count()) == known


def test_dates_and_objective_come_from_the_platform_where_nobody_says_them(on_meta, trafficker):
    ad_set = ExistingObject.objects.get(object_type="ad_set")
    ticket = adoption.adopt_campaign(
        existing=on_meta, by=trafficker, wishes=adoption.Wishes(budget=Decimal("5000"))
    )
    # 05:00 UTC is midnight in the account's New York
    assert ticket.campaign.start_on.isoformat() == ad_set.fields["start_time"][:10]
    assert ticket.campaign.objective == "TRAFFIC"
    assert ticket.campaign.end_on > ticket.campaign.start_on


def test_only_who_may_plan_for_that_brand_adopts(on_meta):
    elsewhere = UserFactory(roles=["Trafficker"])
    Grant.objects.create(user=elsewhere, brand=BrandFactory(code="OTH"))
    for person in (elsewhere, UserFactory(roles=["Analyst"], everywhere=True)):
        with pytest.raises(PermissionDenied):
            adoption.adopt_campaign(existing=on_meta, by=person, wishes=WISHES)
    assert not PlatformObject.objects.exists()


def test_an_ad_set_is_not_adopted_alone(on_meta, trafficker):
    with pytest.raises(ValidationError, match="not a campaign"):
        adoption.adopt_campaign(
            existing=ExistingObject.objects.get(object_type="ad_set"), by=trafficker, wishes=WISHES
        )


def test_an_account_that_does_not_serve_the_brand_is_refused_and_nothing_stays(on_meta, trafficker):
    known = Campaign.objects.count()
    with pytest.raises(ValidationError, match="does not serve"):
        adoption.adopt_campaign(
            existing=on_meta, by=trafficker, wishes=replace(WISHES, brand=BrandFactory(code="OTH"))
        )
    assert Campaign.objects.count() == known
    assert not PlatformObject.objects.exists()


def test_objects_of_one_name_are_told_apart(sandboxes, trafficker, approver):
    existing = strangers("META", sandboxes, trafficker, approver, ad_sets=3)
    ExistingObject.objects.filter(object_type="ad_set").update(proposed_parts={"ad_set": "Prospecting"})
    ticket = adoption.adopt_campaign(existing=existing, by=trafficker, wishes=WISHES)
    assert ticket.ad_sets.count() == 3
    assert ticket.ad_sets.values("name_key").distinct().count() == 3


def test_a_plan_for_many_reports_row_by_row_and_one_that_fails_stops_no_other(
    sandboxes, trafficker, approver
):
    existing = strangers("META", sandboxes, trafficker, approver)
    lost = ExistingObject.objects.create(
        ad_account=existing.ad_account, object_type="campaign", external_id="404", name="Olaf"
    )
    made = adoption.rename_plan(
        account=existing.ad_account, existing_ids=[lost.pk, existing.pk], by=trafficker, wishes=WISHES
    )
    by_row = {each.existing.pk: each for each in made}
    assert by_row[existing.pk].waits_for_approval
    assert by_row[lost.pk].ticket is None
    assert any("its brand" in each for each in by_row[lost.pk].errors)
    again = adoption.rename_plan(
        account=existing.ad_account, existing_ids=[existing.pk], by=trafficker, wishes=WISHES
    )
    assert again[0].ticket is None
    assert "still open" in again[0].errors[0]
