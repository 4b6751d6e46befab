"""JSON bodies, read strictly: no key twice, no NaN, nothing that a database can't hold, no endless body."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer


class WrittenFloat(float):
    """A number with a fraction that remembers how it was written, so that money stays exact."""

    text: str

    def __new__(cls, text: str) -> WrittenFloat:
        made = super().__new__(cls, text)
        if not math.isfinite(made):
            raise ValueError(_("The number %(text)s is too large.") % {"text": text[:40]})
        made.text = text
        return made


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        twice = sorted({key for key, _value in pairs if sum(key == other for other, _v in pairs) > 1})
        raise ValueError(_("The key '%(key)s' stands twice in one object.") % {"key": twice[0][:80]})
    return read


def _no_constant(text: str) -> Any:
    raise ValueError(_("%(text)s is not JSON. Leave the value out, or send null.") % {"text": text})


def read_json(raw: bytes) -> Any:
    """The value; ValueError says what is wrong with it, in the reader's words."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(_("The body is not UTF-8.")) from None
    try:
        value = json.loads(
            text, object_pairs_hook=_once, parse_constant=_no_constant, parse_float=WrittenFloat
        )
    except RecursionError:
        raise ValueError(_("The body is nested too deeply.")) from None
    if "\\u0000" in text or "\\ud" in text.lower():
        _require_storable(value)
    return value


def _require_storable(value: Any) -> None:
    """Null characters and halves of surrogate pairs can't be stored (PostgreSQL, UTF-8)."""
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= each <= "\udfff" for each in value):
            raise ValueError(
                _("A text has a character that can't be stored (null, or half a surrogate pair).")
            )
    elif isinstance(value, Mapping):
        for key, each in value.items():
            _require_storable(key)
            _require_storable(each)
    elif isinstance(value, list):
        for each in value:
            _require_storable(each)


class StrictJSONParser(BaseParser):
    media_type = "application/json"
    renderer_class = JSONRenderer

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> Any:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        raw = stream.read(limit + 1)
        if len(raw) > limit:
            raise RequestDataTooBig
        try:
            return read_json(raw)
        except ValueError as exc:
            raise ParseError(_("The body is not legal JSON: %(why)s") % {"why": exc}) from None
