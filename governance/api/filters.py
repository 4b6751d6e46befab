"""Filters of lists: wrong values and unknown parameters are errors, not empty lists."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import django_filters
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters.fields import IsoDateTimeField
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from rest_framework.filters import SearchFilter
from rest_framework.request import Request

from governance.api import pagination
from governance.api.errors import field_problem
from governance.api.fields import find_row
from governance.platforms import platform_key
from governance.search_indexes import ways_of
from governance.searching import find

_ALWAYS = pagination.PARAMETERS | {"search", "format"}


class StrictFilters(DjangoFilterBackend):
    def filter_queryset(self, request: Request, queryset: QuerySet, view: Any) -> QuerySet:
        own = view.filterset_class.base_filters if view.filterset_class else {}
        known = _ALWAYS | set(own)
        for name, value in request.query_params.items():
            if isinstance(own.get(name), django_filters.BooleanFilter) and value not in ("true", "false"):
                raise field_problem(name, "invalid", _("Write true or false."))
            if name not in known:
                text = _("There is no filter of that name. Known are: %(known)s.") % {
                    "known": ", ".join(sorted(known))
                }
                raise field_problem(name[:80], "unknown_parameter", text)
        return super().filter_queryset(request, queryset, view)


class IndexedSearch(SearchFilter):
    """`?search=`: large tables are searched as the admin's lists are, by words that an index finds."""

    def filter_queryset(self, request: Request, queryset: QuerySet, view: Any) -> QuerySet:
        text = request.query_params.get(self.search_param, "")
        if not ways_of(queryset.model):
            return super().filter_queryset(request, queryset, view)
        return find(queryset, text, view.search_fields, request.user) if text.strip() else queryset


FILTERS = [StrictFilters, IndexedSearch]


class ReferenceFilter(django_filters.CharFilter):
    """`?brand=DIS` or `?brand=<public id>`; what the person can't see is answered like what there is not."""

    def __init__(self, model: type[Any], field_name: str, **options: Any) -> None:
        self.referred = model  # `model` is the list's own, set by the filter set
        super().__init__(field_name=field_name, **options)

    def filter(self, queryset: QuerySet, value: str) -> QuerySet:
        if not value:
            return queryset
        row = find_row(self.referred, value, self.parent.request.user)
        if row is None:
            what = str(self.referred._meta.verbose_name)
            text = _("There is no %(what)s '%(text)s' that is yours.") % {"what": what, "text": value[:80]}
            raise field_problem(self._parameter(), "does_not_exist", text)
        return super().filter(queryset, row)

    def _parameter(self) -> str:
        return next(name for name, each in self.parent.filters.items() if each is self)


class MomentField(IsoDateTimeField):
    """A moment in UTC: PostgreSQL refuses offsets from 16 hours on, which ISO 8601 allows."""

    def clean(self, value: Any) -> datetime | None:
        given = super().clean(value)
        try:
            return given and given.astimezone(UTC)
        except OverflowError:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None


class MomentFilter(django_filters.IsoDateTimeFilter):
    field_class = MomentField


class GovernedFilters(FilterSet):
    """Every list leaves archived rows out unless it is asked for them."""

    archived = django_filters.BooleanFilter(
        method="by_archived", help_text="true: only archived rows. Without it: none of them."
    )
    changed_since = MomentFilter(field_name="updated_at", lookup_expr="gte")

    def __init__(self, data: Any = None, *args: Any, **options: Any) -> None:
        """`platform=google` asks for google_ads, as at every door."""
        if data and "platform" in self.base_filters and (key := platform_key(data.get("platform", ""))):
            data = data.copy()
            data["platform"] = key
        super().__init__(data, *args, **options)

    def by_archived(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        return queryset.filter(archived_at__isnull=not value)

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        found = super().filter_queryset(queryset)
        return (
            found
            if self.form.cleaned_data.get("archived") is not None
            else found.filter(archived_at__isnull=True)
        )
