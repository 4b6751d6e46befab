"""Pages of lists that may be very long.

What is few (up to `MOST_COUNTED`) is found first and sorted then; what is many is walked in its order, and counted
as "10,000+". So no page counts or sorts a whole table, and the database is never left to guess that walking
the primary key will soon come upon the fifty rows that somebody may see.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.contrib.admin.views.main import ORDER_VAR
from django.core.paginator import Page, Paginator
from django.db.models import Field, Model, QuerySet
from django.http import HttpRequest
from django.utils.formats import number_format
from unfold.views import ChangeList

from governance.search_indexes import ways_of
from governance.searching import find

MOST_COUNTED = 10_000
#: More primary keys than this cost more in a statement than they save, where the order is another one.
MOST_NAMED = 1000


class AtLeast(int):
    """A count that stopped: shown with a plus."""

    def __str__(self) -> str:
        return f"{number_format(int(self), use_l10n=True, force_grouping=True)}+"


class BoundedPaginator(Paginator):
    @cached_property
    def _keys(self) -> list[Any]:
        """Primary keys, unsorted; one more than `MOST_COUNTED` where there are more."""
        rows = self.object_list.order_by()  # type: ignore[attr-defined]
        return list(rows.values_list("pk", flat=True)[: MOST_COUNTED + 1])

    @cached_property
    def count(self) -> int:  # type: ignore[override]
        if not isinstance(self.object_list, QuerySet):
            return len(self.object_list)
        many = len(self._keys) > MOST_COUNTED
        return AtLeast(MOST_COUNTED) if many else len(self._keys)

    def page(self, number: Any) -> Any:
        number = self.validate_number(number)
        if not isinstance(self.object_list, QuerySet) or isinstance(self.count, AtLeast):
            return super().page(number)
        first = (number - 1) * self.per_page
        way = _order_by_key(self.object_list)
        if way:
            keys = sorted(self._keys, reverse=way < 0)[first : first + self.per_page]
            return Page(self.object_list.filter(pk__in=keys), number, self)
        rows = (
            self.object_list.filter(pk__in=self._keys) if len(self._keys) <= MOST_NAMED else self.object_list
        )
        return Page(rows[first : first + self.per_page], number, self)


def _order_by_key(rows: QuerySet) -> int:
    """1 or -1 where the rows are ordered by their primary key alone, 0 otherwise."""
    order = tuple(rows.query.order_by) or tuple(
        rows.model._meta.ordering if rows.query.default_ordering else ()
    )
    if not order or not isinstance(order[0], str):
        return 0
    name = order[0].removeprefix("-")
    if name not in ("pk", rows.model._meta.pk.name):
        return 0
    return -1 if order[0].startswith("-") else 1


class BoundedChangeList(ChangeList):
    """Sorted only by columns that may be sorted by, and every page by way of the paginator."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.multi_page:
            self.result_list = self.paginator.page(1).object_list

    def get_ordering(self, request: HttpRequest, queryset: QuerySet) -> list[str]:
        """Where a span of days is asked for, its column is the order: walking from the newest row to the days of an old
        month would pass by nearly the whole table."""
        order = super().get_ordering(request, queryset)
        if ORDER_VAR in self.params or not ways_of(self.model):
            return order
        asked = (name for name in sorted_by_index(self.model) if _asks_for_span(request, name))
        first = next(asked, None)
        return [f"-{first}", "-pk"] if first else order

    def get_ordering_field(self, field_name: Any) -> Any:
        if self.sortable_by is not None and field_name not in self.sortable_by:
            return None
        return super().get_ordering_field(field_name)


def _asks_for_span(request: HttpRequest, column: str) -> bool:
    return any(
        name.startswith((f"{column}_from", f"{column}_to")) and value for name, value in request.GET.items()
    )


def sorted_by_index(model: type[Model]) -> frozenset[str]:
    """The model's own columns that an index begins with."""
    meta = model._meta
    alone = {each.name for each in meta.concrete_fields if _indexed(each) and not each.is_relation}
    first = {each.fields[0].removeprefix("-") for each in meta.indexes if each.fields and not each.condition}
    unique = {each.fields[0] for each in meta.total_unique_constraints if each.fields}
    own = {each.name for each in meta.concrete_fields if not each.is_relation}
    spans = {name for name, way in ways_of(model).items() if way == "SPAN"}
    return frozenset(alone | spans | ((first | unique) & own))


def _indexed(field: Field) -> bool:
    return bool(field.primary_key or field.unique or field.db_index)  # type: ignore[attr-defined]


class BoundedLists:
    """An admin list whose pages cost the same whatever the table's size.

    Models that say how they are searched (`SEARCHED`) are the large ones: they are searched by index, and sorted only
    by columns that an index begins with.
    """

    paginator = BoundedPaginator

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return BoundedChangeList

    def get_sortable_by(self, request: HttpRequest) -> Any:
        sortable = super().get_sortable_by(request)  # type: ignore[misc]
        if not ways_of(self.model):  # type: ignore[attr-defined]
            return sortable
        served = sorted_by_index(self.model)  # type: ignore[attr-defined]
        return [name for name in sortable if self._sort_column(name) in served]

    def _sort_column(self, name: str) -> str:
        shown = getattr(self, name, None)
        return str(getattr(shown, "admin_order_field", name)).removeprefix("-")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        if not ways_of(self.model):  # type: ignore[attr-defined]
            return super().get_search_results(request, queryset, search_term)  # type: ignore[misc]
        return find(queryset, search_term, self.get_search_fields(request), request.user), False  # type: ignore[attr-defined]
