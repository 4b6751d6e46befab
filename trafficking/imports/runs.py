"""An import step by step: upload, name the columns, check, write. The row (`ImportRun`) is the truth.

A worker claims the row, and ends it in the transaction in which it writes: a worker that is killed leaves nothing
half-written, and its row is taken up again by the next one. Small files are worked on at once.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.import_runs import ColumnMapping, ImportRun
from governance.findings import Finding
from governance.tables import Refused, Source, read_grid
from trafficking.imports import columns, progress, storage
from trafficking.imports.kinds import KINDS, Given, Kind, Outcome, attempted

logger = logging.getLogger(__name__)
State = ImportRun.State

#: A stored report has at most so many findings, names and lines; the rest is counted.
MOST_FINDINGS, MOST_NAMES, MOST_LINES = 20_000, 5_000, 5_000
#: How often a run is tried again after its worker was lost.
MOST_ATTEMPTS = 3


class Cancelled(Exception):
    """Somebody asked to stop while the file was being checked."""


class Superseded(Exception):
    """Another worker has taken the run up meanwhile: this one writes nothing."""


# ---------------------------------------------------------------------------------- what people do


def start_import(
    *, owner: Any, kind: str, uploads: Mapping[str, Source], options: Mapping[str, Any] | None = None
) -> ImportRun:
    """Keep the files of a new import. Where all columns are known it is checked at once, else they are to be named.

    Raises ValidationError (the kind is not the person's) and Refused (a file can't be read at all).
    """
    chosen = _kind_of(owner, kind)
    if chosen.flat and uploads["file"].is_json:
        uploads = {**uploads, "file": columns.table_of_objects(uploads["file"], kind)}
    about = {part.key: _read_headers(chosen, part.key, uploads[part.key], owner) for part in chosen.parts
             if part.key in uploads}  # fmt: skip
    source = uploads["file"]
    run = ImportRun(
        owner=owner, kind=kind, file_name=source.name[:255], file_sha256=source.sha256, files=about,
        file_size=sum(len(each.data) for each in uploads.values()), options=dict(options or {}),
    )  # fmt: skip
    for part, each in uploads.items():
        storage.keep_file(run, part, each)
    run.save()
    if all(each["known"] for each in about.values()):
        _begin(run, State.CHECKING)
    return run


def _kind_of(owner: Any, kind: str) -> Kind:
    if kind not in KINDS:
        raise ValidationError(
            {"kind": ValidationError(_("There is no such kind of file."), code="unknown_kind")}
        )
    if not KINDS[kind].may(owner):
        raise ValidationError(
            {"kind": ValidationError(_("Such files are not yours to import."), code="no_right")}
        )
    return KINDS[kind]


def _read_headers(kind: Kind, part_key: str, source: Source, owner: Any) -> dict[str, Any]:
    """The part as it is stored with the run: headers, first values, and what its columns mean as far as known."""
    part = kind.part(part_key)
    about: dict[str, Any] = {"name": source.name[:255], "sha256": source.sha256, "json": source.is_json}
    if source.is_json and b'"credentials"' in source.data:
        raise Refused(Finding("import.credentials"))  # a file lies here in the clear
    if source.is_json:  # its keys are the format's own
        return {**about, "headers": [], "keys": [], "first": [], "columns": {}, "known": True}
    grid = read_grid(source, part.columns, wanted=part.sheet)
    first = [cells for (_number, cells), _at in zip(grid.rows, range(4), strict=False)]
    proposed = columns.proposals(grid.keys, part.columns)
    kept = _kept_mapping(kind.key, part.key, grid.keys, owner)
    named = kept.columns if kept else {key: each.column for key, each in proposed.items()}
    return {
        **about, "headers": grid.headers, "keys": grid.keys, "first": first, "delimiter": grid.delimiter,
        "columns": {key: named.get(key, "") for key in grid.keys}, "mapping": kept.name if kept else "",
        "sure": [key for key, each in proposed.items() if each.sure],
        "known": kept is not None or all(each.sure for each in proposed.values()),
    }  # fmt: skip


def _kept_mapping(kind: str, part: str, keys: list[str], owner: Any) -> ColumnMapping | None:
    """One's own before a shared one, the last used first."""
    rows = ColumnMapping.objects.visible_to(owner).filter(
        kind=kind, signature=columns.signature(kind, part, keys)
    )
    found = sorted(
        rows, key=lambda row: (row.owner_id != owner.pk, -(row.used_at or row.created_at).timestamp())
    )
    if not found:
        return None
    ColumnMapping.objects.filter(pk=found[0].pk).update(used_at=timezone.now())
    return found[0]


def name_columns(
    *, run: ImportRun, named: Mapping[str, Mapping[str, str]], save_as: str = "", shared: bool = False
) -> ImportRun:
    """Say what the columns of each part mean ({part: {key: our column, "" to ignore}}), keep that under a name if
    one is given, and check the file. Raises ValidationError by part and column."""
    _require_state(run, State.MAPPING, State.CHECKED)
    kind = KINDS[run.kind]
    files = {part: dict(about) for part, about in run.files.items()}
    for part, about in files.items():
        about["columns"] = _checked_columns(kind, part, about, named.get(part, about["columns"]))
    with transaction.atomic():
        for part, about in files.items():
            if save_as and about["keys"]:
                _keep_mapping(run, part, about, save_as, shared)
        run.files = files
        run.save(update_fields=["files"])
    _begin(run, State.CHECKING)
    return run


def _checked_columns(
    kind: Kind, part: str, about: Mapping[str, Any], named: Mapping[str, str]
) -> dict[str, str]:
    known = {column.name for column in kind.part(part).columns}
    made = {key: str(named.get(key, "")) for key in about["keys"]}
    unknown = sorted({name for name in made.values() if name and name not in known})
    if unknown:
        text = _("There is no column %(names)s.") % {"names": ", ".join(unknown)}
        raise ValidationError({part: ValidationError(text, code="unknown_column")})
    if twice := columns.used_twice(made):
        text = _("Two columns of the file mean %(names)s. Choose one, and ignore the other.")
        raise ValidationError({part: ValidationError(text % {"names": ", ".join(twice)}, code="used_twice")})
    return made


def _keep_mapping(run: ImportRun, part: str, about: Mapping[str, Any], name: str, shared: bool) -> None:
    name = name if part == "file" else f"{name} ({part})"
    row = ColumnMapping.objects.filter(owner=run.owner, kind=run.kind, name=name[:100]).first()
    row = row or ColumnMapping(owner=run.owner, kind=run.kind, name=name[:100])
    row.signature = columns.signature(run.kind, part, about["keys"])
    row.headers, row.columns, row.shared = about["headers"], about["columns"], shared
    row.used_at = timezone.now()
    row.full_clean()
    row.save()


def check_again(*, run: ImportRun) -> ImportRun:
    """The same file, after the vocabulary or the rules have changed."""
    _require_state(run, State.CHECKED)
    _begin(run, State.CHECKING)
    return run


def write_import(*, run: ImportRun) -> ImportRun:
    """Import what was checked and has no error; everything or nothing."""
    _require_state(run, State.CHECKED)
    if run.error_count:
        raise ValidationError(_("The file has errors. Correct them, and upload it again."), code="has_errors")
    _begin(run, State.WRITING)
    return run


def cancel_import(*, run: ImportRun) -> ImportRun:
    """Before it is written. A worker that is checking it stops at its next step."""
    storage.ask_to_stop(run)
    if not _move(
        run, (State.MAPPING, State.CHECKING, State.CHECKED), State.CANCELLED, ended_at=timezone.now()
    ):
        raise ValidationError(
            _("It is too late: the import is being written, or has ended."), code="wrong_status"
        )
    return run


def _require_state(run: ImportRun, *states: str) -> None:
    if run.state not in states:
        text = _("The import is %(state)s: that is not possible now. Reload the page.")
        raise ValidationError(text % {"state": run.get_state_display().lower()}, code="wrong_status")
    if run.files_gone_at is not None or storage.stored_source(run, "file") is None:
        raise ValidationError(_("The file has expired. Upload it again."), code="expired")


# ---------------------------------------------------------------------------------- states


def _begin(run: ImportRun, state: str) -> None:
    if not _move(
        run, (State.MAPPING, State.CHECKED), state, claim=None, claimed_at=None, attempts=0, reason=""
    ):
        raise ValidationError(_("Somebody has done that already. Reload the page."), code="wrong_status")
    if run.file_size <= settings.IMPORT_AT_ONCE_BYTES and not _fetches(run):
        carry_out(str(run.public_id))
        run.refresh_from_db()
    else:
        transaction.on_commit(lambda: enqueue(run))


def _fetches(run: ImportRun) -> bool:
    """Its sheet names files to be fetched from elsewhere: that may take minutes."""
    about = run.files.get("creatives") or {}
    return "media_files" in (about.get("columns") or {}).values()


def _move(run: ImportRun, states: tuple[str, ...], state: str, **values: Any) -> bool:
    """Compare and set: False where it was in none of `states` any more."""
    changed = {**values, "state": state, "version": run.version + 1, "updated_at": timezone.now()}
    if not ImportRun.objects.filter(pk=run.pk, state__in=states).update(**changed):
        return False
    for name, value in changed.items():
        setattr(run, name, value)
    return True


def enqueue(run: ImportRun) -> bool:
    """Hand it to a worker; where the broker does not take it, the sweeper does."""
    from trafficking.tasks import carry_out_import

    try:
        carry_out_import.apply_async(args=[str(run.public_id)], retry=False)
    except Exception:  # kombu raises many kinds for an unreachable broker
        logger.exception("could not enqueue the import %s", run.public_id)
        return False
    return True


# ---------------------------------------------------------------------------------- the work


def carry_out(public_id: str) -> str:
    """Check or write the run with this id; may be called any number of times. The state it is in then."""
    run = ImportRun.objects.select_related("owner").filter(public_id=public_id).first()
    if run is None or not run.is_working or not _claimed(run):
        return run.state if run else ""
    try:
        _work(run)
    except Cancelled:
        pass
    except Superseded:
        logger.warning("import %s was taken up by another worker", run.public_id)
    except Exception:
        logger.exception("import %s failed", run.public_id)
        _end_badly(run, _("Something went wrong that is not about the file. Nothing was written. Try it again, and"
                          " tell your administrator if it happens again."))  # fmt: skip
    return ImportRun.objects.values_list("state", flat=True).get(pk=run.pk)


def _claimed(run: ImportRun) -> bool:
    """This worker's now, unless another one gave a sign of life a moment ago."""
    lease = settings.IMPORT_LEASE_S
    stale = timezone.now() - timedelta(seconds=lease)
    if run.claimed_at is not None and (run.claimed_at > stale or storage.seconds_since_progress(run) < lease):
        return False
    mine = uuid.uuid4()
    values: dict[str, Any] = {"claim": mine, "claimed_at": timezone.now(), "attempts": run.attempts + 1}
    if not ImportRun.objects.filter(pk=run.pk, state=run.state, claim=run.claim).update(**values):
        return False
    run.claim, run.claimed_at, run.attempts = mine, values["claimed_at"], values["attempts"]
    return True


def _work(run: ImportRun) -> None:
    kind = KINDS[run.kind]
    given = _given(run)
    if given is None:
        _end_badly(run, _("The file has expired. Upload it again."))
        return
    with progress.heard_by(_listener(run)):
        progress.say("reading", 0, 0)
        if run.state == State.CHECKING:
            _keep_grids(run, kind, given)
            outcome = attempted(kind.check, given)
            _end(run, State.CHECKED, outcome)
            return
        with transaction.atomic():
            outcome = attempted(kind.write, given)
            # in the transaction that writes: there is no moment between "imported" and "said so"
            _end(run, State.WRITTEN if outcome.written else State.CHECKED, outcome)


def _given(run: ImportRun) -> Given | None:
    sources = {part: storage.stored_source(run, part) for part in run.files}
    if any(source is None for source in sources.values()):
        return None
    return Given({part: source for part, source in sources.items() if source}, run.owner, run.options)


def _listener(run: ImportRun) -> Callable[[str, int, int], None]:
    """Tells how far it is, twice a second at most, and stops where somebody asked to."""
    last: list[Any] = [0.0, ""]

    def listen(step: str, done: int, total: int) -> None:
        now = time.monotonic()
        if step == last[1] and now - last[0] < 0.5:
            return
        last[:] = [now, step]
        if run.state == State.CHECKING and storage.asked_to_stop(run):
            raise Cancelled
        storage.tell_progress(run, step, done, total)

    return listen


def _keep_grids(run: ImportRun, kind: Kind, given: Given) -> None:
    """The rows as the file has them, for the preview."""
    for part, source in given.sources.items():
        if source.is_json:
            continue
        try:
            rows = read_grid(source, kind.part(part).columns, wanted=kind.part(part).sheet).rows
            run.files[part]["rows"] = storage.keep_rows(run, part, rows)
        except Refused:
            run.files[part]["rows"] = 0


def _end(run: ImportRun, state: str, outcome: Outcome) -> None:
    errors = [finding for finding in outcome.findings if finding.blocking]
    values = {
        "state": state, "report": _report(outcome), "counts": outcome.made, "error_count": len(errors),
        "warning_count": len(outcome.findings) - len(errors), "files": run.files, "claim": None, "claimed_at": None,
        "version": run.version + 1, "updated_at": timezone.now(),
        "ended_at": timezone.now() if state == State.WRITTEN else None,
    }  # fmt: skip
    if not ImportRun.objects.filter(pk=run.pk, state=run.state, claim=run.claim).update(**values):
        if ImportRun.objects.filter(pk=run.pk, state=State.CANCELLED).exists():
            raise Cancelled
        raise Superseded


def _report(outcome: Outcome) -> dict[str, Any]:
    found = sorted(outcome.findings, key=_place)
    return {
        "findings": [finding.as_dict() for finding in found[:MOST_FINDINGS]],
        "names": outcome.names[:MOST_NAMES], "names_count": len(outcome.names),
        "lines": outcome.lines[:MOST_LINES], "lines_count": len(outcome.lines),
        "links": outcome.links[:MOST_LINES], "facts": outcome.facts,
    }  # fmt: skip


def _place(finding: Finding) -> tuple[bool, int]:
    return not finding.blocking, int(finding.params.get("row") or 0)


def _end_badly(run: ImportRun, reason: str) -> None:
    ImportRun.objects.filter(pk=run.pk, claim=run.claim, state__in=ImportRun.WORKING).update(
        state=State.FAILED, reason=reason[:500], claim=None, claimed_at=None, version=run.version + 1,
        updated_at=timezone.now(), ended_at=timezone.now(),
    )  # fmt: skip


# ---------------------------------------------------------------------------------- looking after


def sweep_imports() -> int:
    """Take up what nobody works on: messages that were lost, workers that were killed. How many were enqueued."""
    sent = 0
    quiet = timezone.now() - timedelta(seconds=settings.IMPORT_LEASE_S)
    for run in ImportRun.objects.filter(state__in=ImportRun.WORKING, updated_at__lt=quiet).order_by("pk")[
        :100
    ]:
        if run.claimed_at is not None and (
            run.claimed_at > quiet or storage.seconds_since_progress(run) < settings.IMPORT_LEASE_S
        ):
            continue
        if run.attempts >= MOST_ATTEMPTS:
            _end_badly(run, _("The worker was stopped %(n)s times while it worked on the file. Nothing was written."
                              " Split the file, or tell your administrator.") % {"n": run.attempts})  # fmt: skip
            continue
        sent += enqueue(run)
    return sent


def forget_old_files() -> int:
    """Delete the files of imports that are older than IMPORT_KEEP_DAYS; their rows stay. How many."""
    before = timezone.now() - timedelta(days=settings.IMPORT_KEEP_DAYS)
    gone = 0
    for run in ImportRun.objects.filter(files_gone_at__isnull=True, created_at__lt=before).order_by("pk")[
        :500
    ]:
        if run.is_working:
            continue
        storage.forget_files(run)
        gone += ImportRun.objects.filter(pk=run.pk).update(files_gone_at=timezone.now())
    return gone
