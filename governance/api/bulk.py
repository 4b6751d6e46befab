"""A list sent to a collection: all of it is saved or none, and every row's errors are told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.utils.translation import gettext as _

from governance.api.errors import Fields, Problem, fields_of_detail, fields_of_model, invalid

MOST_ROWS = 1000


def require_size(rows: list[Any]) -> None:
    if not rows:
        raise Problem(400, "empty_list", _("The list is empty."))
    if len(rows) > MOST_ROWS:
        raise Problem(413, "too_many_rows", _("Send at most %(most)s rows at once.") % {"most": MOST_ROWS})


def read_rows(rows: list[Any], body: Callable[..., Any]) -> tuple[list[dict[str, Any]], dict[int, Fields]]:
    """(the values of the rows that read, errors by row). `body` makes a serializer for one row's data."""
    values: list[dict[str, Any]] = []
    errors: dict[int, Fields] = {}
    for at, row in enumerate(rows):
        read = body(data=row)
        if read.is_valid():
            values.append(read.validated_data)
        else:
            values.append({})
            errors[at] = fields_of_detail(read._errors)
    return values, errors


def refuse_rows(errors: Mapping[int, Fields | DjangoValidationError]) -> None:
    """Raise the envelope with every row's errors, if there are any."""
    if not errors:
        return
    told = [
        {"row": at, "fields": fields_of_model(found) if isinstance(found, DjangoValidationError) else found}
        for at, found in sorted(errors.items())
    ]
    raise invalid({}, rows=told)
