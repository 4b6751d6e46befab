"""Media plans: what was imported. How one is imported stands in `admin_imports`."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from campaigns.models import MediaPlan, MediaPlanLine
from governance import money
from governance.admin_base import EMPTY, LedgerAdmin, ReadOnlyTabularInline, admin_link, is_list, related
from trafficking import admin_imports  # noqa: F401  (registers the imports)
from trafficking.imports.templates import creative_template, plan_template


class LinesInline(ReadOnlyTabularInline):
    model = MediaPlanLine
    fields = ("position", "line_key", "campaign", "channel", "cost_shown", "rate_shown")
    readonly_fields = fields
    ordering = ("position",)
    per_page = 50
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("campaign", "channel")

    @admin.display(description=_("Media cost"))
    def cost_shown(self, row: MediaPlanLine) -> str:
        return money.shown(row.cost_media, row.cost_currency)

    @admin.display(description=_("Rate"))
    def rate_shown(self, row: MediaPlanLine) -> str:
        return rate(row)


def rate(row: MediaPlanLine) -> str:
    return EMPTY if row.rate == 1 else f"{money.plain(row.rate)} ({row.rate_source})"


@admin.register(MediaPlan)
class MediaPlanAdmin(LedgerAdmin):
    """Plans are written by importing them."""

    empty_hint = _("Import a plan: it becomes campaigns and draft tickets.")
    list_display = (
        "__str__",
        "plan_key",
        "format_badge",
        "lines_shown",
        "file_name",
        "imported_by",
        "updated_at",
    )
    list_filter = ("format", *related("imported_by"), ("created_at", RangeDateFilter))
    search_fields = ("name", "plan_key", "file_name", "file_sha256")
    list_select_related = ("imported_by",)
    date_hierarchy = "created_at"
    ordering = ("-id",)
    inlines = (LinesInline,)
    actions_list = ("upload", {"title": _("Templates"), "items": ["plan_sheet", "creative_sheet"]})
    list_before_template = "trafficking/admin/plans_before.html"
    fieldsets = (
        (None, {"fields": ("name", "plan_key", "format", "schema_version", "imported_by")}),
        (_("File"), {"fields": ("file_name", "file_sha256", "parameters")}),
        (_("Lines that are not trafficked here"), {"fields": ("reported",), "classes": ["collapse"]}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request)
        return rows.annotate(line_count=Count("lines")) if is_list(request) else rows

    def get_actions_list(self, request: HttpRequest) -> list[Any]:
        return super().get_actions_list(request) if self._may_import(request) else []

    def _may_import(self, request: HttpRequest) -> bool:
        return request.user.has_perm("campaigns.add_mediaplan")

    @display(description=_("Format"), ordering="format", label={"OMP": "primary", "TABLE": "info"})
    def format_badge(self, row: MediaPlan) -> tuple[str, str]:
        return row.format, f"{row.get_format_display()} {row.schema_version}".strip()

    @admin.display(description=_("Lines"), ordering="line_count")
    def lines_shown(self, row: Any) -> int:
        return row.line_count

    @action(
        description=_("Import a plan"), url_path="import", icon="upload_file", variant=ActionVariant.PRIMARY
    )
    def upload(self, request: HttpRequest) -> HttpResponse:
        """The walk of an import, for plans."""
        if not self._may_import(request):
            raise PermissionDenied
        return HttpResponseRedirect(reverse("admin:campaigns_importrun_upload") + "?kind=plan")

    @action(description=_("Plan (XLSX)"), url_path="plan-template", icon="download")
    def plan_sheet(self, request: HttpRequest) -> HttpResponse:
        return _workbook("media_plan.xlsx", plan_template("xlsx"))

    @action(description=_("Creatives (XLSX)"), url_path="creative-template", icon="download")
    def creative_sheet(self, request: HttpRequest) -> HttpResponse:
        return _workbook("creatives.xlsx", creative_template("xlsx"))


def _workbook(name: str, data: bytes) -> HttpResponse:
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return HttpResponse(
        data, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


@admin.register(MediaPlanLine)
class MediaPlanLineAdmin(LedgerAdmin):
    empty_hint = _("Lines stand here once a media plan has been imported.")
    list_display = ("line_key", "plan", "position", "campaign_link", "channel", "cost_shown", "rate_shown")
    list_filter = related("plan", "campaign", "channel")
    search_fields = ("line_key", "campaign__name", "plan__name", "plan__plan_key")
    list_select_related = ("plan", "campaign", "channel")
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ("plan", "line_key", "position", "campaign", "channel")}),
        (_("Money"), {"fields": ("cost_shown", "rate_shown")}),
        (_("As imported"), {"fields": ("source",), "classes": ["collapse"]}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request)
        return rows.defer("source") if is_list(request) else rows

    @admin.display(description=_("Campaign"), ordering="campaign__name")
    def campaign_link(self, row: MediaPlanLine) -> SafeString | str:
        return admin_link(row.campaign)

    @admin.display(description=_("Media cost"), ordering="cost_media")
    def cost_shown(self, row: MediaPlanLine) -> str:
        return money.shown(row.cost_media, row.cost_currency)

    @admin.display(description=_("Rate"))
    def rate_shown(self, row: MediaPlanLine) -> str:
        return rate(row)
