"""Pages by position, not by number: stable while rows are added, and as fast on the last page as on the first."""

from __future__ import annotations

from typing import Any

from django.core import signing
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from governance.api.errors import field_problem

PAGE_SIZE = 50
MAX_PAGE_SIZE = 500
PARAMETERS = frozenset({"cursor", "page_size", "ordering"})
_SALT = "governance.api.cursor"


class NewestFirstCursor(BasePagination):
    """`?cursor=&page_size=&ordering=`. Ordering is by one field of the view's `ordering_fields`, then by id."""

    def paginate_queryset(self, queryset: QuerySet, request: Request, view: Any = None) -> list[Any]:
        self.request = request
        self.size = _page_size(request)
        self.field, self.descending = _ordering(request, view)
        cursor = self._cursor(request)
        self.backwards = bool(cursor and cursor["b"])
        rows = self._rows(queryset, cursor)
        more = len(rows) > self.size
        page = rows[: self.size]
        if self.backwards:
            page.reverse()
        self.page, self.has_next = page, more or self.backwards
        self.has_previous = more if self.backwards else cursor is not None
        return page

    def _rows(self, queryset: QuerySet, cursor: dict[str, Any] | None) -> list[Any]:
        descending = self.descending != self.backwards
        sign, after = ("-", "lt") if descending else ("", "gt")
        if cursor:
            value = queryset.model._meta.get_field(self.field).to_python(cursor["v"])
            further = Q(**{f"{self.field}__{after}": value})
            same = Q(**{self.field: value, f"pk__{after}": cursor["p"]})
            queryset = queryset.filter(
                further | same if self.field != "id" else Q(**{f"pk__{after}": cursor["p"]})
            )
        order = [f"{sign}id"] if self.field == "id" else [f"{sign}{self.field}", f"{sign}id"]
        return list(queryset.order_by(*order)[: self.size + 1])

    def _cursor(self, request: Request) -> dict[str, Any] | None:
        text = request.query_params.get("cursor")
        if not text:
            return None
        try:
            read = signing.loads(text, salt=_SALT)
        except signing.BadSignature:
            raise field_problem(
                "cursor", "invalid_cursor", _("This cursor is not one of ours. Start from the first page.")
            ) from None
        if read["f"] != [self.field, self.descending]:
            raise field_problem("cursor", "invalid_cursor", _("This cursor belongs to another ordering."))
        return read

    def _link(self, row: Any, backwards: bool) -> str:
        value = getattr(row, self.field)
        place = {
            "v": value if isinstance(value, int | bool) else str(value), "p": row.pk, "b": backwards,
            "f": [self.field, self.descending],
        }  # fmt: skip
        return replace_query_param(
            self.request.build_absolute_uri(), "cursor", signing.dumps(place, salt=_SALT)
        )

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {
                "next": self._link(self.page[-1], False) if self.page and self.has_next else None,
                "previous": self._link(self.page[0], True) if self.page and self.has_previous else None,
                "results": data,
            }
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object", "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }  # fmt: skip

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        orders = [sign + name for name in ordering_names(view) for sign in ("", "-")]
        return [
            _parameter("cursor", {"type": "string"}, "From `next` or `previous` of a page."),
            _parameter(
                "page_size",
                {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE},
                f"Rows a page; {PAGE_SIZE} if not given.",
            ),
            _parameter("ordering", {"type": "string", "enum": orders}, "Newest first if not given."),
        ]


def ordering_names(view: Any) -> tuple[str, ...]:
    return ("created", *getattr(view, "ordering_fields", ()))


def _parameter(name: str, schema: dict[str, Any], text: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": text}


def _page_size(request: Request) -> int:
    text = request.query_params.get("page_size")
    if text is None:
        return PAGE_SIZE
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MAX_PAGE_SIZE):
        raise field_problem(
            "page_size", "invalid", _("Choose from 1 to %(most)s rows a page.") % {"most": MAX_PAGE_SIZE}
        )
    return int(text)


def _ordering(request: Request, view: Any) -> tuple[str, bool]:
    """(model field, descending). `created` is by id, which only grows."""
    text = request.query_params.get("ordering") or "-created"
    name = text.removeprefix("-")
    if name not in ordering_names(view):
        known = ", ".join(ordering_names(view))
        raise field_problem(
            "ordering", "invalid_choice", _("Order by one of these: %(known)s.") % {"known": known}
        )
    return "id" if name == "created" else name, text.startswith("-")
