"""/imports: the walk of an import over the API: upload, name the columns, read every error, write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.generics import get_object_or_404
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.models import ImportRun
from governance.api.errors import Problem, field_problem
from governance.api.fields import DayField
from governance.api.serializers import StrictBody
from governance.api.viewsets import ApiView, RowsView
from governance.findings import Finding
from governance.tables import Refused, Source
from trafficking.api import FindingBody, _refused, _source
from trafficking.imports import preview, runs, storage
from trafficking.imports.kinds import KIND_CHOICES


class UploadBody(StrictBody):
    kind = serializers.ChoiceField(choices=KIND_CHOICES, help_text="What the rows of the file are.")
    file = serializers.FileField(help_text="CSV, XLSX or JSON.")
    creatives = serializers.FileField(required=False, help_text="Of a plan: the creative sheet.")
    start_on = DayField(
        required=False, help_text="Of a plan: moves all flights so that the first begins on this day."
    )
    market = serializers.CharField(
        required=False, max_length=12, help_text="Of a plan: code, where lines name none."
    )


class ColumnsBody(StrictBody):
    columns = serializers.DictField(
        child=serializers.DictField(child=serializers.CharField(allow_blank=True, max_length=80)),
        help_text='By part, key of a column → our column, "" to ignore it: {"file": {"budget_(net)": "cost_media"}}.',
    )  # fmt: skip
    save_as = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=80, help_text="Keep it for files with the same headers."
    )  # fmt: skip
    shared = serializers.BooleanField(
        required=False, default=False, help_text="For everybody who imports such files."
    )


class ImportRunBody(serializers.ModelSerializer):
    id = serializers.UUIDField(source="public_id", read_only=True)
    files = serializers.DictField(
        read_only=True, help_text="Part → name, headers, keys, columns, first values."
    )
    progress = serializers.SerializerMethodField(help_text="step, done and total while it is worked on.")

    class Meta:
        model = ImportRun
        fields = (
            "id", "kind", "state", "file_name", "file_sha256", "files", "options", "counts", "error_count",
            "warning_count", "reason", "progress", "created_at", "updated_at", "ended_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_progress(self, row: ImportRun) -> dict[str, Any]:
        return storage.read_progress(row) if row.is_working else {}


class ImportedBody(ImportRunBody):
    names = serializers.SerializerMethodField(help_text="The names that would be or were built, up to 5,000.")
    findings = serializers.SerializerMethodField(
        help_text="Errors and warnings, the first 1,000; all are in the corrected file."
    )
    lines = serializers.SerializerMethodField(help_text="Of a plan: each line with its ticket.")

    class Meta(ImportRunBody.Meta):
        fields = (*ImportRunBody.Meta.fields, "names", "findings", "lines")  # type: ignore[assignment]
        read_only_fields = fields  # type: ignore[assignment]

    def get_names(self, row: ImportRun) -> list[str]:
        return row.report.get("names", [])

    def get_findings(self, row: ImportRun) -> list[dict[str, Any]]:
        found = [Finding.from_dict(each) for each in row.report.get("findings", [])[:1000]]
        return [each.as_report() for each in found]

    def get_lines(self, row: ImportRun) -> list[dict[str, Any]]:
        return row.report.get("lines", [])


@extend_schema_view(list=extend_schema(responses=ImportRunBody(many=True)))
class ImportRunView(RowsView):
    """One's own imports. POST uploads a file: small ones are checked at once, larger ones by a worker (poll `state`)."""

    permission_model = ImportRun
    serializer_class = ImportedBody
    parser_classes = (MultiPartParser,)  # type: ignore[assignment]
    http_method_names = ("get", "head", "post")
    filter_backends: Any = ()

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        page = self.paginate_queryset(self.get_queryset().defer("report"))
        return self.get_paginated_response(ImportRunBody(page, many=True).data)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(ImportedBody(self.find()).data)

    @extend_schema(request={"multipart/form-data": UploadBody}, responses={201: ImportedBody})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        given = UploadBody(data=request.data).values_or_raise()
        if given["kind"] != "plan" and any(given.get(name) for name in ("creatives", "start_on", "market")):
            raise field_problem(
                "kind", "only_plans", _("Only a plan has a creative sheet, a first day or a market.")
            )
        sources: dict[str, Source] = {}
        start_on = given.get("start_on")
        options = {"start_on": start_on.isoformat() if start_on else "", "market": given.get("market", "")}
        try:
            sources = {name: _source(given[name]) for name in ("file", "creatives") if given.get(name)}
            run = runs.start_import(
                owner=request.user, kind=given["kind"], uploads=sources,
                options={name: value for name, value in options.items() if value},
            )  # fmt: skip
        except Refused as unreadable:
            raise _refused(unreadable.findings) from None
        location = reverse("api-import-run-detail", args=[run.public_id])
        return Response(
            ImportedBody(run).data, status=status.HTTP_201_CREATED, headers={"Location": location}
        )


class ImportStepView(ApiView):
    """One step of the person's import in the URL."""

    permission_model = ImportRun

    def find(self, request: Request, id: str) -> ImportRun:
        return get_object_or_404(
            ImportRun.objects.visible_to(request.user).select_related("owner"), public_id=id
        )

    def _done(self, request: Request, id: str, service: Callable[..., ImportRun], **given: Any) -> Response:
        try:
            run = service(run=self.find(request, id), **given)
        except ValidationError as refused:
            if hasattr(refused, "error_dict"):
                raise
            raise Problem(
                409, refused.error_list[0].code or "wrong_status", " ".join(refused.messages)
            ) from None
        return Response(ImportedBody(run).data)


class ImportColumnsView(ImportStepView):
    @extend_schema(request=ColumnsBody, responses=ImportedBody, operation_id="imports_columns")
    def post(self, request: Request, id: str) -> Response:
        """Say what the columns mean, and check the file."""
        given = ColumnsBody(data=request.data).values_or_raise()
        named = given.pop("columns")
        return self._done(request, id, runs.name_columns, named=named, **given)


class ImportCheckView(ImportStepView):
    @extend_schema(request=None, responses=ImportedBody, operation_id="imports_check")
    def post(self, request: Request, id: str) -> Response:
        """Check the same file again."""
        return self._done(request, id, runs.check_again)


class ImportWriteView(ImportStepView):
    @extend_schema(request=None, responses=ImportedBody, operation_id="imports_write")
    def post(self, request: Request, id: str) -> Response:
        """Import what was checked and has no error; everything or nothing."""
        return self._done(request, id, runs.write_import)


class ImportCancelView(ImportStepView):
    @extend_schema(request=None, responses=ImportedBody, operation_id="imports_cancel")
    def post(self, request: Request, id: str) -> Response:
        """Before it is written."""
        return self._done(request, id, runs.cancel_import)


class ImportCellBody(serializers.Serializer):
    header = serializers.CharField(allow_blank=True)
    column = serializers.CharField(allow_blank=True, help_text="Our column; empty: ignored.")
    text = serializers.CharField(allow_blank=True)
    proposal = serializers.CharField(allow_blank=True, help_text="What the corrected file says instead.")
    findings = FindingBody(many=True)


class ImportRowBody(serializers.Serializer):
    row = serializers.IntegerField()
    findings = FindingBody(many=True, help_text="About the row as a whole.")
    cells = ImportCellBody(many=True)


_PART = OpenApiParameter("part", str, enum=["file", "creatives"], description="Default: file.")


class ImportRowsView(ImportStepView):
    @extend_schema(
        parameters=[_PART, OpenApiParameter("page", int), OpenApiParameter("rows", str, enum=["told", "all"])],
        responses=ImportRowBody(many=True), operation_id="imports_rows",
    )  # fmt: skip
    def get(self, request: Request, id: str) -> Response:
        """The preview: 50 rows a page with what is wrong at each cell; `rows=told` only those with findings."""
        part = self._part(request, id)
        text = request.query_params.get("page", "1")
        page = int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 8 else 0
        if page < 1:
            raise field_problem("page", "invalid", _("A page is a number from 1."))
        rows = part.page(page, only_told=request.query_params.get("rows") == "told")
        return Response([self._row(part, row) for row in rows])

    def _part(self, request: Request, id: str) -> preview.PartPreview:
        parts = preview.preview_of(self.find(request, id))
        return parts.get(request.query_params.get("part", "file")) or parts["file"]

    def _row(self, part: preview.PartPreview, row: preview.PreviewRow) -> dict[str, Any]:
        cells = [
            {"header": header, "column": name, "text": cell.text, "proposal": cell.proposal,
             "findings": [each.as_report() for each in cell.said]}
            for (header, name), cell in zip(part.headers, row.cells, strict=True)
        ]  # fmt: skip
        return {"row": row.number, "findings": [each.as_report() for each in row.said], "cells": cells}


class CorrectedFileView(ImportStepView):
    @extend_schema(
        parameters=[_PART, OpenApiParameter("as", str, enum=["csv", "xlsx"], description="Default: csv.")],
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY}, operation_id="imports_corrected",
    )  # fmt: skip
    def get(self, request: Request, id: str) -> HttpResponse:
        """The file as it was sent, with its errors at each row and what is clear put right."""
        from trafficking.admin_imports import download

        run = self.find(request, id)
        part, file_format = request.query_params.get("part", "file"), request.query_params.get("as", "csv")
        if part not in run.files or file_format not in ("csv", "xlsx") or run.files_gone_at is not None:
            raise Problem(404, "not_found", _("There is no such file any more."))
        made = preview.corrected(run, part, file_format)
        return download(made.name, made.data)
