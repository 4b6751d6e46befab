"""/saved-views: filters of the lists and the board, by name."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from governance import saved_views
from governance.api.errors import Problem
from governance.api.fields import PersonField
from governance.api.filters import GovernedFilters
from governance.api.serializers import GovernedBody
from governance.api.viewsets import GovernedView
from governance.models import SavedView


class SavedViewBody(GovernedBody):
    owner = PersonField(read_only=True)

    class Meta:
        model = SavedView
        fields = (
            "id",
            "page",
            "name",
            "query",
            "shared",
            "owner",
            "version",
            "archived_at",
            "created_at",
            "updated_at",
        )
        read_only_fields = ("owner", "archived_at", "created_at", "updated_at")


class SavedViewFilters(GovernedFilters):
    class Meta:
        model = SavedView
        fields = ("page", "shared")


_EXAMPLE = {"page": "tickets", "name": "To mend", "query": "status__exact=QA_FAILED", "shared": False}


@extend_schema_view(
    create=extend_schema(examples=[OpenApiExample("To mend", value=_EXAMPLE, request_only=True)]),
)
class SavedViewView(GovernedView):
    """Your own and shared ones; each is changed by its owner. A view shows nobody a row that is not theirs."""

    permission_model = SavedView
    serializer_class = SavedViewBody
    filterset_class = SavedViewFilters
    search_fields = ("name",)
    ordering_fields = ("name", "updated_at")
    action_permissions: ClassVar[dict[str, str]] = {
        "open_with": "governance.view_savedview", "open_with_all": "governance.view_savedview",
    }  # fmt: skip

    def list_queryset(self) -> QuerySet:
        return self.get_queryset().select_related("owner")

    def require_reach(self, row: SavedView) -> None:
        if row.owner_id != self.request.user.pk:
            raise Problem(403, "not_yours", _("It is somebody else's: save one of your own."))

    def save(self, row: SavedView, values: dict[str, Any]) -> SavedView:
        if row._state.adding:
            row.owner = self.request.user
        return saved_views.change_view(view=row, by=self.request.user, **values)

    def remove(self, row: SavedView) -> None:
        saved_views.delete_view(view=row, by=self.request.user)

    @extend_schema(request=None, responses={204: None})
    @action(detail=True, methods=["post"], url_path="open-with")
    def open_with(self, request: Request, **kwargs: Any) -> Response:
        """Your page opens with this view from now on."""
        saved_views.open_with(view=self.find(), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses={204: None})
    @action(detail=True, methods=["post"], url_path="open-with-all")
    def open_with_all(self, request: Request, **kwargs: Any) -> Response:
        """The page of this view opens with all rows for you again."""
        saved_views.open_with_all(by=request.user, page=self.find().page)
        return Response(status=status.HTTP_204_NO_CONTENT)
