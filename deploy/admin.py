"""Deploy: the ledger of runs and calls. Read here, written by the engine only."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.decorators import display

from deploy import admin_stops, admin_watch  # noqa: F401  (register their own pages)
from deploy.models import Deployment, Operation
from deploy.proof_view import page_context
from deploy.ticket_panels import CALL_BADGES, STATE_BADGES
from governance.access import reach_of
from governance.admin_base import LedgerAdmin, PlainLedgerAdmin, admin_link, is_list, mono, related
from governance.list_filters import one_of
from trafficking.change_lines import TYPE_WORDS

#: Those that platforms answer with.
HTTP_STATUSES = [
    (code, f"{code} {HTTPStatus(code).phrase}") for code in (200, 400, 401, 403, 404, 409, 429, 500, 502, 503)
]


@admin.register(Deployment)
class DeploymentAdmin(LedgerAdmin):
    empty_hint = _("A run stands here once an approved ticket has been deployed.")
    list_display = (
        "task",
        "ticket_link",
        "state_badge",
        "requested_by",
        "created_at",
        "finished_at",
        "reason_shown",
    )
    list_filter = (
        "state",
        *related("ticket__campaign", "ticket__channel", "requested_by"),
        ("created_at", RangeDateFilter),
    )
    search_fields = ("public_id", "ticket__campaign__name", "reason")
    list_select_related = ("ticket__campaign", "ticket__channel", "requested_by")
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ("ticket", "plan", "kind", "state", "reason", "requested_by")}),
        (
            _("When"),
            {
                "fields": (
                    "not_before",
                    "started_at",
                    "finished_at",
                    "next_try_at",
                    "enqueued_at",
                    "lease_owner",
                    "lease_until",
                )
            },
        ),
    )

    def get_urls(self) -> list[URLPattern]:
        proof = self.admin_site.admin_view(self.proof_view)
        return [path("<path:object_id>/proof/", proof, name="deploy_deployment_proof"), *super().get_urls()]

    def proof_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The QA document, to be printed."""
        row = self.row_or_404(request, object_id)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        back = reverse("admin:trafficking_ticket_change", args=[row.ticket_id])
        return TemplateResponse(request, "deploy/proof.html", {**page_context(row), "back": back})

    @admin.display(description=_("Task id"), ordering="public_id")
    def task(self, row: Deployment) -> SafeString | str:
        return mono(row.public_id)

    @admin.display(description=_("Ticket"), ordering="ticket")
    def ticket_link(self, row: Deployment) -> SafeString | str:
        return admin_link(row.ticket)

    @display(description=_("State"), ordering="state", label=STATE_BADGES)
    def state_badge(self, row: Deployment) -> tuple[str, str]:
        return row.state, row.get_state_display()

    @admin.display(description=_("Why it stands there"))
    def reason_shown(self, row: Deployment) -> str:
        return row.reason if len(row.reason) <= 90 else f"{row.reason[:89]}…"


@admin.register(Operation)
class OperationAdmin(PlainLedgerAdmin):
    empty_hint = _("Each call to a platform stands here once a ticket has been deployed.")
    list_display = (
        "what",
        "state_badge",
        "object_type",
        "ticket_link",
        "http_status",
        "attempts",
        "answered_at",
    )
    list_filter = (
        "state", one_of("object_type", TYPE_WORDS.items()), one_of("http_status", HTTP_STATUSES), ("updated_at", RangeDateFilter)
    )  # fmt: skip
    search_fields = (
        "name",
        "error",
        "error_code",
        "deployment__ticket__campaign__name",
        "deployment__public_id",
    )
    list_select_related = ("deployment__ticket__campaign", "deployment__ticket__channel")
    readonly_fields = ("api_version",)
    ordering = ("-key",)
    fieldsets = (
        (None, {"fields": ("deployment", "position", "ref", "action", "object_type", "name", "state")}),
        (
            _("Platform"),
            {
                "fields": (
                    "api_version",
                    "external_ids",
                    "http_status",
                    "error_code",
                    "error",
                    "error_field",
                    "response",
                )
            },
        ),
        (_("When"), {"fields": ("attempts", "waits", "sent_at", "answered_at", "updated_at")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        campaign = "deployment__ticket__campaign__"
        rows = (
            super()
            .get_queryset(request)
            .filter(reach_of(request.user).within((f"{campaign}brand_id", f"{campaign}market_id")))
        )
        return rows.defer("response") if is_list(request) else rows

    @admin.display(description=_("API version"))
    def api_version(self, row: Operation) -> str:
        return row.deployment.plan.api_version

    @admin.display(description=_("Call"), ordering="position")
    def what(self, row: Operation) -> str:
        return str(row)

    @admin.display(description=_("Ticket"))
    def ticket_link(self, row: Operation) -> SafeString | str:
        return admin_link(row.deployment.ticket)

    @display(description=_("State"), ordering="state", label=CALL_BADGES)
    def state_badge(self, row: Operation) -> tuple[str, Any]:
        return row.state, row.get_state_display()
