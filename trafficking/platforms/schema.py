"""Payload schema: JSON Schema from a platform's reference, errors as findings.

The schemas are data in each platform's `reference.json`, generated from its official SDK.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jsonschema_rs

from governance.findings import Finding, Message
from governance.findings import gettext_noop as _

MESSAGES = {
    "payload.invalid": Message(
        _("{object}: {pointer} does not fit the platform's reference: {problem}."),
        _("Correct {field}; the reference was generated from {source}."),
    ),
}


class Schema:
    """A compiled JSON Schema (2020-12). `source` names the SDK and version that it came from."""

    def __init__(self, schema: Mapping[str, Any], source: str) -> None:
        self.source = source
        self._validator = jsonschema_rs.validator_for(dict(schema))

    def findings(
        self, body: Any, *, object_name: str, sources: Mapping[str, str], prefix: str = ""
    ) -> list[Finding]:
        """All violations in `body`; the field is looked up in `sources` by the nearest body pointer."""
        return [
            self._finding(error, object_name, sources, prefix) for error in self._validator.iter_errors(body)
        ]

    def _finding(self, error: Any, object_name: str, sources: Mapping[str, str], prefix: str) -> Finding:
        pointer = prefix + "".join(f"/{part}" for part in error.instance_path)
        field = source_field(sources, pointer)
        params = {
            "object": object_name,
            "pointer": pointer or "/",
            "problem": error.message,
            "field": field or pointer,
            "source": self.source,
        }
        return Finding("payload.invalid", field=field, params=params)


def source_field(sources: Mapping[str, str], pointer: str) -> str:
    """The ticket field behind a body pointer: its own entry or the nearest one above it."""
    while pointer:
        if pointer in sources:
            return sources[pointer]
        pointer = pointer.rpartition("/")[0]
    return sources.get("", "")
