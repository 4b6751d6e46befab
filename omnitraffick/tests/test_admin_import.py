"""The upload page: everything or nothing, every error by row and column, and plans seen by whose lines they hold."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from campaigns.models import Campaign, MediaPlan
from omnitraffick.tests.admin_world import make_world
from trafficking.models import Ticket
from trafficking.tests.factories import next_week

pytestmark = pytest.mark.django_db
URL = "admin:campaigns_mediaplan_upload"


@pytest.fixture
def world():
    return make_world()


def _csv(world, **changes):
    values = {
        "plan_id": "spring", "plan_name": "Spring", "line": "L1", "line_name": "Parents", "campaign": "Spring Wave", "brand": "DIS",
        "market": "US", "channel": "META", "objective": "TRAFFIC", "goal": "CLICKS", "start_date": next_week().isoformat(),
        "end_date": next_week().isoformat(), "cost_media": "1200.50", "currency": "USD", **changes,
    }  # fmt: skip
    text = ",".join(values) + "\n" + ",".join(f'"{value}"' for value in values.values()) + "\n"
    return SimpleUploadedFile("spring.csv", text.encode(), content_type="text/csv")


def test_a_plan_is_checked_then_imported_and_the_result_links_to_its_tickets(world, client):
    client.force_login(world.planner)
    assert client.get(reverse(URL)).status_code == 200
    checked = client.post(reverse(URL), {"file": _csv(world), "dry_run": "on"})
    assert checked.status_code == 200 and not checked.context["result"].refused, checked.context["errors"]
    assert "Nothing was written" in checked.content.decode() and not MediaPlan.objects.exists()
    done = client.post(reverse(URL), {"file": _csv(world)})
    made = Ticket.objects.get(campaign__name="Spring Wave")
    assert reverse("admin:trafficking_ticket_change", args=[made.pk]) in done.content.decode()
    plan = MediaPlan.objects.get()
    page = client.get(reverse("admin:campaigns_mediaplan_change", args=[plan.pk]))
    assert "$1,200.50" in page.content.decode() and not page.context["has_change_permission"]


def test_all_errors_stand_by_row_and_column_and_nothing_is_written(world, client):
    client.force_login(world.planner)
    bad = _csv(world, cost_media="1,000.50", end_date="31/31/2027")
    answer = client.post(reverse(URL), {"file": bad})
    places = {(each["row"], each["column"]) for each in answer.context["errors"]}
    assert {(2, "cost_media"), (2, "end_date")} <= places
    assert "1000.50" in answer.content.decode() and "nothing was written" in answer.content.decode()
    answer = client.post(reverse(URL), {"file": _csv(world, brand="NOPE")})
    assert (2, "brand") in {(each["row"], each["column"]) for each in answer.context["errors"]}
    assert "There is no brand" in answer.content.decode()
    assert not Campaign.objects.filter(name="Spring Wave").exists()


@pytest.mark.parametrize(
    "data", [b"", b"\x00\x01\x02", b"PK\x03\x04broken", b'{"a": NaN}', "ünknown;header\n1;2".encode("cp1252")]
)
def test_a_file_that_cannot_be_read_is_refused_in_words(world, client, data):
    client.force_login(world.planner)
    answer = client.post(reverse(URL), {"file": SimpleUploadedFile("plan.csv", data)})
    assert answer.status_code == 200
    assert answer.context["form"].errors or answer.context["result"].refused


def test_a_plan_is_seen_only_by_whom_its_lines_belong_to(world, client):
    client.force_login(world.planner)
    client.post(reverse(URL), {"file": _csv(world)})
    plan = MediaPlan.objects.get()
    client.force_login(world.outsider)
    assert client.get(reverse("admin:campaigns_mediaplan_changelist")).context["cl"].result_count == 0
    assert client.get(reverse("admin:campaigns_mediaplan_change", args=[plan.pk])).status_code == 302
    assert client.get(reverse("admin:campaigns_mediaplan_history", args=[plan.pk])).status_code == 404
    refused = client.post(reverse(URL), {"file": _csv(world, plan_id="other")})
    assert refused.context["result"].refused and MediaPlan.objects.count() == 1


def test_only_planners_import(world, client):
    client.force_login(world.approver)
    assert client.get(reverse(URL)).status_code == 403
    assert client.post(reverse(URL), {"file": _csv(world)}).status_code == 403


def test_the_templates_are_downloaded(world, client):
    client.force_login(world.planner)
    for name in ("plan_sheet", "creative_sheet"):
        assert client.get(reverse(f"admin:campaigns_mediaplan_{name}")).content[:2] == b"PK"
