"""The walk of an import: upload, name the columns, read what would happen, import, see the result.

Every page shows the row's state: closing one loses nothing. The work is in `trafficking/imports/runs.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from campaigns.models import ColumnMapping, ImportRun
from governance.admin_base import PlainLedgerAdmin, tell
from governance.exports import ExportsLists
from governance.findings import Finding
from governance.models import Market
from governance.tables import Refused, Source
from trafficking.imports import preview, runs, storage
from trafficking.imports.kinds import KINDS, kinds_for

STATE_BADGES = {
    "MAPPING": "warning", "CHECKING": "info", "CHECKED": "primary", "WRITING": "info", "WRITTEN": "success",
    "CANCELLED": "", "FAILED": "danger",
}  # fmt: skip
#: Names and lines that a page lists; the rest are counted.
SHOWN = 200
STEPS = {
    "reading": _("Reading the file"), "checking": _("Looking up every row"), "building": _("Building names and checking them"),
    "rules": _("Checking tickets against the rules"),
}  # fmt: skip
MADE = {
    "campaigns": _("campaigns"), "tickets": _("tickets"), "ad_sets": _("ad sets"), "ads": _("ads"), "created": _("new"),
    "updated": _("changed"), "unchanged": _("unchanged"), "kept": _("deployed, kept as they are"), "reported": _("not trafficked here"),
}  # fmt: skip
OUTCOMES = {
    "created": _("created"), "updated": _("updated"), "unchanged": _("unchanged"),
    "kept": _("deployed, kept as it is"), "reported": _("not trafficked here"),
}  # fmt: skip
OUTCOME_BADGES = {"created": "success", "updated": "info", "kept": "warning", "reported": "warning"}


# ------------------------------------------------------------------------------------------- forms


class UploadForm(forms.Form):
    kind = forms.ChoiceField(
        label=_("What it is"), widget=UnfoldAdminSelectWidget, help_text=_("What the rows of the file are.")
    )
    file = forms.FileField(
        label=_("File"), widget=UnfoldAdminFileFieldWidget,
        help_text=_("CSV, XLSX or JSON; a media plan as Open Media Plan JSON, too. Its columns may have names of their own."),
    )  # fmt: skip
    creatives = forms.FileField(
        label=_("Creative sheet"), required=False, widget=UnfoldAdminFileFieldWidget,
        help_text=_("Only with a media plan: CSV or XLSX with each line's ads. Without it the tickets say what is missing."),
    )  # fmt: skip
    start_on = forms.DateField(
        label=_("New first day"), required=False, widget=UnfoldAdminSingleDateWidget,
        help_text=_("Only with a media plan: moves all flights so that the earliest begins on this day."),
    )  # fmt: skip
    market = forms.ModelChoiceField(
        Market.objects.none(), label=_("Market"), required=False, to_field_name="code", widget=UnfoldAdminSelectWidget,
        empty_label=_("As the file says"), help_text=_("Only with a media plan: of lines that don't say theirs."),
    )  # fmt: skip

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["market"].queryset = Market.objects.visible_to(user)  # type: ignore[attr-defined]
        self.fields["kind"].choices = [(kind.key, kind.label) for kind in kinds_for(user)]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if given.get("kind") != "plan":
            for name in ("creatives", "start_on", "market"):
                if given.get(name):
                    self.add_error(
                        name, _("Only a media plan has this. Leave it empty, or say that the file is a plan.")
                    )
        return given

    def uploads(self) -> dict[str, Source]:
        """Raises Refused."""
        given = self.cleaned_data
        return {name: Source.from_upload(given[name]) for name in ("file", "creatives") if given.get(name)}

    def options(self) -> dict[str, str]:
        start_on, market = self.cleaned_data.get("start_on"), self.cleaned_data.get("market")
        made = {"start_on": start_on.isoformat() if start_on else "", "market": market.code if market else ""}
        return {name: value for name, value in made.items() if value}


class ColumnsForm(forms.Form):
    """One choice per column of each part; the key of a field is `part:position`."""

    save_as = forms.CharField(
        label=_("Keep this mapping as"), required=False, max_length=80, widget=UnfoldAdminTextInputWidget,
        help_text=_("Used by itself when a file with the same headers comes again. Empty: only for this file."),
    )  # fmt: skip
    shared = forms.BooleanField(
        label=_("For everybody"), required=False, widget=UnfoldBooleanSwitchWidget,
        help_text=_("Others who import such files use it, too."),
    )  # fmt: skip

    def __init__(self, run: ImportRun, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.run = run
        for part, about in run.files.items():
            choices = [("", gettext("ignore it"))]
            choices += [(column.name, column.name) for column in KINDS[run.kind].part(part).columns]
            for at, key in enumerate(about["keys"]):
                self.fields[f"{part}:{at}"] = forms.ChoiceField(
                    choices=choices, required=False, initial=about["columns"].get(key, ""), label=about["headers"][at],
                    widget=UnfoldAdminSelectWidget(attrs={"aria-label": about["headers"][at] or key}),
                )  # fmt: skip

    def named(self) -> dict[str, dict[str, str]]:
        return {
            part: {key: self.cleaned_data.get(f"{part}:{at}", "") for at, key in enumerate(about["keys"])}
            for part, about in self.run.files.items()
        }

    def tables(self) -> list[dict[str, Any]]:
        """Per part: a row for each column with its header, first values, its choice and how sure it is."""
        return [self._table(part, about) for part, about in self.run.files.items() if about["keys"]]

    def _table(self, part: str, about: dict[str, Any]) -> dict[str, Any]:
        kind_part = KINDS[self.run.kind].part(part)
        rows = [
            {"header": about["headers"][at] or gettext("(no name)"), "field": self[f"{part}:{at}"],
             "first": [cells[at] for cells in about["first"] if at < len(cells) and cells[at]][:3],
             "sure": key in about["sure"], "proposed": bool(about["columns"].get(key))}
            for at, key in enumerate(about["keys"])
        ]  # fmt: skip
        return {
            "label": kind_part.label, "rows": rows, "file": about["name"], "mapping": about.get("mapping"),
            "required": [column for column in kind_part.columns if column.required],
            "columns": kind_part.columns,
        }  # fmt: skip


# ------------------------------------------------------------------------------------------- pages


@admin.register(ImportRun)
class ImportRunAdmin(PlainLedgerAdmin):
    """Everybody sees their own imports; the files of others may hold what is not theirs."""

    empty_hint = _("Import a file: every error is told before anything is written.")
    list_display = (
        "file_name",
        "kind_shown",
        "state_badge",
        "made_shown",
        "error_count",
        "owner",
        "created_at",
    )
    list_display_links = ("file_name",)
    list_filter = ("state", "kind")
    search_fields = ("file_name",)
    list_select_related = ("owner",)
    ordering = ("-id",)
    actions_list = ("upload",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).defer("report", "files")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_active and bool(kinds_for(request.user))

    @display(description=_("State"), ordering="state", label=STATE_BADGES)
    def state_badge(self, row: ImportRun) -> tuple[str, str]:
        return row.state, row.get_state_display()

    @admin.display(description=_("What it is"), ordering="kind")
    def kind_shown(self, row: ImportRun) -> str:
        return str(KINDS[row.kind].label) if row.kind in KINDS else row.kind

    @admin.display(description=_("What it makes"))
    def made_shown(self, row: ImportRun) -> str:
        return (
            " · ".join(f"{count} {MADE.get(name, name)}" for name, count in row.counts.items() if count)
            or "–"
        )

    def get_urls(self) -> list[Any]:
        def own(route: str, view: Callable[..., HttpResponse], name: str) -> Any:
            return path(
                f"<int:pk>/{route}", self.admin_site.admin_view(view), name=f"campaigns_importrun_{name}"
            )

        return [
            own("columns/", self.columns_page, "columns"), own("write/", self.write_step, "write"),
            own("again/", self.again_step, "again"), own("cancel/", self.cancel_step, "cancel"),
            own("corrected/", self.corrected_file, "corrected"), own("progress/", self.progress_page, "progress"),
            *super().get_urls(),
        ]  # fmt: skip

    # --- 1: upload

    @action(
        description=_("Import a file"), url_path="upload", icon="upload_file", variant=ActionVariant.PRIMARY
    )
    def upload(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        initial = {"kind": request.GET.get("kind", "")}
        form = UploadForm(request.user, request.POST or None, request.FILES or None, initial=initial)
        unreadable: list[Finding] = []
        if request.method == "POST" and form.is_valid():
            try:
                run = self._start(request, form)
            except Refused as refused:
                unreadable = refused.findings
            except ValidationError as refused:
                form.add_error(None, refused.messages)
            else:
                return HttpResponseRedirect(self._page(run))
        context = {
            **self._context(request, gettext("Import a file"), 1), "form": form, "media": self.media + form.media,
            "unreadable": unreadable, "back": self.list_url(),
        }  # fmt: skip
        return TemplateResponse(request, "trafficking/imports/upload.html", context)

    def _start(self, request: HttpRequest, form: UploadForm) -> ImportRun:
        return runs.start_import(
            owner=request.user, kind=form.cleaned_data["kind"], uploads=form.uploads(), options=form.options()
        )

    # --- 2: columns

    def columns_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        run = self._run(request, pk)
        if run.state not in (run.State.MAPPING, run.State.CHECKED):
            return HttpResponseRedirect(self._page(run))
        form = ColumnsForm(run, request.POST or None)
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            try:
                runs.name_columns(
                    run=run, named=form.named(), save_as=given["save_as"].strip(), shared=given["shared"]
                )
                return HttpResponseRedirect(self._page(run))
            except ValidationError as refused:
                form.add_error(None, refused.messages)
        context = {
            **self._context(request, run.file_name, 2),
            "run": run,
            "form": form,
            "tables": form.tables(),
        }
        return TemplateResponse(request, "trafficking/imports/columns.html", context)

    # --- 3 and 4: preview, result

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        run = self._run(request, int(object_id) if object_id.isdigit() else 0)
        if run.state == run.State.MAPPING:
            return HttpResponseRedirect(reverse("admin:campaigns_importrun_columns", args=[run.pk]))
        step = 4 if run.state in (run.State.WRITING, run.State.WRITTEN) else 3
        context = {**self._context(request, run.file_name, step), **_run_context(run)}
        if run.state == run.State.CHECKED:
            context |= _preview_context(run, request)
        if run.state == run.State.WRITTEN:
            context |= _result_context(run)
        return TemplateResponse(request, "trafficking/imports/run.html", context)

    def write_step(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._step(request, pk, runs.write_import)

    def again_step(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._step(request, pk, runs.check_again)

    def cancel_step(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._step(request, pk, runs.cancel_import)

    def _step(self, request: HttpRequest, pk: int, service: Callable[..., ImportRun]) -> HttpResponse:
        run = self._run(request, pk)
        if request.method == "POST":
            try:
                service(run=run)
            except ValidationError as refused:
                tell(request, refused)
        return HttpResponseRedirect(self._page(run))

    def corrected_file(self, request: HttpRequest, pk: int) -> HttpResponse:
        run = self._run(request, pk)
        part, file_format = request.GET.get("part", "file"), request.GET.get("as", "xlsx")
        if part not in run.files or file_format not in ("csv", "xlsx"):
            raise Http404
        if run.files_gone_at is not None:
            messages.error(request, gettext("The file has expired. Upload it again."))
            return HttpResponseRedirect(self._page(run))
        made = preview.corrected(run, part, file_format)
        return download(made.name, made.data)

    def progress_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """State and step as JSON; 304 where nothing has changed since the page asked last."""
        run = self._run(request, pk)
        told = progress_of(run)
        etag = '"' + hashlib.sha256(repr(sorted(told.items())).encode()).hexdigest()[:24] + '"'
        if request.headers.get("If-None-Match") == etag:
            return HttpResponse(status=304, headers={"ETag": etag})
        return JsonResponse(told, headers={"ETag": etag, "Cache-Control": "no-cache"})

    # --- ways

    def _run(self, request: HttpRequest, pk: int) -> ImportRun:
        if not self.has_view_permission(request):
            raise PermissionDenied
        run = ImportRun.objects.visible_to(request.user).select_related("owner").filter(pk=pk).first()
        if run is None or run.kind not in KINDS:
            raise Http404
        return run

    def _page(self, run: ImportRun) -> str:
        return reverse("admin:campaigns_importrun_change", args=[run.pk])

    def list_url(self) -> str:
        return reverse("admin:campaigns_importrun_changelist")

    def _context(self, request: HttpRequest, title: str, step: int) -> dict[str, Any]:
        steps = [gettext("Upload"), gettext("Columns"), gettext("Preview"), gettext("Result")]
        return {
            **self.admin_site.each_context(request), "opts": self.opts, "title": title,
            "steps": [{"name": name, "now": at == step, "done": at < step} for at, name in enumerate(steps, 1)],
        }  # fmt: skip


def download(name: str, data: bytes) -> HttpResponse:
    """A file to keep, whatever its name holds."""
    kinds = {
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "csv": "text/csv; charset=utf-8",
    }
    response = HttpResponse(data, content_type=kinds[name.rpartition(".")[2]])
    safe = "".join(each if each.isalnum() or each in "-_. " else "_" for each in name)
    response["Content-Disposition"] = (
        f'attachment; filename="{safe.encode("ascii", "replace").decode().replace("?", "_")}"'
    )
    response["X-Content-Type-Options"] = "nosniff"
    return response


def progress_of(run: ImportRun) -> dict[str, Any]:
    told = storage.read_progress(run) if run.is_working else {}
    step = STEPS.get(str(told.get("step")), _("Waiting for a worker"))
    return {
        "state": run.state, "working": run.is_working, "step": str(step if run.claimed_at else _("Waiting for a worker")),
        "done": int(told.get("done") or 0), "total": int(told.get("total") or 0),
    }  # fmt: skip


def _run_context(run: ImportRun) -> dict[str, Any]:
    return {
        "run": run, "kind": KINDS[run.kind], "progress": progress_of(run), "badge": STATE_BADGES[run.state],
        "made": [(MADE.get(name, name), count) for name, count in run.counts.items() if count],
        "facts": run.report.get("facts", {}),
        "names": run.report.get("names", [])[:SHOWN], "more_names": _more(run, "names"),
        "mappable": any(about["keys"] for about in run.files.values()),
    }  # fmt: skip


def _more(run: ImportRun, what: str) -> int:
    return max(0, int(run.report.get(f"{what}_count", 0)) - min(SHOWN, len(run.report.get(what, []))))


def _preview_context(run: ImportRun, request: HttpRequest) -> dict[str, Any]:
    parts = preview.preview_of(run)
    asked = request.GET.get("part", "")
    part = parts[asked] if asked in parts else max(parts.values(), key=lambda each: len(each.wrong_rows))
    told = request.GET.get("rows", "told" if part.told_rows else "all") == "told"
    pages = Paginator(range(part.count(only_told=told)), preview.PAGE)
    page = pages.get_page(request.GET.get("page"))
    return {
        "tabs": [_tab(run, each, each is part) for each in parts.values()], "part": part, "only_told": told,
        "page": page, "rows": [_shown_row(row, part) for row in part.page(page.number, only_told=told)],
        "headers": part.headers,
        "whole": [{"finding": each, "where": _where(each)} for each in part.whole[:SHOWN]],
        "more_whole": max(0, len(part.whole) - SHOWN),
        "verdict": _verdict(run),
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row of the preview, and under it what is said of its cells: (header, position from 1, finding)."""

    number: int
    cells: list[preview.Cell]
    said: list[Finding]
    wrong: bool
    told_cells: list[tuple[str, int, Finding]]

    @property
    def told(self) -> bool:
        return bool(self.said or self.told_cells)


def _shown_row(row: preview.PreviewRow, part: preview.PartPreview) -> ShownRow:
    headers = [header for header, _name in part.headers]
    told = [(headers[at], at + 1, each) for at, cell in enumerate(row.cells) for each in cell.said]
    return ShownRow(row.number, row.cells, row.said, row.wrong, told)


def _tab(run: ImportRun, part: preview.PartPreview, now: bool) -> dict[str, Any]:
    label = KINDS[run.kind].part(part.part).label
    return {
        "key": part.part,
        "label": label,
        "now": now,
        "wrong": len(part.wrong_rows),
        "name": part.about["name"],
    }


def _where(finding: Finding) -> str:
    return str(finding.params.get("column") or finding.field or "")


def _verdict(run: ImportRun) -> str:
    if run.error_count:
        text = ngettext(
            "%(n)s error: nothing can be imported yet.",
            "%(n)s errors: nothing can be imported yet.",
            run.error_count,
        )
        return text % {"n": run.error_count}
    return gettext("No errors. Nothing has been written yet.")


def _result_context(run: ImportRun) -> dict[str, Any]:
    lines = [
        {
            **line,
            "word": OUTCOMES.get(line["outcome"], line["outcome"]),
            "badge": OUTCOME_BADGES.get(line["outcome"], ""),
        }
        for line in run.report.get("lines", [])[:SHOWN]
    ]
    links = [
        {**link, "url": reverse("admin:campaigns_campaign_change", args=[link["pk"]]), "word": OUTCOMES[link["outcome"]],
         "badge": OUTCOME_BADGES.get(link["outcome"], "")}
        for link in run.report.get("links", [])[:SHOWN]
    ]  # fmt: skip
    findings = [Finding.from_dict(each) for each in run.report.get("findings", [])]
    return {
        "lines": lines, "more_lines": _more(run, "lines"), "links": links,
        "findings": [{"finding": each, "row": each.params.get("row", ""), "column": _where(each)} for each in findings[:SHOWN]],
    }  # fmt: skip


@admin.register(ColumnMapping)
class ColumnMappingAdmin(ExportsLists, ModelAdmin):
    """One's own and those that others share; only one's own are changed."""

    list_display = ("name", "kind", "owner", "shared", "used_at")
    list_filter = ("kind", "shared")
    search_fields = ("name",)
    list_select_related = ("owner",)
    fields = ("name", "shared", "kind", "owner", "headers", "columns", "created_at", "used_at")
    readonly_fields = ("kind", "owner", "headers", "columns", "created_at", "used_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).visible_to(request.user)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_active and bool(kinds_for(request.user))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # one is kept where a file's columns are named

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_view_permission(request) and (obj is None or obj.owner_id == request.user.pk)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj) and obj is not None
