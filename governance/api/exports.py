"""POST /exports: any list of the admin as a file, by the same rules as its Export button."""

from __future__ import annotations

import copy
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.urls import resolve
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from governance.api.errors import Problem, field_problem
from governance.api.serializers import StrictBody
from governance.api.viewsets import ApiView
from governance.exports import ExportsLists, TooManyRows
from governance.models import Brand


class ExportBody(StrictBody):
    list = serializers.CharField(
        max_length=80, help_text="App and model: campaigns.campaign, trafficking.ticket."
    )
    file_format = serializers.ChoiceField(choices=["csv", "xlsx"], required=False, default="csv")
    columns = serializers.CharField(
        max_length=20, required=False, default="list", help_text="list, all; of campaigns also table, to import again."
    )  # fmt: skip
    query = serializers.CharField(
        max_length=2000, required=False, default="", allow_blank=True,
        help_text="The list's query string, as its address has it: q=moana&status__exact=DRAFT.",
    )  # fmt: skip


class ExportView(ApiView):
    """Who may see the list may have it as a file: their own rows, no secrets, at most EXPORT_MAX_ROWS."""

    permission_model = Brand
    action_permissions = {None: "governance.view_brand"}  # type: ignore[dict-item]  # every role; the list asks for its own
    idempotent = False  # the answer is a file

    @extend_schema(
        request=ExportBody, operation_id="exports_create",
        responses={(200, "text/csv"): OpenApiTypes.BINARY},
        examples=[OpenApiExample("Draft campaigns", request_only=True, value={
            "list": "campaigns.campaign", "file_format": "csv", "columns": "table", "query": "status__exact=DRAFT"})],
    )  # fmt: skip
    def post(self, request: Request) -> HttpResponseBase:
        """A list as CSV or XLSX."""
        given = ExportBody(data=request.data).values_or_raise()
        page = self._page(request, given["list"])
        asked = _asked(request, page, given["query"])
        if given["columns"] not in {choice.key for choice in page.export_choices(asked)}:
            raise field_problem("columns", "unknown", _("The list has no such columns."))
        try:
            return page.exported(asked, given["file_format"], given["columns"])
        except TooManyRows as refused:
            raise field_problem("query", "too_many_rows", " ".join(refused.messages)) from None
        except (IncorrectLookupParameters, SuspiciousOperation):
            raise field_problem("query", "unknown_filter", _("The list has no such filter.")) from None

    def _page(self, request: Request, label: str) -> Any:
        for model, page in admin.site._registry.items():
            if model._meta.label_lower == label.lower() and isinstance(page, ExportsLists):
                if not page.has_view_permission(request):  # type: ignore[attr-defined]
                    raise Problem(403, "permission_denied", _("The list is not yours to see."))
                return page
        raise field_problem("list", "unknown", _("There is no such list."))


def _asked(request: Request, page: Any, query: str) -> HttpRequest:
    """As if the list had been opened with this query string."""
    asked = copy.copy(request._request)
    asked.GET = QueryDict(query)
    asked.user = request.user
    asked.resolver_match = resolve(page.export_url())
    return asked
