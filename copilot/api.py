"""/guidelines and /rag/search: what brands wrote, and what of it answers a question."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from copilot.guidelines.library import add_document, delete_document, may_change
from copilot.models import GuidelineDocument
from copilot.search import engine
from governance.api.errors import Problem, fields_of_model, invalid
from governance.api.fields import PersonField, PlatformField, ReferenceField
from governance.api.filters import GovernedFilters, ReferenceFilter
from governance.api.serializers import GovernedBody, StrictBody
from governance.api.viewsets import ApiView, RowsView
from governance.models import Brand
from governance.platforms import Platform


class GuidelineBody(GovernedBody):
    brand = ReferenceField(Brand, read_only=True, allow_null=True)
    uploaded_by = PersonField(read_only=True, allow_null=True)
    problems = serializers.SerializerMethodField(help_text="What could not be read, and what to do about it.")

    class Meta:
        model = GuidelineDocument
        fields = (
            "id", "brand", "platform", "title", "file_name", "sha256", "size", "state", "progress", "problems", "pages", "passages",
            "indexed_at", "uploaded_by", "version", "archived_at", "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_problems(self, row: GuidelineDocument) -> list[dict[str, Any]]:
        return [each.as_report() for each in row.all_problems]


class GuidelineUploadBody(StrictBody):
    file = serializers.FileField(help_text="PDF, Markdown, text or DOCX (multipart).")
    brand = ReferenceField(Brand, required=False, help_text="Code or id; without it, it is for every brand.")
    platform = PlatformField(
        choices=Platform.choices, required=False, help_text="Only for tickets on this platform."
    )
    title = serializers.CharField(
        required=False, max_length=200, help_text="What people call it; the file's own, if not given."
    )


class GuidelineFilters(GovernedFilters):
    brand = ReferenceFilter(Brand, "brand")

    class Meta:
        model = GuidelineDocument
        fields = ("platform", "state", "sha256", "file_name")


@extend_schema_view(list=extend_schema(responses=GuidelineBody(many=True)))
class GuidelineView(RowsView):
    permission_model = GuidelineDocument
    serializer_class = GuidelineBody
    parser_classes = (MultiPartParser,)
    filterset_class = GuidelineFilters
    search_fields = ("title", "file_name")
    ordering_fields = ("file_name", "size", "updated_at")

    def list_queryset(self) -> QuerySet:
        return self.get_queryset().select_related("brand", "uploaded_by")

    @extend_schema(
        request={"multipart/form-data": GuidelineUploadBody},
        responses={201: OpenApiResponse(GuidelineBody, "It is being read."),
                   200: OpenApiResponse(GuidelineBody, "It replaces the file of that name, or is that very file.")},
    )  # fmt: skip
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Bring a file in. A worker reads it: `state` and `progress` tell how far it is. The same name replaces."""
        given = GuidelineUploadBody(
            data=request.data, context=self.get_serializer_context()
        ).values_or_raise()
        file = given.pop("file")
        try:
            added = add_document(name=file.name, content=file.read(), by=request.user, **given)
        except DjangoValidationError as refused:
            raise invalid(fields_of_model(refused)) from None
        row = self.list_queryset().get(pk=added.row.pk)
        response = self.shown(row, status.HTTP_201_CREATED if added.what == "new" else status.HTTP_200_OK)
        response["Location"] = f"{request.build_absolute_uri(request.path).rstrip('/')}/{row.public_id}"
        return response

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Take it out of everything: file, passages and vectors."""
        row = self.find()
        if not may_change(request.user, row.brand_id):
            raise Problem(403, "forbidden", _("Guidelines of this brand are not yours to change."))
        try:
            delete_document(row=row, by=request.user)
        except DjangoValidationError as refused:
            raise Problem(503, "store_down", " ".join(refused.messages)) from None
        return Response(status=status.HTTP_204_NO_CONTENT)


class SearchBody(StrictBody):
    query = serializers.CharField(
        max_length=4000, help_text="A question or some words, in any of 16 languages."
    )
    top_k = serializers.IntegerField(
        min_value=1, max_value=engine.MOST_RESULTS, required=False, default=5, help_text="At most so many."
    )
    brand = ReferenceField(
        Brand, required=False, allow_null=True,
        help_text="Code or id: its documents and those for every brand. Without it, all that the caller may see.",
    )  # fmt: skip


class ResultBody(serializers.Serializer):
    text = serializers.CharField()
    score = serializers.FloatField(
        help_text="0 to 1. The first one's: how sure it is that the documents answer this."
    )
    document = serializers.CharField(help_text="The file's name.")
    title = serializers.CharField()
    page = serializers.IntegerField(allow_null=True, help_text="From 1; null where the file has no pages.")
    section = serializers.CharField(help_text="The headings above it, outer first.")


class SearchAnswerBody(serializers.Serializer):
    results = ResultBody(many=True)
    mode = serializers.ChoiceField(choices=["local", "remote"], help_text="remote: OpenAI and Pinecone.")
    note = serializers.CharField(
        help_text="Why it is not remote although keys are set: down, over_budget, store_down."
    )


class SearchView(ApiView):
    permission_model = GuidelineDocument
    action_permissions = {None: "copilot.view_guidelinedocument"}  # type: ignore[dict-item]
    idempotent = False

    @extend_schema(request=SearchBody, responses={200: SearchAnswerBody}, operation_id="rag_search")
    def post(self, request: Request) -> Response:
        """Passages of guidelines that answer a question, best first; none where nothing is relevant."""
        given = SearchBody(data=request.data, context={"request": request, "view": self}).values_or_raise()
        rows = GuidelineDocument.objects.visible_to(request.user)
        if given.get("brand") is not None:
            rows = rows.filter(Q(brand=None) | Q(brand=given["brand"]))
        found = engine.search(rows, given["query"], given.get("top_k", 5))
        results = [{name: getattr(each, str(name)) for name in ResultBody().fields} for each in found.results]
        return Response({"results": results, "mode": found.mode, "note": found.note})
