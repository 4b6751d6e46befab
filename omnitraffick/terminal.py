"""The console that commands print on: colours and live tables on a terminal, plain text elsewhere."""

from __future__ import annotations

from typing import Any, TextIO, cast

from rich.console import Console

#: Where output goes to a file or a pipe, tables must not be folded to a terminal's 80 columns.
PLAIN_WIDTH = 240


def console_for(stream: Any) -> Console:
    """`stream` is a command's `self.stdout` or a text file."""
    file = cast(TextIO, getattr(stream, "_out", stream))
    if file.isatty():
        return Console(file=file)
    return Console(file=file, width=PLAIN_WIDTH, force_terminal=False, no_color=True)
