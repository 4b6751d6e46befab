"""The walk of an import: columns, every error by row and column, the corrected file, and one's own files only."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from openpyxl import load_workbook

from campaigns.models import Campaign, ColumnMapping, ImportRun, MediaPlan
from omnitraffick.tests.admin_world import make_world
from trafficking.models import Ticket
from trafficking.tests.factories import next_week

pytestmark = pytest.mark.django_db
UPLOAD = "admin:campaigns_importrun_upload"


@pytest.fixture
def world(settings: Any, tmp_path: Any) -> Any:
    settings.MEDIA_ROOT = tmp_path
    return make_world()


def line(**changes: Any) -> dict[str, str]:
    return {
        "plan_id": "spring", "plan_name": "Spring", "line": "L1", "line_name": "Parents", "campaign": "Spring Wave", "brand": "DIS",
        "market": "US", "channel": "META", "objective": "TRAFFIC", "goal": "CLICKS", "start_date": next_week().isoformat(),
        "end_date": next_week().isoformat(), "cost_media": "1200.50", "currency": "USD", **changes,
    }  # fmt: skip


def file_of(*rows: dict[str, str], names: dict[str, str] | None = None) -> SimpleUploadedFile:
    """A CSV; `names`: our column → what the file calls it."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([(names or {}).get(name, name) for name in rows[0]])
    writer.writerows([list(row.values()) for row in rows])
    return SimpleUploadedFile("spring.csv", out.getvalue().encode(), content_type="text/csv")


def upload(client: Any, file: Any, kind: str = "plan", **more: Any) -> tuple[ImportRun, Any]:
    answer = client.post(reverse(UPLOAD), {"kind": kind, "file": file, **more}, follow=True)
    assert answer.status_code == 200
    return ImportRun.objects.latest("id"), answer


def step(client: Any, run: ImportRun, name: str, data: Any = None) -> Any:
    return client.post(reverse(f"admin:campaigns_importrun_{name}", args=[run.pk]), data or {}, follow=True)


def wrong_cells(answer: Any) -> set[tuple[int, str]]:
    headers = [header for header, _name in answer.context["headers"]]
    return {
        (row.number, headers[at])
        for row in answer.context["rows"]
        for at, cell in enumerate(row.cells)
        if cell.wrong
    }


def test_a_plan_is_checked_then_imported_and_the_result_links_to_its_tickets(world, client):
    client.force_login(world.planner)
    assert client.get(reverse("admin:campaigns_mediaplan_upload"), follow=True).status_code == 200
    run, checked = upload(client, file_of(line()))
    assert run.state == "CHECKED" and not run.error_count, run.report["findings"]
    assert "Nothing has been written yet" in checked.content.decode() and not MediaPlan.objects.exists()
    assert run.counts["campaigns"] == run.counts["tickets"] == run.counts["ad_sets"] == 1
    assert run.report["names"] and run.report["names"][0] in checked.content.decode()
    done = step(client, run, "write")
    made = Ticket.objects.get(campaign__name="Spring Wave")
    assert made.campaign.channel_names.get().governed_name == run.report["names"][0]
    assert reverse("admin:trafficking_ticket_change", args=[made.pk]) in done.content.decode()
    again = step(client, run, "write")
    assert (
        "not possible now" in again.content.decode()
        and Ticket.objects.filter(campaign__name="Spring Wave").count() == 1
    )
    page = client.get(reverse("admin:campaigns_mediaplan_change", args=[MediaPlan.objects.get().pk]))
    assert "$1,200.50" in page.content.decode() and not page.context["has_change_permission"]


#: Twelve kinds of errors, each in a row of its own, with the value that a person means.
TWELVE = {
    "brand": ("DISS", "DIS"), "market": ("XX", "US"), "channel": ("META2", "META"), "objective": ("TRAFIC", "TRAFFIC"),
    "start_date": ("31/12/2031", "2031-12-31"), "cost_media": ("1.200,50", "1200.50"), "currency": ("usd", "USD"),
    "gender": ("FEMAL", "FEMALE"), "age_min": ("old", "25"), "political": ("perhaps", "no"), "campaign": ("", "Spring Wave"),
    "line": ("L1", "L12"),
}  # fmt: skip


def twelve_rows() -> list[dict[str, str]]:
    blank = {"gender": "ANY", "age_min": "25", "political": "no"}
    rows = []
    for at, (column, (bad, _good)) in enumerate(TWELVE.items(), 1):
        ends = {"end_date": "2031-12-31"} if column == "start_date" else {}
        rows.append(line(**{**blank, "line": f"L{at}", "line_name": f"Line {at}", **ends, column: bad}))
    return rows


def test_twelve_kinds_of_errors_are_told_at_once_and_the_corrected_file_imports(world, client):
    client.force_login(world.planner)
    run, page = upload(client, file_of(*twelve_rows()))
    assert run.state == "CHECKED" and run.error_count >= 12
    expected = {(at, column) for at, column in enumerate(TWELVE, 2)}
    assert expected <= wrong_cells(page)
    assert (
        "Write 1200.50" in page.content.decode() and not Campaign.objects.filter(name="Spring Wave").exists()
    )
    assert "nothing can be imported yet" in step(client, run, "write").content.decode()

    download = client.get(reverse("admin:campaigns_importrun_corrected", args=[run.pk]), {"as": "csv"})
    rows = list(csv.reader(io.StringIO(download.content.decode("utf-8-sig"))))
    header = rows[0]
    assert header[-1] == "omnitraffick_errors" and all(row[-1] for row in rows[1:])
    for at, (column, (bad, good)) in enumerate(TWELVE.items(), 1):
        cell = rows[at][header.index(column)]
        if column in ("brand", "channel", "objective", "start_date", "cost_media", "currency", "gender"):
            assert cell == good, column  # clear: proposed in the file
        else:
            assert cell == bad  # a person has to say
            rows[at][header.index(column)] = good
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    mended = SimpleUploadedFile("spring-corrected.csv", out.getvalue().encode())
    again, page = upload(client, mended)
    assert again.state == "CHECKED" and not again.error_count, [
        (f["field"], f["code"], f["params"]) for f in again.report["findings"]
    ]
    assert "Imported." in step(client, again, "write").content.decode()
    assert Ticket.objects.filter(campaign__name="Spring Wave").count() == 1


def test_the_corrected_workbook_marks_cells_and_says_why(world, client):
    client.force_login(world.planner)
    run, _page = upload(client, file_of(line(cost_media="1.200,50", line_name='=HYPERLINK("http://x")')))
    download = client.get(reverse("admin:campaigns_importrun_corrected", args=[run.pk]), {"as": "xlsx"})
    book = load_workbook(io.BytesIO(download.content))
    sheet = book.worksheets[0]
    header = [cell.value for cell in sheet[1]]
    cell = sheet.cell(2, header.index("cost_media") + 1)
    assert cell.value == "1200.50" and "Was: 1.200,50" in cell.comment.text
    formula = sheet.cell(2, header.index("line_name") + 1)
    assert formula.data_type == "s" and formula.value.startswith("=HYPERLINK")


def test_columns_with_other_names_are_asked_for_once_and_known_the_next_time(world, client):
    client.force_login(world.planner)
    names = {"cost_media": "Budget (net)", "brand": "Advertiser", "start_date": "Von", "plan_name": "Remarks"}
    run, page = upload(client, file_of(line(), names=names))
    assert (
        run.state == "MAPPING"
        and "Budget (net)" in page.content.decode()
        and "1200.50" in page.content.decode()
    )
    keys = run.files["file"]["keys"]
    assert run.files["file"]["columns"]["advertiser"] == "brand"  # proposed, and to be checked
    values = {f"file:{at}": run.files["file"]["columns"][key] for at, key in enumerate(keys)}
    values |= {f"file:{keys.index('budget_(net)')}": "cost_media", f"file:{keys.index('remarks')}": ""}
    twice = step(client, run, "columns", {**values, f"file:{keys.index('remarks')}": "cost_media"})
    assert "Two columns of the file mean cost_media" in twice.content.decode()
    done = step(client, run, "columns", {**values, "save_as": "Agency A"})
    run.refresh_from_db()
    assert run.state == "CHECKED" and not run.error_count, run.report["findings"]
    assert ("Budget (net)", "cost_media") in done.context["headers"]
    assert ColumnMapping.objects.get().name == "Agency A"
    again, page = upload(client, file_of(line(cost_media="1,5"), names=names))
    assert again.state == "CHECKED" and wrong_cells(page) == {(2, "Budget (net)")}
    client.force_login(world.boss)  # not shared: another person is asked
    assert upload(client, file_of(line(), names=names))[0].state == "MAPPING"


@pytest.mark.parametrize(
    "data", [b"", b"\x00\x01\x02", b"PK\x03\x04broken", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1xls"]
)
def test_a_file_that_cannot_be_read_is_refused_in_words(world, client, data):
    client.force_login(world.planner)
    answer = client.post(reverse(UPLOAD), {"kind": "plan", "file": SimpleUploadedFile("plan.csv", data)})
    assert answer.status_code == 200 and not ImportRun.objects.exists()
    assert answer.context["form"].errors or answer.context["unreadable"]


def test_broken_json_and_doubtful_text_are_told_without_a_traceback(world, client):
    client.force_login(world.planner)
    run, page = upload(client, SimpleUploadedFile("plan.json", b'{"a": NaN}'))
    assert run.error_count and "not a number that can be used" in page.content.decode()
    listed = client.get(reverse("admin:campaigns_importrun_corrected", args=[run.pk]), {"as": "csv"})
    assert listed.status_code == 200 and "not a number" in listed.content.decode()
    upload(client, SimpleUploadedFile("plan.csv", "ünknown;header\n1;2".encode("cp1252")))


def test_campaigns_come_as_a_json_list_and_are_made(world, client):
    client.force_login(world.planner)
    day = next_week().isoformat()
    row = {"name": "Json Wave", "brand": "DIS", "market": "US", "channels": ["META", "TIKTOK"], "objective": "TRAFFIC",
           "budget": 1000.5, "currency": "USD", "start_on": day, "end_on": day}  # fmt: skip
    text = json.dumps([row, {**row, "name": "Other Wave", "budget": "1.000,50"}])
    run, page = upload(client, SimpleUploadedFile("c.json", text.encode()), kind="campaigns")
    assert run.state == "CHECKED" and wrong_cells(page) == {(3, "budget")}
    run, _page = upload(client, SimpleUploadedFile("c.json", json.dumps([row]).encode()), kind="campaigns")
    assert run.counts["created"] == 1 and len(run.report["names"]) == 2
    assert "Json Wave" in step(client, run, "write").content.decode()
    assert Campaign.objects.get(name="Json Wave").channel_names.count() == 2


def test_an_import_is_seen_only_by_whose_it_is(world, client):
    client.force_login(world.planner)
    run, _page = upload(client, file_of(line(cost_media="x")))
    client.force_login(world.outsider)
    assert client.get(reverse("admin:campaigns_importrun_changelist")).context["cl"].result_count == 0
    for name in ("change", "columns", "corrected", "progress"):
        assert client.get(reverse(f"admin:campaigns_importrun_{name}", args=[run.pk])).status_code == 404, (
            name
        )
    for name in ("write", "again", "cancel"):
        assert client.post(reverse(f"admin:campaigns_importrun_{name}", args=[run.pk])).status_code == 404, (
            name
        )


def test_a_plan_of_another_brand_is_refused_and_what_is_proposed_tells_nothing_of_it(world, client):
    client.force_login(world.outsider)
    run, _page = upload(client, file_of(line()))
    assert run.error_count and not MediaPlan.objects.exists()
    run, page = upload(client, file_of(line(brand="DISS", market="USS")))
    assert not any(cell.proposal == "DIS" for row in page.context["rows"] for cell in row.cells)


def test_only_who_may_import_a_kind_is_offered_it(world, client):
    client.force_login(world.approver)
    assert client.get(reverse(UPLOAD)).status_code == 403
    assert client.post(reverse(UPLOAD), {"kind": "plan", "file": file_of(line())}).status_code == 403
    client.force_login(world.planner)
    answer = client.post(reverse(UPLOAD), {"kind": "brands", "file": file_of({"code": "NEW", "name": "New"})})
    assert answer.status_code == 200 and answer.context["form"].errors["kind"]
    client.force_login(world.data_admin)
    run, _page = upload(client, file_of({"code": "NEW", "name": "New"}), kind="brands")
    assert run.counts["created"] == 1
    assert "Imported." in step(client, run, "write").content.decode()


def test_a_cancelled_import_writes_nothing_any_more(world, client):
    client.force_login(world.planner)
    run, _page = upload(client, file_of(line()))
    assert "Cancelled" in step(client, run, "cancel").content.decode()
    assert "not possible now" in step(client, run, "write").content.decode()
    assert not MediaPlan.objects.exists()


def test_pages_of_a_long_file_ask_a_constant_number_of_queries(
    world, client, django_assert_max_num_queries, settings
):
    settings.IMPORT_AT_ONCE_BYTES = 10**9
    client.force_login(world.planner)
    rows = [line(line=f"L{at}", line_name=f"Line {at}", cost_media="1,5") for at in range(220)]
    run, _page = upload(client, file_of(*rows))
    with django_assert_max_num_queries(13):
        page = client.get(reverse("admin:campaigns_importrun_change", args=[run.pk]), {"page": 4})
    assert len(page.context["rows"]) == 50 and page.context["rows"][0].number == 152
    assert page.context["page"].paginator.num_pages == 5


def test_the_progress_answers_not_modified_while_nothing_changes(world, client):
    client.force_login(world.planner)
    run, _page = upload(client, file_of(line()))
    url = reverse("admin:campaigns_importrun_progress", args=[run.pk])
    first = client.get(url)
    assert first.json()["state"] == "CHECKED"
    assert client.get(url, headers={"If-None-Match": first["ETag"]}).status_code == 304


def test_the_templates_are_downloaded(world, client):
    client.force_login(world.planner)
    for name in ("plan_sheet", "creative_sheet"):
        assert client.get(reverse(f"admin:campaigns_mediaplan_{name}")).content[:2] == b"PK"
