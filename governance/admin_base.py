"""The base of every governed admin page: reach, optimistic locking, and errors at their field.

A form saves through the model's own fence. Whatever refuses on the way (a model, a service, an inline's
row, a protected row) comes back to the person as a form error, and nothing has been written.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import FieldListFilter
from django.contrib.admin.utils import flatten_fieldsets, unquote
from django.contrib.auth import get_user_model
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import ProtectedError, QuerySet, RestrictedError
from django.forms.models import BaseModelFormSet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin, StackedInline, TabularInline
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from governance import money
from governance.access import reach_of
from governance.actor import MOST_REASON, acting
from governance.exports import ExportsLists
from governance.findings import Finding
from governance.history_view import changes_between
from governance.paging import BoundedLists

EMPTY = "–"
#: What every governed row knows of itself; never typed.
ROW_FACTS = ("public_id", "version_now", "created_at", "updated_at", "archived_at")
#: The form's field for why something is changed.
REASON = "change_reason"


# ----------------------------------------------------------------------------------------- fields


class AmountField(forms.DecimalField):
    """An amount as people type it; separators that can be read in two ways are refused with the reading meant."""

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        amount, findings = money.read_amount(value)
        if findings:
            raise ValidationError(
                [ValidationError(in_words(finding), code=finding.code) for finding in findings]
            )
        return amount

    def prepare_value(self, value: Any) -> Any:
        return money.plain(value) if hasattr(value, "normalize") else value


def reason_field() -> forms.CharField:
    return forms.CharField(
        label=_("Why"), required=False, max_length=MOST_REASON, widget=UnfoldAdminTextInputWidget,
        help_text=_("For whoever reads the history later: what this change is for. It stands beside the change."),
    )  # fmt: skip


class AmountWidget(UnfoldAdminTextInputWidget):
    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs={"inputmode": "decimal", "autocomplete": "off", **(attrs or {})})


def in_words(finding: Finding) -> str:
    return f"{finding.message} {finding.remedy}".strip()


#: Money is read strictly everywhere; JSON texts are mostly short.
FIELD_OVERRIDES: dict[type[models.Field], dict[str, Any]] = {
    models.JSONField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 3})},
    money.MoneyField: {"form_class": AmountField, "widget": AmountWidget},
}


# ------------------------------------------------------------------------------------------ forms


class GovernedForm(forms.ModelForm):
    """A form that carries the version it was made from, and knows who fills it in."""

    #: Set by the admin for one request.
    request: ClassVar[HttpRequest | None] = None
    #: What saving was refused for, when the form is shown again.
    refused: ClassVar[ValidationError | None] = None
    #: Names that services use for a field -> the form's name of it.
    ERROR_FIELDS: ClassVar[dict[str, str]] = {}

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["version"] = self.instance.version
        self.fields["version"].widget.attrs["autocomplete"] = "off"  # or a reload would keep the stale one

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        self._fill_empty_json(cleaned)
        self._require_fresh(cleaned.get("version"))
        return cleaned

    def _fill_empty_json(self, cleaned: dict[str, Any]) -> None:
        """An emptied JSON text means the field's own empty value, not null."""
        for name, field in self.fields.items():
            if isinstance(field, forms.JSONField) and name in cleaned and cleaned[name] is None:
                column = self.instance._meta.get_field(name)
                if not column.null:
                    cleaned[name] = column.get_default()

    def _require_fresh(self, read: int | None) -> None:
        if not self.instance.pk or read == self.instance.version:
            return
        if read is None:
            self.add_error(
                None,
                ValidationError(
                    _("The form came without its version. Reload the page."), code="stale_version"
                ),
            )
            return
        self.add_error(None, ValidationError(changed_meanwhile(self.instance), code="stale_version"))

    def _post_clean(self) -> None:
        super()._post_clean()
        self._require_reach()
        if self.refused is not None:
            self._add_refusal(self.refused)

    def _require_reach(self) -> None:
        if self.request is None or self.errors:
            return
        if not may_write(self.request.user, self.instance):
            text = _("That brand and market are not yours: ask a data admin for a grant, or choose another.")
            self.add_error(None, ValidationError(text, code="outside_reach"))

    def _add_refusal(self, refused: ValidationError) -> None:
        said = {
            str(message)
            for errors in self.errors.as_data().values()
            for each in errors
            for message in each.messages
        }
        for named, errors in by_field(refused).items():
            name = self.ERROR_FIELDS.get(named, named)
            for error in errors:
                if not said.issuperset(error.messages):
                    self.add_error(name if name in self.fields else None, error)


class GovernedInlineForm(GovernedForm):
    """A row inside another row's page: the same fence."""


def by_field(refused: ValidationError) -> dict[str, list[ValidationError]]:
    if hasattr(refused, "error_dict"):
        return refused.error_dict
    return {NON_FIELD_ERRORS: refused.error_list}


def changed_meanwhile(row: Any) -> str:
    """Who changed it, when, and what to do."""
    last = row.history.select_related("history_user").order_by("-history_date", "-history_id").first()
    who = str(last.history_user) if last and last.history_user else gettext("The system")
    when = date_format(localtime(last.history_date if last else row.updated_at), "DATETIME_FORMAT")
    return gettext(
        "%(who)s changed this on %(when)s, after you opened it. Nothing of yours was saved. Reload the page and make"
        " your change again."
    ) % {"who": who, "when": when}


def may_write(user: Any, row: Any) -> bool:
    """The row's brand × market (`Model.REACH`) is granted to `user`. Rows not bound by either are a matter of roles."""
    brand, market = getattr(row, "REACH", (None, None))
    if (brand, market) == (None, None):
        return True
    return reach_of(user).covers(_value_at(row, brand), _value_at(row, market))


def _value_at(row: Any, path: str | None) -> Any:
    for step in (path or "").split("__") if path else ():
        row = getattr(row, step, None)
        if row is None:
            return None
    return row if path else None


# ------------------------------------------------------------------------------------------ admin


class Limited:
    """Rows and choices that are the person's; every form field with the words of its model."""

    formfield_overrides = FIELD_OVERRIDES
    #: For fields whose model says nothing: what a trainee needs to know.
    help_texts: ClassVar[dict[str, Any]] = {}

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return visible(super().get_queryset(request), request.user)  # type: ignore[misc]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if field is None:
            return None
        field.help_text = field.help_text or self.help_texts.get(db_field.name, "")
        field.show_hidden_initial = False  # what was read is known by its version
        return field

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs.setdefault("queryset", choices_for(db_field, request.user))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]


def visible(rows: QuerySet, user: Any) -> QuerySet:
    return rows.visible_to(user) if hasattr(rows, "visible_to") else rows


def choices_for(field: Any, user: Any) -> QuerySet:
    model = field.remote_field.model
    rows = visible(model._default_manager.all(), user)
    return rows.filter(is_active=True) if model is get_user_model() else rows


class GovernedAdmin(ExportsLists, BoundedLists, Limited, SimpleHistoryAdmin, ModelAdmin):
    """List, form and history of a governed model."""

    form = GovernedForm
    empty_value_display = EMPTY
    list_per_page = 50
    list_filter_submit = True
    list_horizontal_scrollbar_top = True
    warn_unsaved_form = True
    show_full_result_count = False
    save_on_top = False
    #: Said on an empty list, where "add one" is not the answer.
    empty_hint: Any = ""
    #: field -> the method that shows it in the person's format where it can't be edited
    shown_as: ClassVar[dict[str, str]] = {}
    #: A change may say why: kept in the history beside it.
    asks_reason = False
    change_form_before_template = "governance/admin/form_top.html"
    change_form_outer_after_template = "governance/admin/panels.html"

    # --- rights

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and self._within(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and self._within(request, obj)

    def _within(self, request: HttpRequest, obj: Any) -> bool:
        return not isinstance(obj, models.Model) or may_write(request.user, obj)

    # --- the form

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*super().get_readonly_fields(request, obj), *ROW_FACTS)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        own = list(super().get_fieldsets(request, obj))
        if obj is None:
            return own
        if not self.has_change_permission(request, obj):
            own = [(title, self._read(options)) for title, options in own]
        elif self.asks_reason:
            own.append((_("Why"), {"fields": (REASON,)}))
        return [*own, (_("Record"), {"fields": ROW_FACTS, "classes": ["collapse"]})]

    def _read(self, options: dict[str, Any]) -> dict[str, Any]:
        return {**options, "fields": tuple(self.shown_as.get(name, name) for name in options["fields"])}

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if self._asks(request, obj):
            # no field of the model: it stands beside them
            named = kwargs.get("fields") or flatten_fieldsets(self.get_fieldsets(request, obj))
            kwargs["fields"] = [name for name in named if name != REASON]
        made = super().get_form(request, obj, change=change, **kwargs)
        made.request, made.refused = request, getattr(request, "_refused", None)
        if self._asks(request, obj):
            made.base_fields[REASON] = reason_field()
        return made

    def _asks(self, request: HttpRequest, obj: Any) -> bool:
        return self.asks_reason and obj is not None and self.has_change_permission(request, obj)

    def _changeform_view(
        self, request: HttpRequest, object_id: str | None, form_url: str, extra_context: Any
    ) -> Any:
        why = request.POST.get(REASON, "").strip()[:MOST_REASON] if self.asks_reason else ""
        try:
            with acting(reason=why), transaction.atomic():
                return super()._changeform_view(request, object_id, form_url, extra_context)
        except (ValidationError, ProtectedError, RestrictedError, IntegrityError) as refused:
            if request.method != "POST":
                raise
            request._refused = as_refusal(refused)  # type: ignore[attr-defined]
        return super()._changeform_view(request, object_id, form_url, extra_context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> Any:
        extra_context = {**(extra_context or {}), "panels": self.panels(request, object_id)}
        return super().changeform_view(request, object_id, form_url, extra_context)

    def panels(self, request: HttpRequest, object_id: str | None) -> list[dict[str, Any]]:
        from governance.panels import panels_of

        row = self.get_object(request, unquote(object_id)) if object_id and request.method == "GET" else None
        return panels_of(row, request) if row is not None and self.has_view_permission(request, row) else []

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change and not set(form.changed_data) - {REASON}:
            return  # pressing Save on an untouched form changes no version and voids no approval
        self.write(request, obj, form, change)

    def write(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save one row; a model with a service of its own overrides this."""
        obj.save()

    def save_formset(self, request: HttpRequest, form: Any, formset: BaseModelFormSet, change: bool) -> None:
        rows = formset.save(commit=False)
        for gone in formset.deleted_objects:
            _told(gone, gone.delete)
        for row in rows:
            _told(row, row.save)
        formset.save_m2m()

    # --- deleting

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        obj.delete()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        """One by one, through the model's own door."""
        with transaction.atomic():
            for row in queryset:
                row.delete()

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except (ValidationError, ProtectedError, RestrictedError) as refused:
            tell(request, as_refusal(refused))
        return HttpResponseRedirect(self.page("change", object_id))

    def response_action(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        try:
            return super().response_action(request, queryset)
        except (ValidationError, ProtectedError, RestrictedError) as refused:
            tell(request, as_refusal(refused))
        return HttpResponseRedirect(request.get_full_path())

    # --- history

    @admin.display(description=_("version"))
    def version_now(self, row: Any) -> int:
        return row.version

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        self.row_or_404(request, object_id)
        return super().history_view(request, object_id, extra_context)

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: Any = None
    ) -> HttpResponse:
        row = self.row_or_404(request, object_id)
        if request.method == "POST":
            raise PermissionDenied  # an old state is read here, not written back around the fence
        if not self.has_change_permission(request, row):
            # the library fills the form with it, and who only reads has none: the trail says the same
            trail = reverse(f"{self.admin_site.name}:trail")
            return HttpResponseRedirect(f"{trail}?type={self.opts.label_lower}&object={row.pk}")
        return super().history_form_view(request, object_id, version_id, extra_context)

    def set_history_delta_changes(
        self, request: HttpRequest, historical_records: Any, foreign_keys_are_objs: bool = True
    ) -> None:
        """The library compares what forms hold; a status is moved by no form."""
        records = list(historical_records)
        for after, before in pairwise(records):
            after.history_delta_changes = changes_between(before, after)
        for record in records:
            record.history_change_reason = record.history_change_reason or ""

    def revert_disabled(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    # --- ways

    def row_or_404(self, request: HttpRequest, object_id: str) -> Any:
        """The row, if it is there and the person's."""
        row = self.get_object(request, unquote(str(object_id)))
        if row is None:
            raise Http404
        return row

    def page(self, name: str, *args: Any) -> str:
        meta = self.model._meta
        return reverse(f"{self.admin_site.name}:{meta.app_label}_{meta.model_name}_{name}", args=args)


class SharedAdmin(GovernedAdmin):
    """Rows that every brand and market lives by: changed by who has them all."""

    asks_reason = True

    def _within(self, request: HttpRequest, obj: Any) -> bool:
        return getattr(obj, "pk", None) is None or reach_of(request.user).everything


class LedgerAdmin(GovernedAdmin):
    """Facts: read, never written by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class PlainLedgerAdmin(ExportsLists, BoundedLists, Limited, ModelAdmin):
    """Likewise, for rows that have no history of their own."""

    empty_value_display = EMPTY
    list_per_page = 50
    list_filter_submit = True
    show_full_result_count = False
    empty_hint: Any = ""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class GovernedInline(Limited):
    form = GovernedInlineForm
    extra = 0
    show_change_link = True

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        made = super().get_formset(request, obj, **kwargs)  # type: ignore[misc]
        made.form.request = request
        return made


class GovernedStackedInline(GovernedInline, StackedInline):
    pass


class GovernedTabularInline(GovernedInline, TabularInline):
    def formfield_for_dbfield(self, db_field: models.Field, request: HttpRequest, **kwargs: Any) -> Any:
        """A cell has its column's heading above it, which a screen reader does not read: each input says it itself."""
        made = super().formfield_for_dbfield(db_field, request, **kwargs)
        if made is not None and made.label:
            made.widget.attrs.setdefault("aria-label", str(made.label))
        return made


class ReadOnlyTabularInline(Limited, TabularInline):
    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


# ---------------------------------------------------------------------------------------- refusals


def as_refusal(refused: Exception) -> ValidationError:
    """Any refusal in words."""
    if isinstance(refused, ValidationError):
        return refused
    if isinstance(refused, ProtectedError | RestrictedError):
        return ValidationError(_in_use(refused), code="in_use")
    text = _(
        "Somebody saved something alike in the same moment. Reload the page and look whether it is already there."
    )
    return ValidationError(text, code="collision")


def _in_use(refused: ProtectedError | RestrictedError) -> str:
    rows = refused.protected_objects if isinstance(refused, ProtectedError) else refused.restricted_objects
    names = sorted({str(row._meta.verbose_name_plural) for row in rows})
    return gettext("It is in use (%(names)s), so it can't be deleted.") % {"names": ", ".join(names)}


def _told(row: Any, act: Any) -> None:
    """An error of an inline's row names the row: the page has several."""
    try:
        act()
    except ValidationError as refused:
        who = f"{row._meta.verbose_name} “{getattr(row, 'name', '') or row.pk or ''}”"
        lines = [f"{who}: {text}" for text in refused.messages]
        raise ValidationError([text.replace("%", "%%") for text in lines]) from refused


def tell(request: HttpRequest, refused: ValidationError) -> None:
    for text in refused.messages:
        messages.error(request, text)


# -------------------------------------------------------------------------------------- shown values


def related(*names: str) -> list[tuple[str, type[FieldListFilter]]]:
    """Filters by related rows that offer only what the person may see (their autocomplete)."""
    return [(name, AutocompleteSelectFilter) for name in names]


def links(rows: Iterable[tuple[str, Any]], separator: str = ", ") -> SafeString | str:
    """(url, text) pairs as links; "–" for none."""
    made = format_html_join(mark_safe(separator), '<a class="ot-link" href="{}">{}</a>', rows)  # noqa: S308
    return made or EMPTY


def admin_link(row: Any, text: Any = None) -> SafeString | str:
    """A link to a row's admin page."""
    if row is None:
        return EMPTY
    url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    return format_html('<a class="ot-link" href="{}">{}</a>', url, text or row)


def mono(text: Any) -> SafeString | str:
    return format_html('<code class="ot-code">{}</code>', text) if text else EMPTY


def is_list(request: HttpRequest) -> bool:
    match = request.resolver_match
    return bool(match and match.url_name and match.url_name.endswith(("_changelist", "_export")))


# ------------------------------------------------------------------------------------- lists as text


class ListField(forms.CharField):
    """A list of texts, one a line (or between commas, with `between=","`)."""

    def __init__(self, *, between: str = "\n", **kwargs: Any) -> None:
        kwargs.setdefault(
            "widget",
            UnfoldAdminTextareaWidget(attrs={"rows": 3}) if between == "\n" else UnfoldAdminTextInputWidget(),
        )
        super().__init__(**{"required": False, **kwargs})
        self.between = between

    def to_python(self, value: Any) -> list[str]:
        pieces = value if isinstance(value, list) else str(value or "").replace("\r", "").split(self.between)
        return [piece.strip() for piece in pieces if piece.strip()]

    def prepare_value(self, value: Any) -> Any:
        glue = self.between if self.between == "\n" else f"{self.between} "
        return glue.join(map(str, value)) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (initial or []) != self.to_python(data)


class ChoicesField(forms.MultipleChoiceField):
    """A list of known codes, as boxes to tick."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "widget": UnfoldAdminCheckboxSelectMultipleWidget, **kwargs})


def as_list(db_field: models.Field, between: str = "\n", help_text: Any = None) -> ListField:
    """A JSON list of texts as a text field with the model's words."""
    return ListField(
        between=between, label=capfirst(db_field.verbose_name), help_text=help_text or db_field.help_text
    )


def as_boxes(
    db_field: models.Field, choices: Iterable[tuple[str, Any]], help_text: Any = None
) -> ChoicesField:
    return ChoicesField(
        choices=list(choices),
        label=capfirst(db_field.verbose_name),
        help_text=help_text or db_field.help_text,
    )
