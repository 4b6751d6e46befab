"""After activation each ad is followed until the platform has decided, and people are told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from deploy import reading, reviews
from deploy.models import Alert, Deployment
from deploy.tests.watch_world import CODES, built, row, switched_on
from governance.governed import unguarded
from trafficking.models import PlatformObject
from trafficking.platforms.sandbox_base import Fault
from trafficking.tests.factories import TREES

pytestmark = pytest.mark.django_db


@pytest.fixture(params=CODES)
def code(request) -> str:
    return request.param


def rejectable(code: str) -> dict:
    """Ad values with the word that each sandbox's review refuses."""
    ad = TREES[code][1][0]
    if code == "GGLSEARCH":
        return {"headlines": [*ad["headlines"][:-1], "REJECTME"]}
    return {"texts": ["Set sail REJECTME."]}


def all_read_long_ago(ago: timedelta = timedelta(days=1)) -> None:
    PlatformObject.objects.update(live_at=timezone.now() - ago)


def test_nothing_is_followed_before_it_is_switched_on(code, sandboxes, trafficker, approver):
    built(code, trafficker, approver)
    all_read_long_ago()
    assert reviews.due_trees() == []


def test_an_ad_is_followed_from_review_to_live(code, sandboxes, trafficker, approver):
    ticket = built(code, trafficker, approver)
    sandbox = sandboxes[ticket.ad_account.platform]
    switched_on(ticket, trafficker, approver)
    all_read_long_ago()
    assert reviews.follow() == 1
    assert reviews.delivery_of(ticket).state == "IN_REVIEW"
    sandbox.review_s = 0.0
    all_read_long_ago()
    assert reviews.follow() == 1
    assert row(ticket, "ad").review == "APPROVED"
    # the flight begins next week
    assert reviews.delivery_of(ticket).state in ("SCHEDULED", "LIVE")
    assert not Alert.objects.exists()
    all_read_long_ago()
    assert reviews.due_trees() == []


def test_a_rejection_is_told_once_with_the_platforms_reasons(code, sandboxes, trafficker, approver):
    ticket = built(code, trafficker, approver, ad=rejectable(code))
    sandbox = sandboxes[ticket.ad_account.platform]
    sandbox.review_s = 0.0
    switched_on(ticket, trafficker, approver)
    all_read_long_ago()
    reviews.follow()
    summary = reviews.delivery_of(ticket)
    assert (summary.state, len(summary.rejected)) == ("REJECTED", 1)
    ((_name, reasons),) = summary.rejected
    assert reasons
    alert = Alert.objects.get()
    assert alert.code == "alert.ad_rejected"
    assert reasons[0] in alert.message
    assert alert.ticket.campaign_id == ticket.campaign_id
    Alert.objects.update(seen_at=timezone.now())
    assert reviews.tell_changes() == 0


def test_a_rejection_that_another_reader_saw_is_told_all_the_same(sandboxes, trafficker, approver):
    ticket = built("META", trafficker, approver, ad=rejectable("META"))
    sandboxes["meta"].review_s = 0.0
    switched_on(ticket, trafficker, approver)
    reading.refresh_tree(ticket)
    assert reviews.follow() == 0
    assert Alert.objects.filter(code="alert.ad_rejected").count() == 1


def test_an_ad_that_is_approved_after_all_is_told(sandboxes, trafficker, approver):
    ticket = built("META", trafficker, approver)
    ads = PlatformObject.objects.filter(object_type="ad")
    ads.update(review="REJECTED", review_reasons=["Prices are wrong."], live_at=timezone.now())
    told = []
    reviews.review_changed.connect(lambda **sent: told.append((sent["before"], sent["after"])), weak=False)
    reviews.tell_changes()
    ads.update(review="APPROVED", review_reasons=[])
    reviews.tell_changes()
    ads.update(review="REJECTED", review_reasons=["Prices are wrong."])
    reviews.tell_changes()
    reviews.tell_changes()
    codes = list(Alert.objects.order_by("pk").values_list("code", flat=True))
    assert codes == ["alert.ad_rejected", "alert.ad_approved", "alert.ad_rejected"]
    assert told == [("", "REJECTED"), ("REJECTED", "APPROVED"), ("APPROVED", "REJECTED")]
    assert [each.code for each in Alert.objects.open()] == ["alert.ad_rejected"]
    assert ticket.tree_objects().filter(object_type="ad").exists()


def test_looks_become_seldom_and_end(sandboxes, trafficker, approver, settings):
    shortest, longest = (timedelta(seconds=each) for each in settings.REVIEW_EVERY_S)
    pauses = [reviews.pause_after(timedelta(hours=hours)) for hours in (0, 1, 10, 100, 1000)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (shortest, longest)
    ticket = built("META", trafficker, approver)
    switched_on(ticket, trafficker, approver)
    all_read_long_ago()
    (due,) = reviews.due_trees()
    assert (due.campaign_id, due.channel_id) == (ticket.campaign_id, ticket.channel_id)
    all_read_long_ago(timedelta(seconds=30))
    assert reviews.due_trees() == []
    all_read_long_ago()
    long_ago = timezone.now() - reviews.FOLLOW_FOR - timedelta(hours=1)
    unguarded(Deployment).update(finished_at=long_ago)
    assert reviews.due_trees() == []


def test_an_account_that_must_wait_holds_no_other_up(sandboxes, trafficker, approver):
    slow, quick = built("META", trafficker, approver), built("TIKTOK", trafficker, approver)
    for ticket in (slow, quick):
        switched_on(ticket, trafficker, approver)
    all_read_long_ago()
    sandboxes["meta"].faults.append(Fault(kind="throttle", match="GET", count=1, seconds=60))
    assert reviews.follow() == 1
    assert row(quick, "ad").live_at > row(slow, "ad").live_at


def test_one_live_ad_makes_a_campaign_live(sandboxes, trafficker, approver):
    ticket = built("META", trafficker, approver, ad_sets=2)
    ads = list(ticket.tree_objects().filter(object_type="ad"))
    PlatformObject.objects.filter(pk=ads[0].pk).update(delivery="LIVE", review="APPROVED")
    PlatformObject.objects.filter(pk=ads[1].pk).update(
        delivery="REJECTED", review="REJECTED", review_reasons=["No."]
    )
    summary = reviews.delivery_of(ticket)
    assert summary.live
    assert summary.ads == {"LIVE": 1, "REJECTED": 1}
    assert summary.rejected == ((ads[1].name, ("No.",)),)
