"""POST /deploy, GET /deploy/status/{task_id}, and the list of deployments."""

from __future__ import annotations

import uuid
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext
from django_celery_results.models import TaskResult
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    extend_schema,
    extend_schema_field,
    extend_schema_view,
)
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from deploy.models import Deployment, Operation
from deploy.proof_view import as_csv, document
from deploy.services import AlreadyDeploying, open_deployment, start_deployment
from governance.api.errors import Problem, field_problem
from governance.api.fields import PersonField, ReferenceField
from governance.api.filters import GovernedFilters, ReferenceFilter
from governance.api.serializers import GovernedBody, StrictBody
from governance.api.viewsets import ApiView, RowsView
from governance.governed import StaleVersion
from governance.models import Brand, Market
from trafficking.models import Ticket
from trafficking.services import WrongStatus


class OperationBody(serializers.ModelSerializer):
    external_ids = serializers.DictField(
        child=serializers.CharField(), help_text="The platform's ids by ref."
    )

    class Meta:
        model = Operation
        fields = (
            "position", "ref", "action", "object_type", "name", "state", "attempts", "external_ids", "http_status",
            "error_code", "error", "error_field", "sent_at", "answered_at",
        )  # fmt: skip


class DeploymentBody(GovernedBody):
    task_id = serializers.UUIDField(source="public_id", read_only=True)
    ticket = ReferenceField(Ticket, read_only=True)
    digest = serializers.CharField(source="plan.digest", read_only=True)
    api_version = serializers.CharField(
        source="plan.api_version",
        read_only=True,
        help_text="Of the platform's API, which all calls were made for.",
    )
    requested_by = PersonField(read_only=True, allow_null=True)
    status_url = serializers.SerializerMethodField()

    class Meta:
        model = Deployment
        fields = (
            "id", "task_id", "ticket", "kind", "digest", "api_version", "state", "reason", "requested_by", "status_url", "next_try_at", "not_before", "started_at",
            "finished_at", "version", "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_status_url(self, row: Deployment) -> str:
        return status_url(row.public_id)


class TaskBody(serializers.Serializer):
    state = serializers.CharField(help_text="Celery's own word: PENDING, STARTED, RETRY, SUCCESS, FAILURE.")
    date_done = serializers.DateTimeField(allow_null=True)


class DeploymentStatusBody(DeploymentBody):
    ticket_status = serializers.CharField(source="ticket.status", read_only=True)
    celery = serializers.SerializerMethodField()
    operations = OperationBody(many=True, read_only=True)

    class Meta(DeploymentBody.Meta):
        fields = (*DeploymentBody.Meta.fields, "ticket_status", "celery", "operations")  # type: ignore[assignment]
        read_only_fields = fields

    @extend_schema_field(TaskBody)
    def get_celery(self, row: Deployment) -> dict[str, Any]:
        result = TaskResult.objects.filter(task_id=str(row.public_id)).only("status", "date_done").first()
        if result is None:
            return {"state": "PENDING", "date_done": None}
        return {"state": result.status, "date_done": result.date_done}


class ProofFieldBody(serializers.Serializer):
    field = serializers.CharField()  # type: ignore[assignment]
    wanted = serializers.JSONField(allow_null=True)
    live = serializers.JSONField(allow_null=True, help_text="null: the platform has nothing there.")
    agrees = serializers.BooleanField()


class ProofObjectBody(serializers.Serializer):
    type = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    external_id = serializers.CharField()
    status = serializers.CharField(allow_blank=True)
    agrees = serializers.BooleanField()
    fields = ProofFieldBody(many=True)  # type: ignore[assignment]


class ProofBody(serializers.Serializer):
    deployment = serializers.UUIDField()
    kind = serializers.CharField()
    state = serializers.CharField()
    reason = serializers.CharField(allow_blank=True)
    digest = serializers.CharField()
    platform = serializers.CharField()
    api_version = serializers.CharField()
    ticket = serializers.DictField()
    account = serializers.DictField()
    people = serializers.DictField(help_text="Who requested, approved and deployed it.")
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    proved_at = serializers.DateTimeField(allow_null=True)
    proved = serializers.BooleanField(help_text="false: nothing has been read back yet.")
    agrees = serializers.BooleanField()
    fields = serializers.IntegerField()  # type: ignore[assignment]
    differences = serializers.IntegerField()
    objects = ProofObjectBody(many=True)
    unexpected = serializers.ListField(
        child=serializers.DictField(), help_text="On the platform and in no plan."
    )


class DeployBody(StrictBody):
    ticket = serializers.UUIDField(
        help_text="The id of an approved ticket, or of one that failed, to finish it."
    )


class StartedBody(serializers.Serializer):
    task_id = serializers.UUIDField()
    status_url = serializers.CharField()


def status_url(task_id: uuid.UUID | str) -> str:
    return reverse("api-deploy-status", args=[task_id])


class DeployView(ApiView):
    permission_model = Deployment
    action_permissions = {None: "trafficking.deploy_ticket"}  # type: ignore[dict-item]

    @extend_schema(
        request=DeployBody, responses={202: StartedBody}, operation_id="deploy",
        examples=[OpenApiExample("Deploy", value={"ticket": "018f6a50-0000-4000-8000-000000000003"}, request_only=True)],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Start a deployment; it goes on in a worker. 409 with the running `task_id` where there is one already."""
        given = DeployBody(data=request.data).values_or_raise()
        tickets = Ticket.objects.visible_to(request.user).select_related(
            "campaign__brand", "campaign__market", "channel", "ad_account"
        )
        ticket = get_object_or_404(tickets, public_id=given["ticket"])
        url = status_url(_started(ticket, request.user).public_id)
        return Response(
            {"task_id": url.rsplit("/", 1)[1], "status_url": url},
            status=status.HTTP_202_ACCEPTED,
            headers={"Location": url},
        )


def _started(ticket: Ticket, by: Any) -> Deployment:
    try:
        return start_deployment(ticket=ticket, by=by)
    except AlreadyDeploying as running:
        raise _running(running.task_id) from None
    except (StaleVersion, WrongStatus):
        # of two at once the slower one meets a moved ticket: tell it what the faster one started
        running_one = open_deployment(ticket)
        if running_one is None:
            raise
        raise _running(str(running_one.public_id)) from None


def _running(task_id: str) -> Problem:
    details = {"task_id": task_id, "status_url": status_url(task_id)}
    message = str(Deployment._meta.constraints[0].violation_error_message)
    return Problem(409, "already_deploying", message, details=details)


class DeployStatusView(ApiView):
    permission_model = Deployment

    @extend_schema(responses=DeploymentStatusBody, operation_id="deploy_status")
    def get(self, request: Request, task_id: str) -> Response:
        """Where it stands, call by call, with the platform's ids and words."""
        rows = Deployment.objects.visible_to(request.user).select_related("ticket", "plan", "requested_by")
        row = rows.prefetch_related("operations").filter(public_id=task_id).first()
        if row is None:
            raise Http404
        return Response(DeploymentStatusBody(row, context={"request": request}).data)


class DeploymentFilters(GovernedFilters):
    ticket = ReferenceFilter(Ticket, "ticket")
    brand = ReferenceFilter(Brand, "ticket__campaign__brand")
    market = ReferenceFilter(Market, "ticket__campaign__market")
    state = django_filters.MultipleChoiceFilter(choices=Deployment.State.choices)

    class Meta:
        model = Deployment
        fields = ()


@extend_schema_view(list=extend_schema(responses=DeploymentBody(many=True)))
class DeploymentView(RowsView):
    permission_model = Deployment
    serializer_class = DeploymentStatusBody
    filterset_class = DeploymentFilters
    search_fields = ("ticket__campaign__name", "reason")
    ordering_fields = ("state", "updated_at")
    http_method_names = ("get", "head")

    def summaries(self) -> QuerySet:
        return self.get_queryset().select_related("ticket", "plan", "requested_by")

    def list_queryset(self) -> QuerySet:
        return self.summaries().prefetch_related("operations")

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.summaries()))
        return self.get_paginated_response(DeploymentBody(page, many=True).data)

    @extend_schema(
        responses={(200, "application/json"): ProofBody, (200, "text/csv"): OpenApiTypes.STR},
        parameters=[OpenApiParameter("as", str, enum=["json", "csv"], description="json if not given.")],
    )
    @action(detail=True, methods=["get"], filter_backends=[])
    def proof(self, request: Request, **kwargs: Any) -> HttpResponse:
        """The QA document: object by object and field by field what was wanted and what the platform has."""
        row = self.find()
        form = request.query_params.get("as", "json")
        if form not in ("json", "csv"):
            raise field_problem("as", "invalid_choice", gettext("Choose json or csv."))
        if form == "json":
            return Response(document(row))
        name = f"{row.ticket.governed_name or row.public_id}.csv"
        head = {
            "Content-Disposition": content_disposition_header(True, name),
            "X-Content-Type-Options": "nosniff",
        }
        return HttpResponse(as_csv(row), content_type="text/csv; charset=utf-8", headers=head)
