"""Form fields for what AdOps people write in a way of their own."""

from __future__ import annotations

import re
import zoneinfo
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from governance.admin_base import ListField
from trafficking.models import Ticket

NONE = "NONE"


class SpecialCategoriesField(forms.MultipleChoiceField):
    """Nothing ticked: nobody has stated it (None). 'None of these': stated, and none ([])."""

    def __init__(self, **kwargs: Any) -> None:
        choices = [(NONE, _("None of these")), *Ticket.SpecialCategory.choices]
        super().__init__(
            **{
                "required": False,
                "choices": choices,
                "widget": UnfoldAdminCheckboxSelectMultipleWidget,
                **kwargs,
            }
        )

    def prepare_value(self, value: Any) -> Any:
        return [NONE] if value == [] else value

    def clean(self, value: Any) -> list[str] | None:
        ticked = super().clean(value)
        if NONE in ticked and len(ticked) > 1:
            raise ValidationError(_("Either 'none of these', or the categories that apply."))
        return None if not ticked else [each for each in ticked if each != NONE]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return sorted(self.prepare_value(initial) or []) != sorted(data or [])


#: How a keyword is written -> its match type, as in the platforms' own editors.
_WRITTEN = ((re.compile(r"\[(.+)\]\Z"), "EXACT"), (re.compile(r'[“"](.+)[”"]\Z'), "PHRASE"))
_MARKS = {"EXACT": "[{}]", "PHRASE": '"{}"', "BROAD": "{}"}


class KeywordsField(ListField):
    """One keyword a line: [exact], "phrase" or broad."""

    def to_python(self, value: Any) -> list[Any]:
        return [each if isinstance(each, dict) else _keyword(each) for each in super().to_python(value)]

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return "\n".join(_MARKS.get(each["match"], "{}").format(each["text"]) for each in value)


def _keyword(line: str) -> dict[str, str]:
    for written, match in _WRITTEN:
        if found := written.match(line):
            return {"text": found.group(1).strip(), "match": match}
    return {"text": line, "match": "BROAD"}


class MomentWidget(UnfoldAdminTextInputWidget):
    """The browser's own picker of day and time."""

    input_type = "datetime-local"


class MomentField(forms.DateTimeField):
    """A moment as the clocks of `zone` show it; one that those clocks skip or show twice is refused."""

    def __init__(self, *, zone: str, **kwargs: Any) -> None:
        self.zone = zoneinfo.ZoneInfo(zone)
        super().__init__(**{"required": False, "widget": MomentWidget, **kwargs})

    def to_python(self, value: Any) -> Any:
        with timezone.override(self.zone):
            return super().to_python(value)

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, datetime) or timezone.is_naive(value):
            return value
        return f"{value.astimezone(self.zone):%Y-%m-%dT%H:%M}"

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (self.prepare_value(initial) or "") != (data or "")
