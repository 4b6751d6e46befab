"""The folder of one import: the files as received, their rows, how far it is. Per person, and gone after some days."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

from campaigns.import_runs import ImportRun
from governance.tables import Source

_CANCEL = "cancel"
_PROGRESS = "progress.json"


def folder_of(run: ImportRun) -> Path:
    return Path(settings.MEDIA_ROOT) / "imports" / str(run.owner_id) / str(run.public_id)


def keep_file(run: ImportRun, part: str, source: Source) -> None:
    folder = folder_of(run)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / part).write_bytes(source.data)


def stored_source(run: ImportRun, part: str) -> Source | None:
    """The part as it was received, with its columns' names; None where it has expired."""
    kept, about = folder_of(run) / part, run.files.get(part)
    if about is None or not kept.is_file():
        return None
    return Source(about["name"], kept.read_bytes(), about.get("columns") or {})


def forget_files(run: ImportRun) -> None:
    shutil.rmtree(folder_of(run), ignore_errors=True)


# --- rows, one JSON line each: a page of 50 is read without reading the workbook again


def keep_rows(run: ImportRun, part: str, rows: Iterable[tuple[int, list[str]]]) -> int:
    """The number of rows."""
    count, path = 0, _rows_path(run, part)
    partial = path.with_suffix(f".{os.getpid()}")
    with partial.open("w", encoding="utf-8") as out:
        for number, cells in rows:
            out.write(f"{number}\t{json.dumps(cells, ensure_ascii=False)}\n")
            count += 1
    partial.replace(path)
    return count


def rows_of(
    run: ImportRun, part: str, only: Collection[int] | None = None
) -> Iterator[tuple[int, list[str]]]:
    """(row number, cells); with `only`, of these rows."""
    path = _rows_path(run, part)
    if not path.is_file():
        return
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            number, _tab, cells = line.partition("\t")
            if only is None or int(number) in only:
                yield int(number), json.loads(cells)


def _rows_path(run: ImportRun, part: str) -> Path:
    return folder_of(run) / f"{part}.rows"


# --- how far it is


def tell_progress(run: ImportRun, step: str, done: int, total: int) -> None:
    partial = folder_of(run) / f"progress.{os.getpid()}"
    try:
        partial.write_text(json.dumps({"step": step, "done": done, "total": total}))
        partial.replace(folder_of(run) / _PROGRESS)
    except OSError:  # nobody sees how far it is; the import goes on
        return


def read_progress(run: ImportRun) -> dict[str, Any]:
    try:
        return json.loads((folder_of(run) / _PROGRESS).read_text())
    except (OSError, ValueError):
        return {}


def seconds_since_progress(run: ImportRun) -> float:
    """Since the worker last said how far it is; without end where it never did."""
    try:
        return time.time() - (folder_of(run) / _PROGRESS).stat().st_mtime
    except OSError:
        return float("inf")


def ask_to_stop(run: ImportRun) -> None:
    """Beside the row, which a worker's transaction may hold for as long as it checks."""
    if folder_of(run).is_dir():
        (folder_of(run) / _CANCEL).touch()


def asked_to_stop(run: ImportRun) -> bool:
    return (folder_of(run) / _CANCEL).exists()
