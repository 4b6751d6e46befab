"""How a run of the engine ends before its end."""

from __future__ import annotations

from collections.abc import Sequence

from governance.findings import Finding

#: A stumbling worker waits as after so many tries: about a minute.
STUMBLE_TRIES = 6


class LeaseLost(Exception):
    """Another worker has taken over; this one writes nothing more."""


class Stop(Exception):
    """The run ends here for now: `state` and `reason` say how, `after` when to come back (seconds).

    `findings` go onto the ticket; `ticket_status` is where it goes, if not where the state says.
    """

    def __init__(
        self, state: str, reason: str, after: float | None = None, *, findings: Sequence[Finding] = (),
        ticket_status: str = "",
    ) -> None:  # fmt: skip
        super().__init__(reason)
        self.state, self.reason, self.after = state, reason, after
        self.findings, self.ticket_status = tuple(findings), ticket_status
