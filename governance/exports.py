"""Every list as a file: what the list shows now, by its filters, search and order, and only the person's own rows.

django-import-export has the mechanics (fields, rows, the list's queryset); what may go out is decided here. A field goes
out only if its type is plain and its name promises no secret. CSV is streamed; in neither format can a text become
a formula. Each export is written down: who, which list, how many rows.
"""

from __future__ import annotations

import csv
import html
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import label_for_field, lookup_field
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import FieldDoesNotExist, ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db import models
from django.db.models import QuerySet
from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.text import capfirst, slugify
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from import_export.admin import ExportMixin
from import_export.fields import Field
from import_export.mixins import BaseExportMixin
from import_export.resources import Resource
from import_export.widgets import Widget
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from unfold.widgets import UnfoldAdminSelectWidget

from governance.money import MoneyField, plain
from governance.tables import safe_text

#: Beside Django's own flags (added, changed, deleted).
EXPORTED = 4
#: Names of fields that go out only where the list's admin says so (`export_also`).
SECRET = re.compile(
    r"pass(word|phrase)|secret|totp|recovery|token|credential|digest|hash|sha256|signature|session|otp|cipher|encrypt|salt|claim"
    r"|(^|_)key$|(^|_)claim$"
)
_PLAIN = (
    models.CharField, models.TextField, models.BooleanField, models.IntegerField, models.DecimalField, models.FloatField,
    models.DateField, models.TimeField, models.UUIDField, models.GenericIPAddressField, models.DurationField,
)  # fmt: skip
#: What stands for a row that another one points to: the first of these that it has.
_STANDS_FOR = ("code", "username", "name", "governed_name", "plan_key", "external_id", "public_id")


class Iso(Widget):
    """Values for machines: ISO days and moments, digits and a point, yes or no."""

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        if value is None:
            return ""
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, Decimal):
            return Decimal(plain(value))
        if isinstance(value, int | float):
            return value
        if isinstance(value, datetime):
            return value.astimezone(timezone.get_default_timezone()).isoformat(timespec="seconds")
        if isinstance(value, date):
            return value.isoformat()
        return str(value)


class Shown(Field):
    """A column as the list shows it: its text, without the markup."""

    def __init__(self, name: str, page: Any, column_name: str) -> None:
        super().__init__(column_name=column_name, widget=Iso())
        self.name, self.page = name, page

    def export(self, instance: Any, **kwargs: Any) -> Any:
        try:
            _field, _attr, value = lookup_field(self.name, instance, self.page)
        except ObjectDoesNotExist:
            return ""
        if isinstance(value, tuple | list):  # a badge: (its colour, its text)
            value = value[-1] if value else ""
        if isinstance(value, str):
            text = " ".join(html.unescape(strip_tags(value)).split())
            return "" if text in (self.page.get_empty_value_display(), "–") else text
        return self.widget.render(value)


@dataclass(frozen=True, slots=True)
class Choice:
    """A way to choose columns: `fields` by header, and the related rows that they need."""

    key: str
    label: Any
    fields: Sequence[Field]
    related: tuple[str, ...] = ()
    prefetched: tuple[Any, ...] = ()


class ExportForm(forms.Form):
    file_format = forms.ChoiceField(
        label=_("Format"), choices=[("csv", "CSV"), ("xlsx", _("Excel (XLSX)"))], widget=UnfoldAdminSelectWidget,
        help_text=_("CSV is UTF-8 with a comma between cells; days and amounts are written for machines."),
    )  # fmt: skip
    columns = forms.ChoiceField(label=_("Columns"), widget=UnfoldAdminSelectWidget)

    def __init__(self, choices: Sequence[Choice], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["columns"].choices = [  # type: ignore[attr-defined]
            (choice.key, choice.label) for choice in choices
        ]


class TooManyRows(ValidationError):
    """The list is longer than one file may be."""

    def __init__(self) -> None:
        text = _("The list has more than %(most)s rows. Filter it, and export it in parts.")
        super().__init__(text, code="too_many_rows", params={"most": f"{settings.EXPORT_MAX_ROWS:,}"})


class ExportsLists(BaseExportMixin):
    """For admin pages: `export/` below the list, for who may see the list. Mix in before Unfold's ModelAdmin."""

    #: Fields that go out although their name sounds like a secret's.
    export_also: ClassVar[frozenset[str]] = frozenset()
    #: the queryset of the list as it is filtered, without its pages and counts
    get_export_queryset = ExportMixin.get_export_queryset

    def get_urls(self) -> list[Any]:
        meta = self.model._meta  # type: ignore[attr-defined]
        page = self.admin_site.admin_view(self.export_page)  # type: ignore[attr-defined]
        return [path("export/", page, name=f"{meta.app_label}_{meta.model_name}_export"), *super().get_urls()]  # type: ignore[misc]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        response = super().changelist_view(request, extra_context)  # type: ignore[misc]
        context = getattr(response, "context_data", None)
        if context is not None and "cl" in context:
            context["actions_list"] = [*(context.get("actions_list") or ()), self._export_link(request)]
        return response

    def _export_link(self, request: HttpRequest) -> dict[str, Any]:
        query = request.GET.urlencode()
        url = self.export_url() + (f"?{query}" if query else "")
        return {"title": gettext("Export"), "icon": "download", "path": url, "attrs": {}, "dialog": None}

    def export_url(self) -> str:
        meta = self.model._meta  # type: ignore[attr-defined]
        return reverse(f"{self.admin_site.name}:{meta.app_label}_{meta.model_name}_export")  # type: ignore[attr-defined]

    def export_page(self, request: HttpRequest) -> HttpResponseBase:
        """Which format and columns; then the file."""
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        form = ExportForm(self.export_choices(request), request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                return self.exported(request, form.cleaned_data["file_format"], form.cleaned_data["columns"])
            except TooManyRows as refused:
                form.add_error(None, refused.messages)
            except IncorrectLookupParameters:
                return HttpResponseRedirect(self.export_url())
        meta = self.model._meta  # type: ignore[attr-defined]
        context = {
            **self.admin_site.each_context(request), "opts": meta, "form": form, "most": settings.EXPORT_MAX_ROWS,  # type: ignore[attr-defined]
            "title": gettext("Export %(what)s") % {"what": meta.verbose_name_plural}, "filtered": bool(request.GET),
            "back": reverse(f"{self.admin_site.name}:{meta.app_label}_{meta.model_name}_changelist")  # type: ignore[attr-defined]
            + (f"?{request.GET.urlencode()}" if request.GET else ""),
        }  # fmt: skip
        return TemplateResponse(request, "governance/exports/export.html", context)

    def exported(self, request: HttpRequest, file_format: str, columns: str) -> HttpResponseBase:
        """The list that the request's query string describes, as a file. Raises TooManyRows."""
        choice = next(each for each in self.export_choices(request) if each.key == columns)
        rows: QuerySet = self.get_export_queryset(request)
        count = rows.order_by().values("pk")[: settings.EXPORT_MAX_ROWS + 1].count()
        if count > settings.EXPORT_MAX_ROWS:
            raise TooManyRows
        if choice.key != "list":
            rows = rows.defer(None)
        if choice.related:
            rows = rows.select_related(*choice.related)
        if choice.prefetched:
            rows = rows.prefetch_related(*choice.prefetched)
        self._write_down(request, count, file_format, columns)
        meta = self.model._meta  # type: ignore[attr-defined]
        name = f"{slugify(str(meta.verbose_name_plural)) or meta.model_name}-{timezone.now():%Y-%m-%d}.{file_format}"
        table = _Table([field.column_name for field in choice.fields], self._resource(choice), rows)
        return table.as_csv(name) if file_format == "csv" else table.as_workbook(name)

    def _resource(self, choice: Choice) -> Resource:
        resource = Resource()
        resource.fields = {f"column_{at:03}": field for at, field in enumerate(choice.fields)}
        resource._meta.export_order = list(resource.fields)
        return resource

    def _write_down(self, request: HttpRequest, count: int, file_format: str, columns: str) -> None:
        meta = self.model._meta  # type: ignore[attr-defined]
        filters = request.GET.urlencode()[:1000]
        message = f"Exported {count} rows as {file_format.upper()}, columns: {columns}" + (
            f", list: {filters}" if filters else ""
        )
        LogEntry.objects.create(
            user=request.user,  # type: ignore[misc]
            content_type=ContentType.objects.get_for_model(self.model, for_concrete_model=False),  # type: ignore[attr-defined]
            object_repr=f"{count} {meta.verbose_name_plural}"[:200], action_flag=EXPORTED, change_message=message,
        )  # fmt: skip

    # --- which columns

    def export_choices(self, request: HttpRequest) -> list[Choice]:
        """A list that can be imported again adds that form of it."""
        shown, related = self._list_fields(request)
        every, needed = self._all_fields()
        return [
            Choice("list", _("As in the list"), shown, related),
            Choice("all", _("All fields"), every, needed),
        ]

    def _list_fields(self, request: HttpRequest) -> tuple[list[Field], tuple[str, ...]]:
        fields = []
        for name in self.get_list_display(request):  # type: ignore[attr-defined]
            if not isinstance(name, str) or name == "action_checkbox":
                continue
            if self._kept_in(name):
                continue
            header = capfirst(str(label_for_field(name, self.model, self)))  # type: ignore[attr-defined]
            raw = self._raw_path(name)
            fields.append(Field(raw, header, Iso()) if raw else Shown(name, self, header))
        return fields, ()

    def _kept_in(self, name: str) -> bool:
        """A field that the list shows in part, and that does not leave the house."""
        try:
            return not hasattr(self, name) and not may_go_out(_field_at(self.model, name), self.export_also)  # type: ignore[attr-defined]
        except FieldDoesNotExist:
            return False

    def _raw_path(self, name: str) -> str:
        """Where the value of a column stands, if it is better told as it is than as it is shown."""
        method = getattr(self, name, None)
        looked = str(getattr(method, "admin_order_field", "") or "").lstrip("-") if method else name
        try:
            field = _field_at(self.model, looked)  # type: ignore[attr-defined]
        except FieldDoesNotExist:
            return ""
        if not isinstance(field, _PLAIN) or "__" in looked:
            return ""
        of_a_day = isinstance(field, models.DateField) and not isinstance(field, models.DateTimeField)
        return "" if method and (of_a_day or isinstance(field, models.TextField)) else looked

    def _all_fields(self) -> tuple[list[Field], tuple[str, ...]]:
        fields, related = [], []
        for field in self.model._meta.concrete_fields:  # type: ignore[attr-defined]
            if not may_go_out(field, self.export_also):
                continue
            at = field.name
            if field.is_relation:
                target = _stands_for(field.related_model)
                at = f"{field.name}__{target}" if target else field.attname
                related += [field.name] if target else []
            fields.append(Field(at, field.name, Iso()))
        return fields, tuple(related)


def may_go_out(field: models.Field, also: Iterable[str] = ()) -> bool:
    """Plain types with harmless names; of what points to other rows, what stands for them."""
    if field.name in also:
        return True
    if SECRET.search(field.name):
        return False
    if field.is_relation:
        return bool(field.many_to_one or field.one_to_one)
    ours = isinstance(field, MoneyField) or type(field).__module__.startswith("django.db.models")
    return ours and (isinstance(field, (*_PLAIN, models.AutoField)))


def _stands_for(model: Any) -> str:
    names = {field.name for field in model._meta.concrete_fields}
    return next((name for name in _STANDS_FOR if name in names), "")


def _field_at(model: Any, name: str) -> models.Field:
    if not name or "__" in name:
        raise FieldDoesNotExist
    return model._meta.get_field(name)


# ------------------------------------------------------------------------------------------- files


class _Echo:
    """csv writes lines to it, and gets them back."""

    def write(self, text: str) -> str:
        return text


@dataclass(frozen=True, slots=True)
class _Table:
    headers: list[str]
    resource: Resource
    rows: QuerySet

    def lines(self) -> Iterator[list[Any]]:
        # in chunks: a list of a hundred thousand is never in memory as a whole
        for row in self.rows.iterator(chunk_size=2000):
            yield self.resource.export_resource(row)

    def as_csv(self, name: str) -> HttpResponseBase:
        writer = csv.writer(_Echo(), lineterminator="\r\n")

        def written() -> Iterator[str]:
            yield "\ufeff"
            yield writer.writerow([safe_text(header) for header in self.headers])
            for line in self.lines():
                yield writer.writerow([_cell(value) for value in line])

        response = StreamingHttpResponse(written(), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        response["Cache-Control"] = "no-store"
        return response

    def as_workbook(self, name: str) -> HttpResponseBase:
        book = Workbook(write_only=True)
        sheet = book.create_sheet("export")
        sheet.freeze_panes = "A2"
        sheet.append([_bold(sheet, header) for header in self.headers])
        for line in self.lines():
            sheet.append([_typed(sheet, value) for value in line])
        out = tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR)  # noqa: SIM115  (the response closes it)
        book.save(out)
        out.seek(0)
        response = FileResponse(out, as_attachment=True, filename=name)
        response["Cache-Control"] = "no-store"
        return response


def _cell(value: Any) -> Any:
    return format(value, "f") if isinstance(value, Decimal) else safe_text(value)


#: What no cell of a workbook may hold.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def _typed(sheet: Any, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    made = WriteOnlyCell(sheet, value=_CONTROL.sub("", value)[:32_000] or None)
    if made.data_type in ("f", "e"):  # "=…" and "#N/A" are texts here
        made.data_type = "s"
    return made


def _bold(sheet: Any, text: str) -> Any:
    made = _typed(sheet, text)
    made.font = Font(bold=True)
    return made
