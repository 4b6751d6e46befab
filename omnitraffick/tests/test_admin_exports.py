"""Every list as a file: what it shows, only the person's rows, no formulas, no secrets, written down."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory
from django.urls import reverse
from openpyxl import load_workbook

from campaigns.models import Campaign, ImportRun
from governance.exports import EXPORTED, ExportsLists, may_go_out
from governance.governed import unguarded
from governance.models import AdAccount, User
from governance.tests.factories import AdAccountFactory
from omnitraffick.tests.admin_world import make_world
from trafficking.models import Ticket
from trafficking.tests.factories import make_campaign, make_ticket

pytestmark = pytest.mark.django_db
LIST = "admin:campaigns_campaign_export"


@pytest.fixture
def world(settings: Any, tmp_path: Any) -> Any:
    settings.MEDIA_ROOT = tmp_path
    return make_world()


def exported(client: Any, name: str, columns: str = "list", file_format: str = "csv", query: str = "") -> Any:
    url = reverse(name) + (f"?{query}" if query else "")
    answer = client.post(url, {"file_format": file_format, "columns": columns})
    assert answer.status_code == 200 and "attachment" in answer.headers.get("Content-Disposition", ""), (
        answer.context and answer.context["form"].errors
    )
    return answer


def rows_of(answer: Any) -> list[dict[str, str]]:
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_a_list_is_exported_as_it_is_filtered_and_only_with_ones_own_rows(world, client):
    other = make_campaign(brand=world.other_brand, market=world.market, name="Acme Only")
    client.force_login(world.planner)
    assert {row["Name"] for row in rows_of(exported(client, LIST))} == {world.campaign.name, other.name}
    found = rows_of(exported(client, LIST, query="q=Acme"))
    assert [row["Name"] for row in found] == ["Acme Only"]
    assert found[0]["Status"] == "DRAFT" and found[0]["Budget"] == format(other.budget.normalize(), "f")
    client.force_login(world.outsider)
    for columns in ("list", "all", "table"):
        text = b"".join(exported(client, LIST, columns).streaming_content).decode()
        assert "Acme Only" in text and world.campaign.name not in text


def test_every_list_can_be_exported_by_who_sees_it_and_none_tells_a_secret(world, client):
    AdAccountFactory(credentials={"access_token": "never-to-be-seen"}, serving=[(world.brand, world.market)])
    client.force_login(world.boss)
    asked = RequestFactory().get("/")
    asked.user = world.boss
    pages = [page for page in admin.site._registry.values() if isinstance(page, ExportsLists)]
    assert len(pages) > 20
    for page in pages:
        name = f"admin:{page.model._meta.app_label}_{page.model._meta.model_name}_export"
        assert client.get(reverse(name)).status_code == 200, name
        for choice in page.export_choices(asked):
            text = b"".join(exported(client, name, choice.key).streaming_content).decode()
            assert "never-to-be-seen" not in text and "<" not in text.splitlines()[0], name


@pytest.mark.parametrize(
    ("model", "secrets"),
    [(AdAccount, {"credentials"}), (User, {"password"}), (ImportRun, {"claim", "file_sha256", "report"})],
)
def test_fields_that_sound_like_secrets_or_are_not_plain_stay_in(model, secrets):
    out = {field.name for field in model._meta.concrete_fields if may_go_out(field)}
    assert secrets & {field.name for field in model._meta.concrete_fields} and not out & secrets


def test_no_text_becomes_a_formula(world, client):
    evil = make_campaign(brand=world.brand, market=world.market, name="Evil Wave")
    unguarded(Campaign).filter(pk=evil.pk).update(name='=HYPERLINK("http://x","y")')
    client.force_login(world.planner)
    names = {row["Name"] for row in rows_of(exported(client, LIST))}
    assert '\'=HYPERLINK("http://x","y")' in names
    answer = exported(client, LIST, file_format="xlsx")
    book = load_workbook(io.BytesIO(b"".join(answer.streaming_content)))
    cells = [cell for row in book.active.iter_rows(min_row=2) for cell in row]
    assert any(str(cell.value).startswith("=HYPERLINK") for cell in cells)
    assert all(cell.data_type != "f" for cell in cells)


def test_an_export_is_written_down_with_who_what_and_how_many(world, client):
    client.force_login(world.planner)
    exported(client, LIST, query="q=nothing+like+it")
    entry = LogEntry.objects.get(action_flag=EXPORTED)
    assert entry.user == world.planner and entry.change_message.startswith("Exported 0 rows as CSV")
    assert "q=nothing" in entry.change_message


def test_a_list_that_is_too_long_is_refused_in_words_and_not_written_down(world, client, settings):
    settings.EXPORT_MAX_ROWS = 0
    client.force_login(world.planner)
    answer = client.post(reverse(LIST), {"file_format": "csv", "columns": "list"})
    assert "Filter it, and export it in parts" in answer.content.decode()
    assert not LogEntry.objects.filter(action_flag=EXPORTED).exists()


def test_the_list_offers_the_export_of_what_it_shows(world, client):
    client.force_login(world.planner)
    page = client.get(reverse("admin:campaigns_campaign_changelist"), {"status__exact": "DRAFT"})
    assert reverse(LIST) + "?status__exact=DRAFT" in page.content.decode()


def test_who_may_not_see_a_list_may_not_export_it(world, client):
    stranger = User.objects.create_user("stranger", is_staff=True)
    client.force_login(stranger)
    assert client.get(reverse(LIST)).status_code == 403
    assert client.post(reverse(LIST), {"file_format": "csv", "columns": "list"}).status_code == 403


@pytest.mark.parametrize("columns", ["list", "all"])
def test_an_export_asks_the_same_number_of_queries_for_any_number_of_rows(
    world, client, columns, django_assert_max_num_queries
):
    client.force_login(world.planner)
    for at in range(12):
        campaign = make_campaign(brand=world.brand, market=world.market, name=f"Wave {at}")
        make_ticket(campaign=campaign, account=world.account)
    assert Ticket.objects.count() == 13
    with django_assert_max_num_queries(26):
        assert len(rows_of(exported(client, "admin:trafficking_ticket_export", columns))) == 13


def test_exported_campaigns_come_back_unchanged_and_change_nothing(world, client):
    make_campaign(brand=world.brand, market=world.market, name="Second Wave")
    client.force_login(world.planner)
    before = list(Campaign.objects.order_by("pk").values("pk", "version"))
    for file_format in ("csv", "xlsx"):
        answer = exported(client, LIST, "table", file_format)
        file = SimpleUploadedFile(f"campaigns.{file_format}", b"".join(answer.streaming_content))
        client.post(reverse("admin:campaigns_importrun_upload"), {"kind": "campaigns", "file": file})
        run = ImportRun.objects.latest("id")
        assert run.state == "CHECKED" and not run.error_count, run.report["findings"]
        assert run.counts == {"created": 0, "updated": 0, "unchanged": 2}
        client.post(reverse("admin:campaigns_importrun_write", args=[run.pk]))
        assert ImportRun.objects.get(pk=run.pk).state == "WRITTEN"
    assert list(Campaign.objects.order_by("pk").values("pk", "version")) == before
