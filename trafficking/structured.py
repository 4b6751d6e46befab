"""Form fields for what a ticket stores as JSON: choices to search, lines of text, hours of a week, media by picture.

Each widget turns what the browser sends into the stored value and back. A value that it can't show is shown as its JSON
text under the field's own name, and so is whatever is sent under that name: nothing that stands is lost by opening it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse_lazy
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from trafficking.choices import label_of

DAYS = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))
_DAY_WORDS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

MEDIA_KINDS = (
    ("IMAGE", _("Image")), ("SQUARE_IMAGE", _("Square image")), ("PORTRAIT_IMAGE", _("Portrait image")),
    ("LOGO", _("Logo")), ("VIDEO", _("Video")), ("YOUTUBE_VIDEO", _("YouTube video")), ("THUMBNAIL", _("Thumbnail")),
)  # fmt: skip
#: Parts of `AdSet.geo`, in the order of the form.
GEO_PARTS = (
    ("countries", "countries", _("Countries")), ("regions", "regions", _("Regions")), ("cities", "cities", _("Cities")),
    ("excluded_countries", "countries", _("Not in countries")), ("excluded_regions", "regions", _("Not in regions")),
    ("excluded_cities", "cities", _("Not in cities")),
)  # fmt: skip
_PLACE_PARTS = frozenset({"regions", "cities", "excluded_regions", "excluded_cities"})


class Malformed(str):
    """A text that could not be read as the value: kept to be shown again, and refused by the field."""


# ---------------------------------------------------------------------------------------- widgets


def _refuse_constant(text: str) -> Any:
    raise ValueError(text)  # NaN and Infinity are no JSON


class StructuredWidget(forms.Widget):
    """`read` makes the value of what was sent, `shows` says whether the controls can hold it."""

    empty: ClassVar[Any] = []

    class Media:
        css: ClassVar[dict[str, list[str]]] = {"all": ["trafficking/structured.css"]}
        js: ClassVar[list[str]] = ["trafficking/structured.js"]

    def read(self, data: Any, name: str) -> Any:
        raise NotImplementedError

    def shows(self, value: Any) -> bool:
        raise NotImplementedError

    def sent(self, name: str, value: Any) -> dict[str, Any]:
        """What a browser would send back for this value."""
        raise NotImplementedError

    def parts(self, name: str, value: Any) -> dict[str, Any]:
        """Context of the widget's template."""
        return {}

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return self.from_text(data[name]) if name in data else self.read(data, name)

    def from_text(self, text: Any) -> Any:
        if not isinstance(text, str):
            return text
        if not text.strip():
            return type(self.empty)()
        try:
            read = json.loads(text, parse_constant=_refuse_constant)
            json.dumps(read, ensure_ascii=False).encode()  # half a character can't be stored
        except (ValueError, RecursionError):
            return Malformed(text)
        return Malformed(text) if "\\u0000" in json.dumps(read) else read

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False  # nothing chosen sends nothing: that is a value, too

    def as_sent(self, name: str, value: Any) -> dict[str, Any]:
        value = type(self.empty)() if value is None else value
        if not self.shows(value):
            return {name: value if isinstance(value, Malformed) else json.dumps(value, ensure_ascii=False)}
        return self.sent(name, value)

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        value = type(self.empty)() if value is None else value
        raw = not self.shows(value)
        text = value if isinstance(value, Malformed) else json.dumps(value, ensure_ascii=False, indent=1)
        context["widget"] |= {"raw": raw, "text": text, **({} if raw else self.parts(name, value))}
        return context

    def format_value(self, value: Any) -> Any:
        return None


def _values(data: Any, name: str) -> list[str]:
    found = data.getlist(name) if hasattr(data, "getlist") else data.get(name, [])
    found = found if isinstance(found, list | tuple) else [found]
    return [str(each) for each in found]


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


class PicksWidget(StructuredWidget):
    """A list of codes, searched for by `kind`; what is not offered can be typed."""

    template_name = "trafficking/builder/widgets/picks.html"
    empty: ClassVar[list[Any]] = []

    def __init__(self, kind: str, attrs: Any = None) -> None:
        super().__init__(attrs)
        self.kind = kind

    def from_text(self, text: Any) -> Any:
        plain = isinstance(text, str) and text.strip()[:1] not in ("[", "{", '"')
        return (
            [each.strip() for each in re.split(r"[,\n]", text) if each.strip()]
            if plain
            else super().from_text(text)
        )

    def read(self, data: Any, name: str) -> Any:
        return [each.strip() for each in _values(data, f"{name}-picked") if each.strip()]

    def shows(self, value: Any) -> bool:
        return _is_texts(value)

    def sent(self, name: str, value: Any) -> dict[str, Any]:
        return {f"{name}-picked": list(value)}

    def parts(self, name: str, value: Any) -> dict[str, Any]:
        return {"kind": self.kind, "chosen": [(each, label_of(self.kind, each)) for each in value]}


class PlacesWidget(StructuredWidget):
    """A list of {"id", "name"}, each sent as "id name"."""

    template_name = "trafficking/builder/widgets/picks.html"
    empty: ClassVar[list[Any]] = []

    def __init__(self, kind: str, attrs: Any = None) -> None:
        super().__init__(attrs)
        self.kind = kind

    def read(self, data: Any, name: str) -> Any:
        return [as_place(each) for each in _values(data, f"{name}-picked") if each.strip()]

    def shows(self, value: Any) -> bool:
        return isinstance(value, list) and all(_is_place(each) for each in value)

    def sent(self, name: str, value: Any) -> dict[str, Any]:
        return {f"{name}-picked": [place_text(each) for each in value]}

    def parts(self, name: str, value: Any) -> dict[str, Any]:
        return {"kind": self.kind, "chosen": [(place_text(each), place_label(each)) for each in value]}


def as_place(text: str) -> dict[str, str]:
    """ "6003 Football" -> {"id": "6003", "name": "Football"}."""
    code, _space, name = text.strip().partition(" ")
    return {"id": code, "name": name.strip()} if name.strip() else {"id": code}


def place_text(place: Mapping[str, str]) -> str:
    return f"{place['id']} {place.get('name', '')}".strip()


def place_label(place: Mapping[str, str]) -> str:
    return f"{place['name']} ({place['id']})" if place.get("name") else place["id"]


def _is_place(value: Any) -> bool:
    """One that comes back as it is."""
    if not isinstance(value, dict) or not isinstance(value.get("id"), str) or not value["id"].strip():
        return False
    return all(isinstance(each, str) for each in value.values()) and as_place(place_text(value)) == value


class GeoWidget(StructuredWidget):
    """Countries, regions and cities in, and out."""

    template_name = "trafficking/builder/widgets/geo.html"
    empty: ClassVar[dict[str, Any]] = {}

    def read(self, data: Any, name: str) -> Any:
        found = {part: _values(data, f"{name}-{part}") for part, _kind, _label in GEO_PARTS}
        return {
            part: [as_place(each) for each in texts if each.strip()] if part in _PLACE_PARTS else texts
            for part, texts in found.items()
            if texts
        }

    def shows(self, value: Any) -> bool:
        if not isinstance(value, dict) or value.keys() - {part for part, _kind, _label in GEO_PARTS}:
            return False
        return all(
            isinstance(rows, list) and rows and all(map(_is_place, rows)) if part in _PLACE_PARTS
            else _is_texts(rows) and rows
            for part, rows in value.items()
        )  # fmt: skip

    def sent(self, name: str, value: Any) -> dict[str, Any]:
        return {
            f"{name}-{part}": [place_text(each) if part in _PLACE_PARTS else each for each in rows]
            for part, rows in value.items()
        }

    def parts(self, name: str, value: Any) -> dict[str, Any]:
        rows = []
        for part, kind, label in GEO_PARTS:
            chosen = [
                (place_text(each), place_label(each))
                if part in _PLACE_PARTS
                else (each, label_of(kind, each))
                for each in value.get(part, ())
            ]
            rows.append({"name": f"{name}-{part}", "kind": kind, "label": label, "chosen": chosen,
                         "aside": part not in ("countries", "regions", "cities") and not chosen})  # fmt: skip
        return {"rows": rows}


class LinesWidget(StructuredWidget):
    """Texts, one a line."""

    template_name = "trafficking/builder/widgets/lines.html"
    empty: ClassVar[list[Any]] = []

    def from_text(self, text: Any) -> Any:
        plain = isinstance(text, str) and text.strip()[:1] != "["
        return _lines(text) if plain else super().from_text(text)

    def read(self, data: Any, name: str) -> Any:
        return _lines(str(data.get(f"{name}-lines", "")))

    def shows(self, value: Any) -> bool:
        return _is_texts(value) and _lines("\n".join(value)) == value

    def sent(self, name: str, value: Any) -> dict[str, Any]:
        return {f"{name}-lines": "\n".join(value)}

    def parts(self, name: str, value: Any) -> dict[str, Any]:
        return {"lines": "\n".join(value), "rows": max(2, min(8, len(value) + 1))}


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.replace("\r", "").split("\n") if line.strip()]


class DaypartsWidget(StructuredWidget):
    """Hours of the week, as a grid and as words: "Mon-Fri 8-20; Sat 10-12, 14-18"."""

    template_name = "trafficking/builder/widgets/dayparts.html"
    empty: ClassVar[list[Any]] = []

    def read(self, data: Any, name: str) -> Any:
        text = str(data.get(f"{name}-hours", ""))
        try:
            return hours_of(text)
        except ValueError:
            return Malformed(text)

    def shows(self, value: Any) -> bool:
        try:
            return isinstance(value, list) and hours_of(hours_text(value)) == value
        except (KeyError, TypeError, ValueError, IndexError):
            return False

    def sent(self, name: str, value: Any) -> dict[str, Any]:
        return {f"{name}-hours": hours_text(value)}

    def as_sent(self, name: str, value: Any) -> dict[str, Any]:
        return {f"{name}-hours": str(value)} if isinstance(value, Malformed) else super().as_sent(name, value)

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        if not isinstance(value, Malformed):
            return super().get_context(name, value, attrs)
        context = super().get_context(name, [], attrs)
        context["widget"]["hours"] = str(value)
        return context

    def parts(self, name: str, value: Any) -> dict[str, Any]:
        return {"hours": hours_text(value), "days": DAYS}


def hours_text(dayparts: Sequence[Mapping[str, int]]) -> str:
    """[{"day": 0, "start_hour": 8, "end_hour": 20}] -> "Mon 8-20"."""
    by_day: dict[int, list[str]] = {}
    for each in dayparts:
        by_day.setdefault(each["day"], []).append(f"{each['start_hour']}-{each['end_hour']}")
    return "; ".join(f"{_DAY_WORDS[day].capitalize()} {', '.join(spans)}" for day, spans in by_day.items())


def hours_of(text: str) -> list[dict[str, int]]:
    """The reverse, in order and with touching spans joined. ValueError where it can't be read."""
    hours: set[tuple[int, int]] = set()
    for piece in filter(None, (each.strip() for each in text.split(";"))):
        found = re.fullmatch(r"([a-z]{3})[a-z]*(?:\s*-\s*([a-z]{3})[a-z]*)?\s+([\d\s,:-]+)", piece.casefold())
        if not found:
            raise ValueError(piece)
        first, last = _DAY_WORDS.index(found[1]), _DAY_WORDS.index(found[2] or found[1])
        hours |= {(day, hour) for day in range(first, last + 1) for hour in _span_hours(found[3])}
    return _spans(hours)


def _span_hours(text: str) -> set[int]:
    hours: set[int] = set()
    for piece in text.split(","):
        start, end = (int(each.strip().removesuffix(":00")) for each in piece.split("-"))
        if not 0 <= start < end <= 24:
            raise ValueError(piece)
        hours |= set(range(start, end))
    return hours


def _spans(hours: Iterable[tuple[int, int]]) -> list[dict[str, int]]:
    spans: list[dict[str, int]] = []
    for day, hour in sorted(hours):
        if spans and spans[-1]["day"] == day and spans[-1]["end_hour"] == hour:
            spans[-1]["end_hour"] = hour + 1
        else:
            spans.append({"day": day, "start_hour": hour, "end_hour": hour + 1})
    return spans


class FrequencyWidget(StructuredWidget):
    """So many impressions in so many days."""

    template_name = "trafficking/builder/widgets/frequency.html"
    empty: ClassVar[dict[str, Any]] = {}

    def read(self, data: Any, name: str) -> Any:
        typed = {key: str(data.get(f"{name}-{key}", "")).strip() for key in ("impressions", "days")}
        return {
            key: int(text) if re.fullmatch(r"[0-9]{1,6}", text) else text
            for key, text in typed.items()
            if text
        }

    def shows(self, value: Any) -> bool:
        known = isinstance(value, dict) and not value.keys() - {"impressions", "days"}
        return known and all(
            isinstance(each, int | str) and not isinstance(each, bool) for each in value.values()
        )

    def sent(self, name: str, value: Any) -> dict[str, Any]:
        return {f"{name}-{key}": str(each) for key, each in value.items()}

    def parts(self, name: str, value: Any) -> dict[str, Any]:
        return {"impressions": value.get("impressions", ""), "days": value.get("days", "")}


class _RowsWidget(StructuredWidget):
    """Rows with a picture: parallel lists of texts by `columns`; `id_key` is the id in the platform's own library."""

    empty: ClassVar[list[Any]] = []
    columns: ClassVar[tuple[str, ...]] = ()
    id_key: ClassVar[str] = ""

    def read(self, data: Any, name: str) -> Any:
        lists = {column: _values(data, f"{name}-{column}") for column in self.columns}
        count = max(map(len, lists.values()), default=0)
        rows = [
            {
                column: texts[at].strip()
                for column, texts in lists.items()
                if at < len(texts) and texts[at].strip()
            }
            for at in range(min(count, 200))
        ]
        return [row for row in rows if row.keys() - {"kind"}]

    def shows(self, value: Any) -> bool:
        return isinstance(value, list) and all(
            isinstance(row, dict) and row.keys() - {"kind"} and not row.keys() - set(self.columns)
            and all(isinstance(each, str) and each and each == each.strip() for each in row.values())
            for row in value
        )  # fmt: skip

    def sent(self, name: str, value: Any) -> dict[str, Any]:
        return (
            {f"{name}-{column}": [row.get(column, "") for row in value] for column in self.columns}
            if value
            else {}
        )

    def parts(self, name: str, value: Any) -> dict[str, Any]:
        return {"rows": [{**row, "own": row.get(self.id_key, "")} for row in value], "kinds": MEDIA_KINDS,
                "picker": reverse_lazy("admin:trafficking_build_media")}  # fmt: skip


class MediaWidget(_RowsWidget):
    """Files of the brand's library by picture, or ids of the platform's own."""

    template_name = "trafficking/builder/widgets/media.html"
    columns = ("kind", "file", "id")
    id_key = "id"


class CardsWidget(_RowsWidget):
    """Cards of a carousel: a picture, and its words."""

    template_name = "trafficking/builder/widgets/cards.html"
    columns = ("file", "media_id", "headline", "description", "landing_page")
    id_key = "media_id"


class JSONWidget(StructuredWidget):
    """Options that only one platform has: JSON by its reference."""

    template_name = "trafficking/builder/widgets/raw.html"
    empty: ClassVar[dict[str, Any]] = {}

    def read(self, data: Any, name: str) -> Any:
        return {}

    def shows(self, value: Any) -> bool:
        return False


class OneWidget(forms.Select):
    """One row or code, searched for by `kind`: only the one that is chosen is written into the page."""

    template_name = "trafficking/builder/widgets/one.html"
    Media = StructuredWidget.Media

    def __init__(self, kind: str, attrs: Any = None) -> None:
        super().__init__(attrs)
        self.kind = kind

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = forms.Widget.get_context(self, name, value, attrs)
        value = "" if value is None else str(value)
        context["widget"] |= {"kind": self.kind, "chosen": [(value, self._label(value))] if value else [],
                              "words": not hasattr(self.choices, "queryset")}  # fmt: skip
        return context

    def _label(self, value: str) -> str:
        if not hasattr(self.choices, "queryset"):
            return str(dict(self.choices).get(value, value))
        field = self.choices.field  # type: ignore[attr-defined]  # a ModelChoiceIterator: asked for one row only
        try:
            return field.label_from_instance(field.queryset.get(pk=value))
        except (ValueError, TypeError, OverflowError, field.queryset.model.DoesNotExist):
            return value


# ----------------------------------------------------------------------------------------- fields


class StructuredField(forms.Field):
    """The value as the widget has read it; what could not be read is refused in words."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, **kwargs})

    def to_python(self, value: Any) -> Any:
        if isinstance(value, Malformed):
            raise ValidationError(self.unreadable(), code="invalid")
        if "\\u0000" in json.dumps(value):
            raise ValidationError(_("Null characters are not allowed."), code="null_characters_not_allowed")
        return type(self.widget.empty)() if value is None else value

    def unreadable(self) -> Any:
        if isinstance(self.widget, DaypartsWidget):
            return _("Write days and full hours, such as: Mon-Fri 8-20; Sat 10-12, 14-18.")
        return _("This is not JSON. Check quotes, commas and brackets.")

    def has_changed(self, initial: Any, data: Any) -> bool:
        empty = type(self.widget.empty)()
        return (empty if initial is None else initial) != (empty if data is None else data)


#: Field of an ad set -> its widget.
AD_SET_WIDGETS = {
    "geo": GeoWidget(),
    "languages": PicksWidget("languages"),
    "placements": PicksWidget("placements"),
    "interests": PlacesWidget("interests"),
    "audiences_include": PicksWidget("audiences"),
    "audiences_exclude": PicksWidget("audiences"),
    "dayparts": DaypartsWidget(),
    "frequency_cap": FrequencyWidget(),
}
AD_WIDGETS = {
    "texts": LinesWidget(),
    "headlines": LinesWidget(),
    "descriptions": LinesWidget(),
    "display_paths": LinesWidget(),
    "media": MediaWidget(),
    "cards": CardsWidget(),
}
HELP_TEXTS = {
    "geo": _("Search countries; regions and cities by the platform's id and a name: 2421836 Boston."),
    "languages": _("Nothing chosen: all."),
    "placements": _("Nothing chosen: automatic."),
    "interests": _("Of the vocabulary's audiences, or by the platform's id and a name: 6003107 Football."),
    "audiences_include": _("Of the vocabulary's audiences, or by the platform's id."),
    "audiences_exclude": _("Likewise, excluded."),
    "dayparts": _("Full hours in the account's time: Mon-Fri 8-20; Sat 10-18. Empty: always."),
    "frequency_cap": _("At most so many impressions for one person in so many days. Empty: none."),
    "texts": _("Primary texts, one a line."),
    "headlines": _("One a line."),
    "descriptions": _("One a line."),
    "display_paths": _("Search ads: at most two, one a line, 15 characters each."),
    "media": _("From the brand's library by picture, or the id in the platform's own library."),
    "cards": _("Of a carousel, in order."),
}


def structured(db_field: Any) -> StructuredField | None:
    """The form field of a column of an ad set or ad; None where the model's own is the right one."""
    widget = {**AD_SET_WIDGETS, **AD_WIDGETS}.get(db_field.name)
    if widget is None:
        return None
    return StructuredField(
        widget=widget, label=capfirst(db_field.verbose_name), help_text=HELP_TEXTS[db_field.name]
    )
