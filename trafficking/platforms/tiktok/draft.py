"""What compile's modules share: a list of findings that grows, and a body that remembers its sources."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from governance.findings import Finding, Severity


@dataclass(slots=True)
class Notes:
    """Findings in the order in which they were met; `blocks` counts the blocking ones."""

    found: list[Finding] = field(default_factory=list)
    blocks: int = 0

    def block(self, code: str, where: str, **params: Any) -> None:
        self.blocks += 1
        self._add(code, where, "block", params)

    def warn(self, code: str, where: str, **params: Any) -> None:
        self._add(code, where, "warn", params)

    def _add(self, code: str, where: str, severity: Severity, params: dict[str, Any]) -> None:
        self.found.append(Finding(f"tiktok.{code}", where, severity, params))


@dataclass(slots=True)
class Body:
    """A JSON object in the making: each value with the ticket field that it came from.

    `prefix` is the JSON pointer of this object inside the operation's body (`/creatives/0`).
    """

    prefix: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)

    def put(self, key: str, value: Any, source: str = "") -> None:
        """Set a value; without a source it is fixed by the platform and no person can change it."""
        self.values[key] = value
        if source:
            self.sources[f"{self.prefix}/{key}"] = source

    def put_given(self, key: str, value: Any, source: str) -> None:
        """Set a value if there is one: None, "" and empty lists are left to the platform's default."""
        if value not in (None, "", [], ()):
            self.put(key, value, source)
