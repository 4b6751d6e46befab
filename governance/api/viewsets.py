"""The base of all endpoints, and of those that show and change governed rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework import status, viewsets
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.actor import MOST_REASON, acting
from governance.api import idempotency
from governance.api.authentication import AUTHENTICATION
from governance.api.errors import Problem, error_envelope, field_problem, request_id
from governance.api.etags import etag_of, require_current
from governance.api.filters import FILTERS
from governance.api.pagination import NewestFirstCursor
from governance.api.permissions import RolePermission
from governance.api.schema import ApiSchema
from governance.api.serializers import GovernedBody, apply_values, defaults_of
from governance.api.strict_json import StrictJSONParser
from governance.models import IdempotencyRecord

UUID_PATTERN = "[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"


#: Why something is changed, in UTF-8; kept in the history beside the change.
REASON_HEADER = "X-Change-Reason"


def reason_of(request: Any) -> str:
    """Header values come as Latin-1 (WSGI); clients send UTF-8."""
    given = request.headers.get(REASON_HEADER, "")
    return given.encode("latin-1", "replace").decode("utf-8", "replace").replace("\x00", "").strip()


class ApiView(APIView):
    """Signed in, by role, strict JSON in and out, one envelope, Idempotency-Key, X-Request-ID."""

    authentication_classes = AUTHENTICATION
    permission_classes = (RolePermission,)
    parser_classes = (StrictJSONParser,)
    renderer_classes = (JSONRenderer,)
    metadata_class = None
    schema = ApiSchema()
    #: POSTs may carry an Idempotency-Key. Never where the answer holds a secret.
    idempotent = True
    permission_model: ClassVar[Any] = None
    #: Permissions of actions that need another one than their method says.
    action_permissions: ClassVar[dict[str, str]] = {}
    _begun: IdempotencyRecord | None = None

    def get_exception_handler(self) -> Callable[..., Response]:
        return error_envelope

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """What is changed while this is answered is changed for the reason that the header gives."""
        with acting(reason=reason_of(request)):
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if len(reason_of(request)) > MOST_REASON:
            text = _("Say why in at most %(most)s characters.") % {"most": MOST_REASON}
            raise field_problem(REASON_HEADER, "max_length", text)
        key = request.headers.get(idempotency.HEADER)
        if key is not None and request.method == "POST" and self.idempotent:
            self._begun = idempotency.begin(request, key)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        if self._begun is not None:
            idempotency.finish(self._begun, response)
        response = super().finalize_response(request, response, *args, **kwargs)
        response["X-Request-ID"] = request_id()
        response["Cache-Control"] = "no-store"
        return response


class UploadView(ApiView):
    parser_classes = (MultiPartParser,)


class NotThere(ApiView):
    """Every path below the API that is no endpoint."""

    permission_classes = ()
    authentication_classes = ()
    schema = None
    idempotent = False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise Problem(404, "not_found", _("There is no such endpoint. See /api/docs/."))


class RowsView(ApiView, viewsets.GenericViewSet):
    """Lists and single rows of `permission_model` that are the person's own."""

    filter_backends = FILTERS
    pagination_class = NewestFirstCursor
    filterset_class: ClassVar[Any] = None
    search_fields: ClassVar[tuple[str, ...]] = ()
    #: Fields that lists may be ordered by: columns that are never null.
    ordering_fields: ClassVar[tuple[str, ...]] = ()
    lookup_field = "public_id"
    lookup_url_kwarg = "id"
    lookup_value_regex = UUID_PATTERN

    def get_queryset(self) -> QuerySet:
        if getattr(self, "swagger_fake_view", False):
            return self.permission_model.objects.none()
        return self.permission_model.objects.visible_to(self.request.user)

    def list_queryset(self) -> QuerySet:
        """The rows with all that a list shows, in a fixed number of queries."""
        return self.get_queryset()

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.list_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.shown(self.find())

    def find(self) -> Any:
        """The row of the URL; 404 where it is not the person's."""
        from rest_framework.generics import get_object_or_404

        return get_object_or_404(self.list_queryset(), public_id=self.kwargs[self.lookup_url_kwarg])

    def shown(self, row: Any, status_code: int = status.HTTP_200_OK) -> Response:
        return Response(self.get_serializer(row).data, status=status_code, headers={"ETag": etag_of(row)})


class GovernedView(RowsView):
    """Rows that can be written, too. A subclass says how one is saved."""

    versioned = True

    def save(self, row: Any, values: dict[str, Any]) -> Any:
        """Apply and save through the row's service; ValidationError with the models' findings."""
        apply_values(row, values).save()
        return row

    def require_reach(self, row: Any) -> None:
        """403 where the row is seen by the person but is not theirs alone to change."""

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        values = self.get_serializer(data=request.data).values_or_raise()
        with transaction.atomic():
            row = self.save(self.permission_model(), values)
        return self._created(self.read_again(row))

    def _created(self, row: Any) -> Response:
        response = self.shown(row, status.HTTP_201_CREATED)
        response["Location"] = (
            f"{self.request.build_absolute_uri(self.request.path).rstrip('/')}/{row.public_id}"
        )
        return response

    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        row = self._to_change(request)
        body: GovernedBody = self.get_serializer(row, data=request.data)
        values = body.values_or_raise()
        return self._saved(row, {**defaults_of(body, row, values), **values})

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        row = self._to_change(request)
        return self._saved(row, self.get_serializer(row, data=request.data, partial=True).values_or_raise())

    def _to_change(self, request: Request) -> Any:
        row = self.find()
        require_current(request, row)
        self.require_reach(row)
        return row

    def _saved(self, row: Any, values: dict[str, Any]) -> Response:
        with transaction.atomic():
            row = self.save(row, values)
        return self.shown(self.read_again(row))

    def read_again(self, row: Any) -> Any:
        """The saved row as its single GET would show it. Whoever may write it may see the answer."""
        return self.list_queryset().filter(pk=row.pk).first() or row

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        row = self._to_change(request)
        with transaction.atomic():
            self.remove(row)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def remove(self, row: Any) -> None:
        row.delete()
