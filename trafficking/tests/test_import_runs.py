"""Long imports on a worker: they can be watched and cancelled, and a worker that is killed leaves nothing half-written."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from campaigns.models import Campaign, ImportRun
from governance.tables import Refused, Source
from governance.tests.factories import UserFactory
from trafficking.imports import progress, runs, storage
from trafficking.models import Ticket
from trafficking.tests.import_world import csv_source, line, world

pytestmark = pytest.mark.django_db


@pytest.fixture
def planner(settings: Any, tmp_path: Any) -> Any:
    settings.MEDIA_ROOT = tmp_path
    settings.IMPORT_AT_ONCE_BYTES = 0
    world()
    return UserFactory(roles=["Planner"], everywhere=True)


@pytest.fixture
def sent(monkeypatch: Any) -> list[str]:
    """What was handed to the broker."""
    ids: list[str] = []
    monkeypatch.setattr(runs, "enqueue", lambda run: ids.append(str(run.public_id)) or True)
    return ids


def begin(planner: Any, on_commit: Any, rows: Any = None) -> ImportRun:
    with on_commit(execute=True):
        return runs.start_import(owner=planner, kind="plan", uploads={"file": csv_source(rows or [line()])})


def go(run: ImportRun) -> ImportRun:
    runs.carry_out(str(run.public_id))
    run.refresh_from_db()
    return run


def test_a_large_file_is_checked_and_written_by_a_worker(planner, sent, django_capture_on_commit_callbacks):
    run = begin(planner, django_capture_on_commit_callbacks)
    assert run.state == "CHECKING" and sent == [str(run.public_id)]
    assert go(run).state == "CHECKED" and not Campaign.objects.exists()
    with django_capture_on_commit_callbacks(execute=True):
        runs.write_import(run=run)
    assert run.state == "WRITING" and len(sent) == 2
    assert go(run).state == "WRITTEN" and Ticket.objects.count() == 1
    assert go(run).state == "WRITTEN" and Ticket.objects.count() == 1  # a message that came twice
    assert Campaign.history.get().history_user == planner


class Killed(BaseException):
    """As SIGKILL: nothing catches it."""


def test_a_worker_killed_while_it_writes_leaves_nothing_and_the_next_one_takes_over(
    planner, sent, django_capture_on_commit_callbacks, settings
):
    run = go(begin(planner, django_capture_on_commit_callbacks))
    runs.write_import(run=run)
    with mock.patch.object(runs, "_end", side_effect=Killed), pytest.raises(Killed):
        runs.carry_out(str(run.public_id))  # all was written, and the end of the transaction never came
    assert not Campaign.objects.exists() and not Ticket.objects.exists()
    run.refresh_from_db()
    assert run.state == "WRITING" and run.claim is not None
    assert go(run).state == "WRITING"  # it may be alive: nobody interferes yet
    settings.IMPORT_LEASE_S = 0.0
    sent.clear()
    assert runs.sweep_imports() == 1 and sent == [str(run.public_id)]
    assert go(run).state == "WRITTEN" and Ticket.objects.count() == 1


def test_a_run_whose_workers_keep_dying_is_told_and_given_up(
    planner, sent, django_capture_on_commit_callbacks, settings
):
    run = begin(planner, django_capture_on_commit_callbacks)
    settings.IMPORT_LEASE_S = 0.0
    for _attempt in range(runs.MOST_ATTEMPTS):
        with mock.patch.object(runs, "_work", side_effect=Killed), pytest.raises(Killed):
            runs.carry_out(str(run.public_id))
    assert runs.sweep_imports() == 0
    run.refresh_from_db()
    assert run.state == "FAILED" and "3 times" in run.reason


def test_two_workers_never_write_the_same_run(planner, sent, django_capture_on_commit_callbacks):
    run = go(begin(planner, django_capture_on_commit_callbacks))
    runs.write_import(run=run)

    def taken_over(given: Any) -> Any:
        ImportRun.objects.filter(pk=run.pk).update(claim=None, claimed_at=timezone.now())
        return runs.KINDS["plan"].check(given)

    with mock.patch.object(runs, "attempted", side_effect=lambda work, given: taken_over(given)):
        assert runs.carry_out(str(run.public_id)) == "WRITING"
    assert not Campaign.objects.exists()


def test_what_nobody_expected_is_told_in_words_and_not_as_a_traceback(
    planner, sent, django_capture_on_commit_callbacks
):
    run = begin(planner, django_capture_on_commit_callbacks)
    with mock.patch.object(runs, "attempted", side_effect=RuntimeError("boom")):
        go(run)
    assert run.state == "FAILED" and "Nothing was written" in run.reason and "boom" not in run.reason


def test_a_check_stops_where_somebody_cancels_it(planner, sent, django_capture_on_commit_callbacks):
    run = begin(planner, django_capture_on_commit_callbacks, [line(f"L{at}") for at in range(5)])

    def cancelled(given: Any) -> Any:
        runs.cancel_import(run=ImportRun.objects.get(pk=run.pk))
        progress.say("building", 1, 5)
        raise AssertionError("it went on")

    with mock.patch.object(runs, "attempted", side_effect=lambda work, given: cancelled(given)):
        assert runs.carry_out(str(run.public_id)) == "CANCELLED"
    with pytest.raises(ValidationError, match="too late"):
        runs.cancel_import(run=ImportRun.objects.get(pk=run.pk))


def test_files_expire_and_their_imports_say_so(planner, sent, django_capture_on_commit_callbacks, settings):
    run = go(begin(planner, django_capture_on_commit_callbacks))
    folder = storage.folder_of(run)
    assert (folder / "file").is_file() and folder.parent.name == str(planner.pk)
    ImportRun.objects.filter(pk=run.pk).update(
        created_at=timezone.now() - timedelta(days=settings.IMPORT_KEEP_DAYS + 1)
    )
    assert runs.forget_old_files() == 1 and not folder.exists() and runs.forget_old_files() == 0
    run.refresh_from_db()
    with pytest.raises(ValidationError, match="expired"):
        runs.write_import(run=run)


def test_credentials_are_never_uploaded_into_a_folder(planner, settings):
    settings.IMPORT_AT_ONCE_BYTES = 10**6
    admin = UserFactory(roles=["Data admin"], everywhere=True)
    text = b'[{"platform": "meta", "external_id": "1", "credentials": {"access_token": "x"}}]'
    with pytest.raises(Refused, match="credentials"):
        runs.start_import(owner=admin, kind="accounts", uploads={"file": Source("accounts.json", text)})
    assert not ImportRun.objects.exists()


def test_an_unquoted_amount_with_a_comma_is_one_error_with_its_remedy(planner, settings):
    settings.IMPORT_AT_ONCE_BYTES = 10**6
    rows = [line(), line("L2", cost_media="12.000,50"), line("L3", cost_media="1,234.50")]
    text = csv_source(rows).data.decode().replace('"', "")
    run = runs.start_import(owner=planner, kind="plan", uploads={"file": Source("plan.csv", text.encode())})
    found = [(f["code"], f["params"]["row"], f["params"].get("reading")) for f in run.report["findings"]]
    assert found == [("money.separators", 3, "12000.50"), ("money.separators", 4, "1234.50")]
