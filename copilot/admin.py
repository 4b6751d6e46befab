"""Guidelines with how far they are read, budgets of models, and what was spent."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import AdminForm
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from copilot.guidelines.library import Added, add_document, delete_document, may_change, rename_document
from copilot.models import CallBudget, GuidelineDocument, ModelCall
from governance.admin_base import EMPTY, GovernedAdmin, PlainLedgerAdmin, related
from governance.models import Brand
from governance.platforms import Platform

STATE_BADGES = {
    "WAITING": "info", "READING": "info", "READY": "success", "FLAGGED": "warning", "REFUSED": "danger",
}  # fmt: skip
OUTCOME_BADGES = {
    "ASKING": "info", "ANSWERED": "success", "INVALID": "warning", "FAILED": "danger", "OVER_BUDGET": "warning",
}  # fmt: skip


class UploadForm(forms.Form):
    file = forms.FileField(
        label=_("File"), widget=UnfoldAdminFileFieldWidget,
        help_text=_("PDF, Markdown, text or DOCX. One of the same name, brand and platform is replaced."),
    )  # fmt: skip
    brand = forms.ModelChoiceField(
        Brand.objects.none(), label=_("Brand"), required=False, widget=UnfoldAdminSelectWidget,
        help_text=_("Whose guidelines these are. Empty: they are for every brand."),
    )  # fmt: skip
    platform = forms.ChoiceField(
        label=_("Platform"), required=False, widget=UnfoldAdminSelectWidget, choices=[("", _("All")), *Platform.choices],
        help_text=_("Only for tickets on this platform, such as its ad policy."),
    )  # fmt: skip
    title = forms.CharField(
        label=_("Title"), required=False, max_length=200, widget=UnfoldAdminTextInputWidget,
        help_text=_("As people call it. Empty: the file's own."),
    )  # fmt: skip

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        mine = [row.pk for row in Brand.objects.current() if may_change(user, row.pk)]
        self.fields["brand"].queryset = Brand.objects.filter(pk__in=mine).order_by("code")  # type: ignore[attr-defined]

    def save(self) -> Added | None:
        """None: it was refused, and the form says why."""
        given = self.cleaned_data
        file = given.pop("file")
        try:
            return add_document(name=file.name, content=file.read(), by=self.user, **given)
        except ValidationError as refused:
            for text in refused.messages:
                self.add_error("file", text)
        except PermissionDenied:
            self.add_error("brand", _("Choose a brand: documents for every brand are not yours to change."))
        return None


@admin.register(GuidelineDocument)
class GuidelineDocumentAdmin(GovernedAdmin):
    empty_hint = _("Upload what the brand wrote: it is searched, and told on the tickets that it is about.")
    list_display = (
        "title_shown",
        "brand",
        "platform",
        "state_badge",
        "progress_shown",
        "passages",
        "uploaded_by",
        "updated_at",
    )
    list_filter = ("state", "platform", *related("brand", "uploaded_by"))
    search_fields = ("title", "file_name")
    list_select_related = ("brand", "uploaded_by")
    ordering = ("-id",)
    readonly_fields = (
        "brand", "platform", "file_name", "state_badge", "progress_shown", "notes", "pages", "passages", "size", "sha256", "uploaded_by",
        "indexed_at",
    )  # fmt: skip
    fieldsets = (
        (None, {"fields": ("title", "brand", "platform", "file_name")}),
        (
            _("Reading"),
            {"fields": ("state_badge", "progress_shown", "notes", "pages", "passages", "indexed_at")},
        ),
        (_("Origin"), {"fields": ("uploaded_by", "size", "sha256")}),
    )
    help_texts: ClassVar[dict[str, Any]] = {"title": _("As people call it; it is read again with a new one.")}

    def _within(self, request: HttpRequest, obj: Any) -> bool:
        return not isinstance(obj, GuidelineDocument) or may_change(request.user, obj.brand_id)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = UploadForm(request.user, request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid() and (added := form.save()):
            self._tell(request, added)
            return HttpResponseRedirect(self.page("change", added.row.pk))
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": gettext("Upload guidelines"), "form": form,
            "adminform": AdminForm(form, [(None, {"fields": list(form.fields)})], {}), "media": self.media + form.media,
            "back": self.page("changelist"), "submit": gettext("Upload it"),
        }  # fmt: skip
        return TemplateResponse(request, "trafficking/admin/media_add.html", context)

    def _tell(self, request: HttpRequest, added: Added) -> None:
        texts = {
            "new": gettext("“%(name)s” is being read: this page tells how far it is."),
            "replaced": gettext("“%(name)s” is being read and replaces what was there."),
            "unchanged": gettext("“%(name)s” is here already, with this very content."),
        }
        messages.success(request, texts[added.what] % {"name": added.row.file_name})

    def write(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        rename_document(row=obj, by=request.user)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        delete_document(row=obj, by=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        for row in queryset:
            delete_document(row=row, by=request.user)

    @admin.display(description=_("title"), ordering="title")
    def title_shown(self, row: GuidelineDocument) -> str:
        return str(row)

    @display(description=_("state"), ordering="state", label=STATE_BADGES)
    def state_badge(self, row: GuidelineDocument) -> tuple[str, str]:
        return row.state, row.get_state_display()

    @admin.display(description=_("progress"))
    def progress_shown(self, row: GuidelineDocument) -> SafeString | str:
        if row.state != row.State.READING:
            return EMPTY if row.state == row.State.REFUSED else f"{row.progress} %"
        label = gettext("%(progress)s percent read") % {"progress": row.progress}
        return format_html(
            '<progress max="100" value="{}" aria-label="{}"></progress> {} %',
            row.progress,
            label,
            row.progress,
        )

    @admin.display(description=_("notes"))
    def notes(self, row: GuidelineDocument) -> SafeString | str:
        lines = [(each.message, each.remedy) for each in row.all_problems]
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{} {}</li>", lines)) if lines else EMPTY


@admin.register(CallBudget)
class CallBudgetAdmin(GovernedAdmin):
    empty_hint = _("Brands without a budget of their own have the house's.")
    list_display = ("brand", "daily_usd", "updated_at")
    list_select_related = ("brand",)
    autocomplete_fields = ("brand",)
    search_fields = ("brand__code", "brand__name")
    fieldsets = ((None, {"fields": ("brand", "daily_usd")}),)


@admin.register(ModelCall)
class ModelCallAdmin(PlainLedgerAdmin):
    empty_hint = _("No model was asked yet.")
    list_display = (
        "at",
        "purpose",
        "brand",
        "model",
        "tokens_in",
        "tokens_out",
        "cost_usd",
        "duration_ms",
        "redactions",
        "outcome_badge",
        "problem",
    )
    list_filter = ("outcome", "purpose", *related("brand"), ("at", RangeDateTimeFilter))
    list_select_related = ("brand",)
    ordering = ("-id",)

    @display(description=_("outcome"), ordering="outcome", label=OUTCOME_BADGES)
    def outcome_badge(self, row: ModelCall) -> tuple[str, str]:
        return row.outcome, row.get_outcome_display()
