"""Read-only pages: plans, approvals, and what platforms hold."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.decorators import display

from governance.admin_base import (
    LedgerAdmin,
    admin_link,
    is_list,
    mono,
    related,
)
from governance.list_filters import one_of
from governance.platforms import Platform
from trafficking.admin_parts import REVIEW_BADGES
from trafficking.change_lines import TYPE_WORDS
from trafficking.models import Approval, Plan, PlatformObject


@admin.register(Plan)
class PlanAdmin(LedgerAdmin):
    empty_hint = _("A plan is compiled when a ticket is submitted and passes QA.")
    list_display = (
        "digest_shown",
        "ticket_link",
        "platform",
        "api_version",
        "convention_shown",
        "created_at",
    )
    list_filter = (one_of("platform", Platform.choices), ("created_at", RangeDateFilter))
    search_fields = ("digest", "ticket__campaign__name")
    list_select_related = ("ticket__campaign", "ticket__channel", "convention")
    ordering = ("-id",)
    fieldsets = ((None, {"fields": ("ticket", "digest", "platform", "api_version", "convention")}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request)
        return rows.defer("operations") if is_list(request) else rows

    @admin.display(description=_("Digest"), ordering="digest")
    def digest_shown(self, row: Plan) -> SafeString | str:
        return mono(row.digest[:12])

    @admin.display(description=_("Ticket"), ordering="ticket")
    def ticket_link(self, row: Plan) -> SafeString | str:
        return admin_link(row.ticket)

    @admin.display(description=_("Convention"), ordering="convention__number")
    def convention_shown(self, row: Plan) -> str:
        return f"v{row.convention.number}"


@admin.register(Approval)
class ApprovalAdmin(LedgerAdmin):
    empty_hint = _("Approvals and rejections stand here once someone has decided on a plan.")
    list_display = ("ticket_link", "decision_badge", "by", "at", "plan_link", "comment")
    list_filter = ("decision", *related("by"), ("at", RangeDateFilter))
    search_fields = ("ticket__campaign__name", "comment", "by__username")
    list_select_related = ("ticket__campaign", "ticket__channel", "by", "plan")
    ordering = ("-id",)
    fieldsets = ((None, {"fields": ("ticket", "plan", "decision", "by", "at", "comment")}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request)
        return rows.defer("plan__operations") if is_list(request) else rows

    @admin.display(description=_("Ticket"), ordering="ticket")
    def ticket_link(self, row: Approval) -> SafeString | str:
        return admin_link(row.ticket)

    @display(
        description=_("Decision"), ordering="decision", label={"APPROVED": "success", "REJECTED": "danger"}
    )
    def decision_badge(self, row: Approval) -> tuple[str, str]:
        return row.decision, row.get_decision_display()

    @admin.display(description=_("Plan"))
    def plan_link(self, row: Approval) -> SafeString | str:
        return admin_link(row.plan)


@admin.register(PlatformObject)
class PlatformObjectAdmin(LedgerAdmin):
    empty_hint = _("What platforms hold stands here after a deployment.")
    list_display = (
        "external_shown", "object_type", "name", "state_badge", "review_badge", "ticket_link", "ad_account", "created_at",
    )  # fmt: skip
    list_filter = (
        one_of("object_type", TYPE_WORDS.items()), "status", "review", *related("ad_account"), ("created_at", RangeDateFilter)
    )  # fmt: skip
    search_fields = ("external_id", "name", "ticket__campaign__name")
    list_select_related = ("ticket__campaign", "ticket__channel", "ad_account")
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ("external_id", "object_type", "name", "ticket", "ad_account")}),
        (
            _("As last read"),
            {"fields": ("status", "review", "review_reasons", "delivery", "live_at", "live")},
        ),
        (
            _("Last applied"),
            {"fields": ("ref", "intent", "api_version", "applied_status", "held_back", "applied", "adopted")},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request)
        return (
            rows.defer("applied", "live", "adopted", "settled", "ad_account__credentials")
            if is_list(request)
            else rows
        )

    @display(
        description=_("Status"),
        ordering="status",
        label={"ACTIVE": "success", "PAUSED": "info", "ARCHIVED": ""},
    )
    def state_badge(self, row: PlatformObject) -> Any:
        return (row.status, row.get_status_display()) if row.status else None

    @display(description=_("Review"), ordering="review", label=REVIEW_BADGES)
    def review_badge(self, row: PlatformObject) -> Any:
        return (row.review, row.get_review_display()) if row.review else None

    @admin.display(description=_("Platform id"), ordering="external_id")
    def external_shown(self, row: PlatformObject) -> SafeString | str:
        return mono(row.external_id)

    @admin.display(description=_("Ticket"), ordering="ticket")
    def ticket_link(self, row: PlatformObject) -> SafeString | str:
        return admin_link(row.ticket)
