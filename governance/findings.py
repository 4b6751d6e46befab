"""Findings: what a rule has to say about a value, as data.

A finding carries a code and parameters. Its words come from `MESSAGES` through gettext, so that
they can be translated, reworded and counted without touching the rule that raised it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, Literal

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.translation import gettext


def gettext_noop(text: str) -> str:
    """Marks a text for translators; Django's own needs settings, and platform folders have none."""
    return text


Severity = Literal["block", "warn"]
#: The same for serializers.
SEVERITIES = [("block", "block"), ("warn", "warn")]


@dataclass(frozen=True, slots=True)
class Message:
    """English source text of a finding: what is wrong, and what to do next.

    Both are `str.format` templates over the finding's parameters. Mark them with
    `gettext_noop` where they are written so that translators find them.
    """

    text: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of one rule.

    `code` is dotted and stable (`meta.budget.too_precise`); `field` is the path of the value in the
    ticket, campaign or import that it is about (`ad_sets[0].ads[1].headlines[2]`, `budget`, or ""
    for the whole); `params` fill the message and must be JSON-serialisable.
    """

    code: str
    field: str = ""
    severity: Severity = "block"
    params: Mapping[str, Any] = dataclass_field(default_factory=dict)

    @property
    def blocking(self) -> bool:
        return self.severity == "block"

    @property
    def message(self) -> str:
        return _rendered(self.code, self.params, "text")

    @property
    def remedy(self) -> str:
        return _rendered(self.code, self.params, "remedy")

    def as_dict(self) -> dict[str, Any]:
        """What is stored: no prose."""
        return {
            "code": self.code,
            "field": self.field,
            "severity": self.severity,
            "params": dict(self.params),
        }

    def as_report(self) -> dict[str, Any]:
        """What people and API clients read: `as_dict` with message and remedy in their language."""
        return {**self.as_dict(), "message": self.message, "remedy": self.remedy}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Finding:
        return cls(
            code=stored["code"],
            field=stored.get("field", ""),
            severity=stored.get("severity", "block"),
            params=stored.get("params", {}),
        )


MESSAGES: dict[str, Message] = {}


def register_messages(messages: Mapping[str, Message]) -> None:
    """Add an app's or platform's messages to the catalogue; two texts for one code are a mistake."""
    for code, message in messages.items():
        if MESSAGES.setdefault(code, message) != message:
            raise ValueError(f"two messages for the finding code {code!r}")


def blocking(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.blocking]


def _rendered(code: str, params: Mapping[str, Any], part: Literal["text", "remedy"]) -> str:
    # a family of codes shares one text: "rule.<public id>" is said by "rule.*"
    message = MESSAGES.get(code) or MESSAGES.get(f"{code.partition('.')[0]}.*")
    if message is None:
        return code if part == "text" else ""
    template = getattr(message, part)
    return gettext(template).format_map(_Readable(params)) if template else ""


class _Readable(dict):
    """Parameters of a message; an older stored finding may lack one that a newer text names."""

    def __missing__(self, key: str) -> str:
        return "…"

    def __getitem__(self, key: str) -> Any:
        value = super().__getitem__(key)
        if isinstance(value, list | tuple | set):
            return ", ".join(str(item) for item in value)
        return value


def raise_blocking(findings: Iterable[Finding], row: Any) -> None:
    """Raise blocking findings as Django's ValidationError, per field of `row`, each with code and remedy."""
    errors: dict[str, list[ValidationError]] = {}
    fields = {each.name for each in row._meta.get_fields()}
    for finding in blocking(findings):
        name = finding.field if finding.field in fields else NON_FIELD_ERRORS
        text = f"{finding.message} {finding.remedy}".strip()
        # Django fills a message in with its params wherever it has some: ours is filled in already
        text = text.replace("%", "%%") if finding.params else text
        errors.setdefault(name, []).append(
            ValidationError(text, code=finding.code, params=dict(finding.params))
        )
    if errors:
        raise ValidationError(errors)
