"""Measure a file in a process of its own (see probe.py)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings

from governance.findings import Finding
from governance.tables import Refused
from trafficking.media.probe import Measured

#: Reading an image of the most pixels takes some seconds; of a video only the structure is read, and a damaged
#: one can send its parser around in circles.
SECONDS = 30


def measured(path: Path, *, thumbnail: Path | None = None) -> Measured:
    """What the file is; Refused says why it can't be used. Writes the thumbnail of an image."""
    command = [sys.executable, "-m", "trafficking.media.probe", str(path), str(settings.MEDIA_MAX_PIXELS)]
    command += [str(thumbnail)] if thumbnail else []
    try:
        done = subprocess.run(
            command, cwd=settings.BASE_DIR, env=_bare_environment(), capture_output=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        raise Refused(Finding("media.takes_too_long")) from None
    if done.returncode != 0 or not done.stdout:
        raise Refused(Finding("media.takes_too_long"))
    return _read(json.loads(done.stdout))


def _bare_environment() -> dict[str, str]:
    """No keys and no database address for a process that reads strangers' files."""
    return {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "LC_ALL", "TMPDIR")}


def _read(said: dict[str, Any]) -> Measured:
    if "unfit" in said:
        raise Refused(Finding(said["unfit"]["code"], params=said["unfit"]["params"]))
    values = said["measured"]
    seconds = values["duration_s"]
    return Measured(**{**values, "duration_s": None if seconds is None else Decimal(seconds)})
