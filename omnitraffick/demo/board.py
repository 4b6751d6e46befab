"""What the demo shows: progress while it runs, and the table of ids at its end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from omnitraffick.demo.people import Login
from omnitraffick.demo.walk import LineState

_MARK, _WAITING, _WRONG = "[green]✔[/]", "[dim]·[/]", "[red]✘[/]"


class LiveBoard:
    """On a terminal: a table that is drawn again as the lines move."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, refresh_per_second=8, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def note(self, text: str) -> None:
        """What somebody did shows in the table itself."""

    def show(self, lines: Sequence[LineState]) -> None:
        self._live.update(_progress(lines))


class PlainBoard:
    """Elsewhere (a log, CI): one plain line for each change."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._seen: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def note(self, text: str) -> None:
        self._console.print(f"demo: {text}", soft_wrap=True, markup=False, highlight=False)

    def show(self, lines: Sequence[LineState]) -> None:
        for line in lines:
            now = "deployed" if line.deployed else line.problem or line.status
            if self._seen.get(line.line) != now:
                self._seen[line.line] = now
                self.note(f"line {line.line} · {line.platform} · {line.name}: {now}")


Board = LiveBoard | PlainBoard


def board_on(console: Console) -> Board:
    return LiveBoard(console) if console.is_terminal else PlainBoard(console)


def _progress(lines: Sequence[LineState]) -> Table:
    done = sum(line.deployed for line in lines)
    table = Table(
        title=f"Demo plan: {done} of {len(lines)} lines deployed", title_justify="left", title_style="bold"
    )
    for heading in ("Line", "Platform", "Governed name"):
        table.add_column(heading, overflow="fold")
    for heading in ("imported", "QA", "approved", "deployed"):
        table.add_column(heading, justify="center")
    for line in lines:
        wrong = bool(line.problem)
        table.add_row(line.line, line.platform, line.name, _MARK, *(
            _MARK if reached else _WRONG if wrong else _WAITING for reached in (line.checked, line.approved, line.deployed)
        ))  # fmt: skip
    return table


def outcome_table(lines: Sequence[LineState]) -> Table:
    """Every line with the platform's ids on every level."""
    table = Table(title="What the platforms hold", title_justify="left", title_style="bold")
    for heading in ("Line", "Platform", "Governed name", "Campaign id", "Ad set ids", "Ad ids"):
        table.add_column(heading, overflow="fold")
    for line in lines:
        table.add_row(
            line.line,
            line.platform,
            line.name,
            line.campaign_id or "—",
            _ids(line.ad_set_ids),
            _ids(line.ad_ids),
        )
    return table


def _ids(ids: Iterable[str]) -> str:
    return "\n".join(each or "—" for each in ids) or "—"


def logins_table(logins: Sequence[Login]) -> Table:
    table = Table(title="Demo logins", title_justify="left", title_style="bold")
    for heading in ("User name", "Password", "Role", "Reach"):
        table.add_column(heading)
    for login in logins:
        person = login.person
        table.add_row(
            person.username, login.password or "(changed)", person.role,
            f"brand {person.brand}" if person.brand else "everything",
        )  # fmt: skip
    return table
