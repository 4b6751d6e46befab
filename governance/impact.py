"""What a change of a code would do to names that people and platforms already know.

Higher floors register what they know (`register`); this floor asks before it lets a code change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.dispatch import Signal
from django.utils.translation import gettext_lazy as _

#: Sent after a row with a new code was saved (sender: model; row, old_code): names that may follow do.
code_changed = Signal()
#: Sent inside the transaction after another naming convention was put in force (sender: model; convention).
convention_put_in_force = Signal()

MOST_EXAMPLES = 5
MOST_BECOMES = 10


@dataclass(frozen=True, slots=True)
class Impact:
    """`kept`: names of deployed campaigns, which stay as they are; `renamed`: names that will be rebuilt.

    `live`: campaigns among the kept that run now. `examples`: some names with the code. `becomes`: some of those
    that are rebuilt, each as {"before": name, "after": name} ("after" is "" where the new code builds no legal name).
    """

    kept: int = 0
    renamed: int = 0
    live: int = 0
    examples: list[str] = field(default_factory=list)
    becomes: list[dict[str, str]] = field(default_factory=list)

    def __add__(self, other: Impact) -> Impact:
        return Impact(
            self.kept + other.kept,
            self.renamed + other.renamed,
            self.live + other.live,
            [*self.examples, *other.examples][:MOST_EXAMPLES],
            [*self.becomes, *other.becomes][:MOST_BECOMES],
        )

    def __bool__(self) -> bool:
        return bool(self.kept or self.renamed)


_sources: list[Callable[[Any], Impact]] = []


def register(source: Callable[[Any], Impact]) -> None:
    """`source(row)` tells what depends on the code of a market, brand or channel; `row.code` is the new one."""
    _sources.append(source)


def impact_of(row: Any) -> Impact:
    return sum((source(row) for source in _sources), Impact())


def stored_code(row: Any) -> str | None:
    return type(row)._base_manager.filter(pk=row.pk).values_list("code", flat=True).first()


def require_accepted(row: Any) -> None:
    """Refuse a changed code that is in use until somebody has read what it does."""
    old = stored_code(row)
    if old in (None, row.code) or row.impact_accepted:
        return
    impact = impact_of(row)
    if not impact:
        return
    text = _(
        "%(old)s is in use: %(kept)s names on platforms keep it (%(live)s of their campaigns run now), %(renamed)s names"
        " that are not deployed yet will be rebuilt (%(examples)s). Confirm that you have read this to change it."
    )
    params = {
        "old": old, "kept": impact.kept, "renamed": impact.renamed, "live": impact.live,
        "examples": ", ".join(impact.examples) or "–", "becomes": impact.becomes,
    }  # fmt: skip
    raise ValidationError({"code": ValidationError(text, code="code_in_use", params=params)})


def require_legal_code(row: Any) -> None:
    """A code must fit the naming convention in force, or names with it could not be read back."""
    from governance.models import NamingConvention

    convention = NamingConvention.in_force_or_none()
    if convention and row.code and not convention.as_rules().may_stand_in_names(row.code):
        text = _("%(code)s does not fit the naming convention in force (separator '%(separator)s').")
        params = {"code": row.code, "separator": convention.separator}
        raise ValidationError({"code": ValidationError(text, code="code_illegal", params=params)})
