"""Media plans: what was imported, and the page that imports one."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldBooleanSwitchWidget,
)

from campaigns.models import MediaPlan, MediaPlanLine
from governance import money
from governance.admin_base import EMPTY, LedgerAdmin, ReadOnlyTabularInline, admin_link, is_list, related
from governance.findings import Finding
from governance.models import Market
from governance.tables import Refused, Source
from trafficking.imports.results import ImportResult
from trafficking.imports.service import check_media_plan, import_media_plan
from trafficking.imports.templates import creative_template, plan_template
from trafficking.models import Ticket

#: Lines of a result that the page lists; the rest are counted.
SHOWN_LINES = 500
OUTCOME_BADGES = {
    "created": "success",
    "updated": "info",
    "unchanged": "",
    "kept": "warning",
    "reported": "warning",
}


class UploadForm(forms.Form):
    file = forms.FileField(
        label=_("Media plan"), widget=UnfoldAdminFileFieldWidget,
        help_text=_("Open Media Plan JSON (2.0 or 3.0), CSV or XLSX in our column format."),
    )  # fmt: skip
    creatives = forms.FileField(
        label=_("Creative sheet"), required=False, widget=UnfoldAdminFileFieldWidget,
        help_text=_("CSV or XLSX with each line's ads. Without it the tickets stay drafts, and say what is missing."),
    )  # fmt: skip
    start_on = forms.DateField(
        label=_("New first day"), required=False, widget=UnfoldAdminSingleDateWidget,
        help_text=_("Moves all flights so that the earliest begins on this day; their lengths stay."),
    )  # fmt: skip
    market = forms.ModelChoiceField(
        Market.objects.none(), label=_("Market"), required=False, to_field_name="code", widget=UnfoldAdminSelectWidget,
        empty_label=_("As the plan says"), help_text=_("Of lines that don't say theirs."),
    )  # fmt: skip
    dry_run = forms.BooleanField(
        label=_("Only check"), required=False, initial=True, widget=UnfoldBooleanSwitchWidget,
        help_text=_("Tells everything that would happen, and writes nothing."),
    )  # fmt: skip

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["market"].queryset = Market.objects.visible_to(user)


def run_import(form: UploadForm, user: Any) -> ImportResult:
    """Check or import what the form holds. A file that can't be read at all is a finding like others."""
    given = form.cleaned_data
    run = check_media_plan if given["dry_run"] else import_media_plan
    market: Market | None = given["market"]
    start_on: date | None = given["start_on"]
    try:
        return run(
            source=Source.from_upload(given["file"]),
            creatives=Source.from_upload(given["creatives"]) if given["creatives"] else None,
            user=user,
            market=market.code if market else "",
            start_on=start_on,
        )
    except Refused as refused:
        return ImportResult(findings=list(refused.findings))


def finding_line(finding: Finding) -> dict[str, Any]:
    """A finding by its place in the file."""
    row, column = finding.params.get("row"), finding.params.get("column")
    return {"row": row or "", "column": column or ("" if row else finding.field), "finding": finding}


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
        """The upload form; after it, every error by row and column, or what was written with links to it."""
        if not self._may_import(request):
            raise PermissionDenied
        form = UploadForm(request.user, request.POST or None, request.FILES or None)
        result = run_import(form, request.user) if request.method == "POST" and form.is_valid() else None
        if result is not None:
            self._tell(request, result, dry_run=form.cleaned_data["dry_run"])
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": gettext("Import a media plan"),
            "form": form, "media": self.media + form.media, "back": self.page("changelist"),
            **(result_context(result) if result else {}),
        }  # fmt: skip
        return TemplateResponse(request, "trafficking/admin/import.html", context)

    @action(description=_("Plan (XLSX)"), url_path="plan-template", icon="download")
    def plan_sheet(self, request: HttpRequest) -> HttpResponse:
        return _workbook("media_plan.xlsx", plan_template("xlsx"))

    @action(description=_("Creatives (XLSX)"), url_path="creative-template", icon="download")
    def creative_sheet(self, request: HttpRequest) -> HttpResponse:
        return _workbook("creatives.xlsx", creative_template("xlsx"))

    def _tell(self, request: HttpRequest, result: ImportResult, *, dry_run: bool) -> None:
        if result.refused:
            count = len(result.errors)
            text = ngettext(
                "%(count)s error: nothing was written.", "%(count)s errors: nothing was written.", count
            )
            messages.error(request, text % {"count": count})
        elif dry_run:
            messages.info(
                request, gettext("No errors. Nothing was written: switch 'only check' off to import it.")
            )
        else:
            messages.success(request, gettext("Imported."))


def _workbook(name: str, data: bytes) -> HttpResponse:
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return HttpResponse(
        data, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def result_context(result: ImportResult) -> dict[str, Any]:
    """For `trafficking/admin/import.html`: findings by place, lines with their tickets."""
    numbers = {each.public_id: each.pk for each in result.tickets if result.written}
    return {
        "result": result,
        "errors": [finding_line(each) for each in result.errors],
        "warnings": [finding_line(each) for each in result.warnings],
        "counts": [(OUTCOMES[name], count) for name, count in result.counts.items() if count],
        "lines": [
            {"line": each, "ticket": numbers.get(each.ticket), "badge": OUTCOME_BADGES[each.outcome],
             "outcome": OUTCOMES[each.outcome]}
            for each in result.lines[:SHOWN_LINES]
        ],
        "more_lines": max(0, len(result.lines) - SHOWN_LINES),
        "tickets_url": reverse(f"admin:{Ticket._meta.app_label}_ticket_changelist"),
    }  # fmt: skip


OUTCOMES = {
    "created": _("created"), "updated": _("updated"), "unchanged": _("unchanged"),
    "kept": _("deployed, kept as it is"), "reported": _("not trafficked here"),
}  # fmt: skip


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
