"""Where compiling keeps what it finds: findings, and bodies whose values know where they came from."""

from __future__ import annotations

from typing import Any

from governance.findings import Finding


class Noted:
    """Findings in the order in which they were made."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.blocks = 0

    def block(self, code: str, field: str, /, **params: Any) -> None:
        self.findings.append(Finding(f"meta.{code}", field, "block", params))
        self.blocks += 1

    def warn(self, code: str, field: str, /, **params: Any) -> None:
        self.findings.append(Finding(f"meta.{code}", field, "warn", params))


class Body:
    """A request body in the making.

    `put` leaves out None and remembers the ticket field behind a value; `nest` hangs another body
    below a key, with its sources.
    """

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.sources: dict[str, str] = {}

    def put(self, key: str, value: Any, source: str = "") -> None:
        if value is None:
            return
        self.values[key] = value
        if source:
            self.sources[f"/{key}"] = source

    def nest(self, key: str, inner: Body, source: str = "") -> None:
        self.put(key, inner.values, source)
        for pointer, ticket_field in inner.sources.items():
            self.sources[f"/{key}{pointer}"] = ticket_field
