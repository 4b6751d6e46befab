"""Files of ours: uploaded once per account and content, proved by the platform's id, and never sent again."""

from __future__ import annotations

import hashlib
import io

import pytest
from django.core.files.base import ContentFile
from PIL import Image

from deploy.models import Deployment, MediaUpload
from deploy.tests.test_engine import approved, deployed
from trafficking import requests
from trafficking.models import Ad, MediaFile, Ticket
from trafficking.platforms.sandbox_base import Fault
from trafficking.tests.factories import make_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def library(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path

    def add(brand, *, width=1200, height=628, colour="navy") -> MediaFile:
        data = io.BytesIO()
        Image.new("RGB", (width, height), colour).save(data, "PNG")
        content = data.getvalue()
        row = MediaFile(
            brand=brand, name=f"{colour}.png", sha256=hashlib.sha256(content).hexdigest(), content_type="image/png",
            size=len(content), width=width, height=height,
        )  # fmt: skip
        row.file.save(row.name, ContentFile(content), save=False)
        row.save()
        return row

    return add


def with_file(ticket: Ticket, row: MediaFile, kind: str = "IMAGE") -> Ticket:
    """Every ad of the ticket shows our file in the place of its first picture of that kind."""
    for ad in Ad.objects.filter(ad_set__ticket=ticket):
        others = [each for each in ad.media if each["kind"] != kind]
        ad.media = [*others, {"kind": kind, "file": row.sha256}]
        ad.save()
    return Ticket.objects.get(pk=ticket.pk)


@pytest.mark.parametrize("code", ["META", "GGLDISPLAY"])
def test_a_file_is_uploaded_once_for_all_that_show_it(
    code, library, sandboxes, no_wait, trafficker, approver
):
    ticket = make_ticket(code, ad_sets=2)
    row = library(ticket.campaign.brand)
    ticket = approved(with_file(ticket, row), trafficker, approver)
    deployment = deployed(ticket, trafficker)
    assert deployment.state == Deployment.State.SUCCEEDED, deployment.reason
    uploads = [each for each in deployment.operations.all() if each.action == "upload"]
    assert len(uploads) == 1
    (known,) = MediaUpload.objects.filter(ad_account=ticket.ad_account)
    assert known.external_id == uploads[0].external_ids[known.ref]
    shown = [
        field
        for entry in deployment.proof["objects"]
        for field in entry["fields"]
        if known.external_id in str(field["live"]) or known.ref in str(field["live"])
    ]
    assert shown
    assert all(each["agrees"] for each in shown)

    calls = len(sandboxes[ticket.ad_account.platform].requests)
    change = requests.start_request(base=ticket, request_type="UPDATE", by=trafficker)
    ad = Ad.objects.filter(ad_set__ticket=change).first()
    ad.landing_page = "https://example.com/other"
    ad.save()
    after = deployed(approved(Ticket.objects.get(pk=change.pk), trafficker, approver), trafficker)
    assert (after.state, after.reason) == (Deployment.State.SUCCEEDED, "")
    assert not [each for each in after.operations.all() if each.action == "upload"]
    sent = sandboxes[ticket.ad_account.platform].requests[calls:]
    assert not [each for each in sent if "adimages" in each["path"]]


@pytest.mark.parametrize("kind", ["lose_answer", "lose_request"])
def test_an_upload_whose_answer_is_lost_is_cleared_up(
    kind, library, sandboxes, no_wait, trafficker, approver
):
    ticket = make_ticket("META")
    ticket = approved(with_file(ticket, library(ticket.campaign.brand)), trafficker, approver)
    sandboxes["meta"].faults = [Fault(kind, match="/adimages")]
    deployment = deployed(ticket, trafficker)
    assert (deployment.state, deployment.reason) == (Deployment.State.SUCCEEDED, "")


def test_a_file_that_is_gone_from_the_library_stops_before_anything_is_built(
    library, sandboxes, no_wait, trafficker, approver
):
    ticket = make_ticket("META")
    row = library(ticket.campaign.brand)
    ticket = approved(with_file(ticket, row), trafficker, approver)
    row.file.storage.delete(row.file.name)
    deployment = deployed(ticket, trafficker)
    assert deployment.state == Deployment.State.FAILED
    assert row.sha256[:12] in deployment.reason
    assert [each["_kind"] for each in sandboxes["meta"].store.rows()] == []
