"""Lists that are edited in place, as a sheet: several rows changed, saved once, all or none.

Codes are not edited here: they stand in names, and their own page asks with what a change means.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from governance.access import reach_of
from governance.actor import MOST_REASON, acting
from governance.admin_base import REASON, GovernedAdmin, GovernedForm, as_refusal, tell


class VersionInput(forms.HiddenInput):
    """The version that the row was read at, seen and sent."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        return format_html("{}v{}", super().render(name, value, attrs, renderer), value or "")


class GridForm(GovernedForm):
    """One row of the grid. A row that nobody touched is neither checked nor saved."""

    admin: ClassVar[Any] = None

    version = forms.IntegerField(required=False, widget=VersionInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.empty_permitted = True
        for field in self.fields.values():
            field.widget.attrs.setdefault("aria-label", f"{field.label} · {self.instance}")

    def _require_reach(self) -> None:
        if not self.errors and not self.admin.has_change_permission(self.request, self.instance):
            text = _("This row serves brands or markets that are not yours: ask a data admin.")
            self.add_error(None, ValidationError(text, code="outside_reach"))
            self.add_error("version", ValidationError(text, code="outside_reach"))

    def _require_fresh(self, read: int | None) -> None:
        """At the row: the grid has no page of its own for what concerns a whole row."""
        super()._require_fresh(read)
        for error in self.non_field_errors().as_data():
            if error.code == "stale_version":
                self.add_error("version", error)


class EditedInGrid(GovernedAdmin):
    """`list_editable` for who may change every row of the kind; others read, and change on a row's own page."""

    list_before_template = "governance/admin/grid.html"
    #: A row of inputs takes several times as long to draw as a row of texts.
    list_per_page = 25

    def edits_all(self, request: HttpRequest) -> bool:
        return self.has_change_permission(request) and reach_of(request.user).everything

    def get_list_display(self, request: HttpRequest) -> Any:
        own = super().get_list_display(request)
        if self.edits_all(request):
            return (*own, "version")
        return tuple(self.shown_as.get(name, name) for name in own)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        made = super().get_changelist_instance(request)
        if not self.edits_all(request):
            made.list_editable = ()
        return made

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        made = super().get_changelist_form(request, **{"form": GridForm, **kwargs})
        made.request, made.admin, made.refused = request, self, None
        return made

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        why = request.POST.get(REASON, "").strip()[:MOST_REASON]
        try:
            with acting(reason=why), transaction.atomic():
                return super().changelist_view(request, extra_context)
        except (ValidationError, IntegrityError) as refused:
            tell(request, as_refusal(refused))
        return HttpResponseRedirect(request.get_full_path())
