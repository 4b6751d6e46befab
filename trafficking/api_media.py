"""/media-files: a brand's images and videos, brought in by file or address."""

from __future__ import annotations

from typing import Any

import django_filters
from django.conf import settings
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from governance.api.errors import Problem, field_problem, fields_of_model, invalid
from governance.api.fields import PersonField, ReferenceField
from governance.api.filters import GovernedFilters, ReferenceFilter
from governance.api.serializers import GovernedBody, StrictBody
from governance.api.strict_json import StrictJSONParser
from governance.api.viewsets import RowsView
from governance.models import Brand
from trafficking.media.library import Added, add_upload, add_url
from trafficking.models import MediaFile


class MediaFileBody(GovernedBody):
    brand = ReferenceField(Brand, read_only=True)
    sha256 = serializers.CharField(read_only=True, help_text="Its content: what ads name it by (`file`).")
    duration_s = serializers.DecimalField(
        max_digits=9, decimal_places=3, read_only=True, allow_null=True,
        help_text="Seconds: of a video, or of one round of an animated image.",
    )  # fmt: skip
    uploaded_by = PersonField(read_only=True, allow_null=True)

    class Meta:
        model = MediaFile
        fields = (
            "id", "brand", "name", "sha256", "content_type", "size", "width", "height", "duration_s", "codec",
            "source_url", "uploaded_by", "version", "archived_at", "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = fields


class MediaFileUploadBody(StrictBody):
    brand = ReferenceField(Brand, help_text="Code or id.")
    file = serializers.FileField(required=False, help_text="The image or video (multipart).")
    url = serializers.CharField(
        required=False, max_length=2000, help_text="Or where to fetch it from: a public https address."
    )
    name = serializers.CharField(
        required=False, max_length=200, help_text="Another name for it; its own, if not given."
    )


class MediaFileFilters(GovernedFilters):
    brand = ReferenceFilter(Brand, "brand")
    kind = django_filters.ChoiceFilter(
        choices=[("image", "image"), ("video", "video")], method="by_kind", help_text="image or video"
    )

    class Meta:
        model = MediaFile
        fields = ("sha256", "name", "content_type")

    def by_kind(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return queryset.filter(content_type__startswith=f"{value}/")


_ADDED = "It is in the library now."
_KNOWN = "The brand had this content already: the file that it has, with the name that it has."


@extend_schema_view(list=extend_schema(responses=MediaFileBody(many=True)))
class MediaFileView(RowsView):
    permission_model = MediaFile
    serializer_class = MediaFileBody
    parser_classes = (StrictJSONParser, MultiPartParser)
    filterset_class = MediaFileFilters
    search_fields = ("name", "sha256", "source_url")
    ordering_fields = ("name", "size", "updated_at")

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        announced = request.META.get("CONTENT_LENGTH") or "0"
        if announced.isdigit() and int(announced) > settings.MEDIA_MAX_VIDEO_BYTES + 100_000:
            most = settings.MEDIA_MAX_VIDEO_BYTES // (1024 * 1024)
            raise Problem(413, "too_large", _("A file may have at most %(most)s MB.") % {"most": most})
        super().initial(request, *args, **kwargs)

    def list_queryset(self) -> QuerySet:
        return self.get_queryset().select_related("brand", "uploaded_by")

    @extend_schema(
        request={"multipart/form-data": MediaFileUploadBody, "application/json": MediaFileUploadBody},
        responses={201: OpenApiResponse(MediaFileBody, _ADDED), 200: OpenApiResponse(MediaFileBody, _KNOWN)},
        examples=[OpenApiExample("By address", value={"brand": "DIS", "url": "https://www.example.com/boat.jpg"},
                                 request_only=True, media_type="application/json")],
    )  # fmt: skip
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Bring a file in: its bytes, or a public address to fetch it from. The same content is kept once."""
        body = MediaFileUploadBody(data=request.data, context=self.get_serializer_context())
        added = self._added(body.values_or_raise())
        row = self.list_queryset().filter(pk=added.row.pk).first() or added.row
        response = self.shown(row, status.HTTP_201_CREATED if added.created else status.HTTP_200_OK)
        response["Location"] = f"{request.build_absolute_uri(request.path).rstrip('/')}/{row.public_id}"
        return response

    def _added(self, given: dict[str, Any]) -> Added:
        if ("file" in given) == ("url" in given):
            raise field_problem("file", "one_of", _("Send either the file or its url."))
        shared = {"brand": given["brand"], "by": self.request.user, "name": given.get("name", "")}
        try:
            if "file" in given:
                return add_upload(upload=given["file"], **shared)
            return add_url(url=given["url"], **shared)
        except DjangoValidationError as refused:
            fields = fields_of_model(refused)
            raise invalid(
                {("url" if name == "source_url" else name): each for name, each in fields.items()}
            ) from None
