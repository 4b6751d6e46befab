"""Findings as they are collected while a ticket is compiled, with this platform's prefix."""

from __future__ import annotations

from typing import Any

from governance.findings import Finding

PREFIX = "google_ads."


class Notes:
    """All findings of one compilation, in the order in which they were made."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def block(self, code: str, field: str, /, **params: Any) -> None:
        """Something that Google would not take, or that a person must state first."""
        self.findings.append(Finding(PREFIX + code, field, "block", params))

    def warn(self, code: str, field: str, /, **params: Any) -> None:
        """Something that is done otherwise than asked: a rounding, a substitution."""
        self.findings.append(Finding(PREFIX + code, field, "warn", params))

    @property
    def blocked(self) -> bool:
        return any(finding.blocking for finding in self.findings)
