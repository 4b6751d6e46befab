"""What an account already has is read within its budget, held against the convention, and scored."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.utils import timezone

from deploy import inventory, watch_tasks
from deploy.models import AccountWatch, ExistingObject
from deploy.tests.watch_world import CODES, HANDS, built, row
from governance import naming
from governance.models import AdAccount, Grant, NamingConvention
from governance.tests.factories import AdAccountFactory, BrandFactory, MarketFactory, UserFactory
from trafficking.platforms import base
from trafficking.platforms.sandbox_base import Fault

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> AdAccount:
    return AdAccountFactory(serving=[(BrandFactory(name="Disney"), MarketFactory())])


def convention() -> naming.Convention:
    found = NamingConvention.in_force_or_none()
    assert found is not None
    return found.as_rules()


def imported(account: AdAccount, by) -> AccountWatch:
    inventory.import_account(account=account, by=by)
    for _step in range(20):
        watch_tasks.read_inventory(str(account.public_id))
        watch = AccountWatch.objects.get(ad_account=account)
        if watch.inventory_due_at is None:
            return watch
    raise AssertionError(f"still reading: {watch.problem}")


def live(kind: str, key: str, name: str, parent: str = "", status: str = "PAUSED", **fields) -> base.Live:
    return base.Live(kind, key, parent, name, status, {"name": name, **fields})


@pytest.mark.parametrize("code", CODES)
def test_what_we_built_is_legal_and_known_as_ours(code, sandboxes, trafficker, approver):
    ticket = built(code, trafficker, approver)
    watch = imported(ticket.ad_account, trafficker)
    assert watch.inventory_at is not None
    named = ExistingObject.objects.filter(object_type__in=inventory.LEVELS).exclude(name="")
    assert named.exists()
    assert set(named.values_list("legal", flat=True)) == {True}
    assert all(each.governed_by == row(ticket, each.object_type) for each in named)
    scores = inventory.compliance(ticket.ad_account)
    assert [(each.level, each.share) for each in scores if each.total] == [
        (level, 1.0) for level in inventory.LEVELS if named.filter(object_type=level).exists()
    ]


@pytest.mark.parametrize("code", CODES)
def test_a_strangers_name_is_not_legal_and_gets_a_legal_proposal(code, sandboxes, trafficker, approver):
    ticket = built(code, trafficker, approver)
    sandbox = sandboxes[ticket.ad_account.platform]
    name = f"{ticket.campaign.brand.name} - United States - Elsa Returns 2026"
    changes = {"name": name, "campaign_name": name}
    sandbox.tamper(HANDS[code].campaign, row(ticket, "campaign").external_id, changes)
    imported(ticket.ad_account, trafficker)
    found = ExistingObject.objects.get(object_type="campaign")
    assert not found.legal
    assert found.findings[0]["code"] == "inventory.unparsable"
    assert naming.parse(convention(), "campaign", found.proposed_name) == found.proposed_parts
    assert found.proposed_parts["name"] == "ElsaReturns"
    # the ad set's name says another campaign's: it is proposed anew, after its own
    below = ExistingObject.objects.get(object_type="ad_set")
    assert not below.legal
    assert below.proposed_name.startswith(found.proposed_name)
    assert below.proposed_parts["ad_set"]


def test_codes_that_the_vocabulary_lacks_make_a_name_illegal(account):
    inventory.record(account, [live("campaign", "1", "XXX_US_META_2026_Moana")])
    found = ExistingObject.objects.get()
    assert not found.legal
    assert [each["code"] for each in found.findings] == ["inventory.unknown_code"]
    assert found.findings[0]["params"] == {"part": "brand", "text": "XXX"}


def test_where_a_part_can_not_be_guessed_it_says_which(account):
    account.serves.first().delete()
    inventory.record(account, [live("campaign", "1", "Moana 2026")])
    found = ExistingObject.objects.get()
    assert found.proposed_name == ""
    guessed = [each["params"]["part"] for each in found.findings if each["code"] == "inventory.not_guessed"]
    assert guessed == ["brand", "market"]


def test_the_accounts_only_brand_and_market_and_the_flights_year_are_used(account):
    fields = {"start_time": "2027-01-05T05:00:00+0000"}
    inventory.record(account, [live("campaign", "1", "Moana launch", **fields)])
    assert ExistingObject.objects.get().proposed_name == "DIS_US_META_2027_MoanaLaunch"


def test_two_of_one_name_get_two_proposals(account):
    inventory.record(account, [live("campaign", str(at), "DIS US META 2026 Moana") for at in range(3)])
    names = set(ExistingObject.objects.values_list("proposed_name", flat=True))
    assert len(names) == 3


def test_a_proposal_keeps_off_names_that_are_reserved_in_the_house(account, sandboxes, trafficker, approver):
    ticket = built("META", trafficker, approver)
    taken = ticket.governed_name
    inventory.record(account, [live("campaign", "1", taken.replace("_", " "))])
    found = ExistingObject.objects.get(ad_account=account)
    assert found.proposed_name not in ("", taken)


def test_the_score_counts_all_and_those_that_run(account):
    legal = "DIS_US_META_2026_Moana"
    inventory.record(
        account,
        [
            live("campaign", "1", legal, status="ACTIVE"),
            live("campaign", "2", "Elsa", status="ACTIVE"),
            live("campaign", "3", "Olaf"),
            live("ad_set", "4", f"{legal}_ProspectingA", "1"),
        ],
    )
    ExistingObject.objects.filter(external_id="3").update(status="ARCHIVED")
    campaign, ad_set, ad = inventory.compliance(account)
    assert (campaign.legal, campaign.total, campaign.share, campaign.active_share) == (1, 2, 0.5, 0.5)
    assert (ad_set.share, ad_set.active_share) == (1.0, None)
    assert (ad.total, ad.share) == (0, None)


def test_an_import_that_must_wait_goes_on_where_it_was(sandboxes, trafficker, approver, monkeypatch):
    ticket = built("META", trafficker, approver)
    account = ticket.ad_account
    inventory.import_account(account=account, by=trafficker)
    sandboxes["meta"].faults.append(Fault(kind="throttle", match="/adsets", count=1, seconds=120))
    assert inventory.claim(account)
    assert not inventory.claim(account)
    after = inventory.read_step(account)
    watch = AccountWatch.objects.get(ad_account=account)
    assert after is not None and after >= 60
    assert watch.problem
    assert len(watch.inventory_left) == 1
    assert inventory.due_accounts() == []
    AccountWatch.objects.update(inventory_due_at=timezone.now() - timedelta(seconds=1))
    assert inventory.due_accounts() == [account]
    listed = []
    campaigns = inventory.Reader.campaigns
    monkeypatch.setattr(inventory.Reader, "campaigns", lambda self: listed.append(1) or campaigns(self))
    watch_tasks.read_inventory(str(account.public_id))
    assert listed == []
    assert AccountWatch.objects.get(ad_account=account).inventory_at is not None
    assert ExistingObject.objects.filter(object_type="ad").count() == 1


def test_a_large_account_is_read_in_steps(sandboxes, trafficker, approver):
    first = built("META", trafficker, approver)
    account = first.ad_account
    inventory.import_account(account=account, by=trafficker)
    assert inventory.claim(account)
    assert inventory.read_step(account, trees=0) == 0.0
    assert AccountWatch.objects.get(ad_account=account).inventory_left
    assert inventory.claim(account)
    assert inventory.read_step(account, trees=1) is None


def test_what_is_gone_counts_as_archived(sandboxes, trafficker, approver):
    ticket = built("META", trafficker, approver)
    imported(ticket.ad_account, trafficker)
    sandboxes["meta"].tamper("campaign", row(ticket, "campaign").external_id, {"status": "ARCHIVED"})
    imported(ticket.ad_account, trafficker)
    assert set(ExistingObject.objects.values_list("status", flat=True)) == {"ARCHIVED"}
    assert [each.total for each in inventory.compliance(ticket.ad_account)] == [0, 0, 0]


def test_only_who_makes_tickets_for_the_account_imports_it(account):
    elsewhere = UserFactory(roles=["Trafficker"])
    Grant.objects.create(user=elsewhere, brand=BrandFactory(code="OTH"))
    for person in (elsewhere, UserFactory(roles=["Analyst"], everywhere=True)):
        with pytest.raises(PermissionDenied):
            inventory.import_account(account=account, by=person)
    assert not AccountWatch.objects.exists()


def test_the_command_reads_and_tells(sandboxes, trafficker, approver, capsys):
    ticket = built("META", trafficker, approver)
    account = ticket.ad_account
    reference = f"meta:{account.external_id}"
    call_command("import_account", reference, user=trafficker.username, here=True)
    assert "campaign  1 of 1 names are legal (100%)" in capsys.readouterr().out
    call_command("read_drift", str(account.public_id))
    assert "0 open" in capsys.readouterr().out


def test_an_import_of_an_account_that_is_gone_does_nothing():
    watch_tasks.read_inventory(str(uuid.uuid4()))
    watch_tasks.read_account_drift(str(uuid.uuid4()))
    assert not AccountWatch.objects.exists()
