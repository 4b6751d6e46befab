"""The campaign list's own: how far the tickets are, and dates and budgets of many at once."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextInputWidget,
)

from campaigns import bulk_edits, standing
from campaigns.bulk_edits import Edit
from campaigns.models import Campaign
from governance.admin_base import EMPTY, AmountField, AmountWidget, by_field

PERMISSION = "campaigns.change_campaign"
#: More at once can't be read.
MOST_AT_ONCE = 50


class EditForm(forms.Form):
    """What to do with all that are chosen."""

    kind = forms.ChoiceField(
        label=_("What to change"), choices=bulk_edits.KINDS, widget=UnfoldAdminSelectWidget,
        help_text=_("Fill in what belongs to it below; the rest is left alone."),
    )  # fmt: skip
    percent = forms.DecimalField(
        label=_("By how many per cent"), required=False, max_digits=6, decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "any"}), help_text=_("10 for a tenth more, -20 for a fifth less."),
    )  # fmt: skip
    amount = AmountField(
        label=_("To the amount"), required=False, widget=AmountWidget,
        help_text=_("Each budget becomes this amount, in its campaign's own currency."),
    )  # fmt: skip
    days = forms.IntegerField(
        label=_("By how many days"), required=False, min_value=-3650, max_value=3650, widget=UnfoldAdminIntegerFieldWidget,
        help_text=_("7 for a week later, -7 for a week earlier."),
    )  # fmt: skip
    start_on = forms.DateField(label=_("First day"), required=False, widget=UnfoldAdminSingleDateWidget)
    end_on = forms.DateField(label=_("Last day"), required=False, widget=UnfoldAdminSingleDateWidget)
    note = forms.CharField(
        label=_("Why"), required=False, max_length=500, widget=UnfoldAdminTextInputWidget,
        help_text=_("Stands in each campaign's history."),
    )  # fmt: skip

    def edit(self) -> Edit:
        return Edit(**self.cleaned_data)


class CampaignBulk:
    """Mixed into the campaign's admin."""

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        own = super().get_actions(request)  # type: ignore[misc]
        if not request.user.has_perm(PERMISSION):
            return own
        return {**own, "bulk_edit": (_start, "bulk_edit", _("Change dates or budgets…"))}

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.bulk_edit_view)  # type: ignore[attr-defined]
        own = super().get_urls()  # type: ignore[misc]
        return [path("bulk-edit/", view, name="campaigns_campaign_bulk_edit"), *own]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        found = super().get_changelist_instance(request)  # type: ignore[misc]
        rows = list(found.result_list)
        told = standing.tickets_of([row.pk for row in rows])
        for row in rows:
            row.tickets_told = told.get(row.pk, [])
        found.result_list = rows
        return found

    @admin.display(description=_("Tickets"))
    def tickets_now(self, row: Campaign) -> SafeString | str:
        told = getattr(row, "tickets_told", [])
        if not told:
            return EMPTY
        label = "unfold/helpers/label.html"
        made = ((SafeString(render_to_string(label, {"type": badge, "text": text})),) for badge, text in told)
        return format_html('<span class="ot-now">{}</span>', format_html_join(" ", "{}", made))

    def bulk_edit_view(self, request: HttpRequest) -> HttpResponse:
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        ids = [pk for pk in request.POST.getlist("row") if pk.isascii() and pk.isdecimal() and len(pk) < 19]
        rows = list(self.get_queryset(request).filter(pk__in=ids[:MOST_AT_ONCE]))  # type: ignore[attr-defined]
        if not rows:
            return HttpResponseRedirect(self.page("changelist"))  # type: ignore[attr-defined]
        return self.bulk_edit_page(request, rows, EditForm(request.POST if "kind" in request.POST else None))

    def bulk_edit_page(self, request: HttpRequest, rows: list[Campaign], form: EditForm) -> HttpResponse:
        context: dict[str, Any] = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": gettext("Change many campaigns"),  # type: ignore[attr-defined]
            "form": form, "rows": rows, "media": self.media + form.media,  # type: ignore[attr-defined]
            "back": self.page("changelist"), "target": self.page("bulk_edit"),  # type: ignore[attr-defined]
        }  # fmt: skip
        if form.is_bound and form.is_valid():
            self._fill_edit(request, rows, form, context)
        return TemplateResponse(request, "campaigns/admin/bulk_edit.html", context)

    def _fill_edit(
        self, request: HttpRequest, rows: list[Campaign], form: EditForm, context: dict[str, Any]
    ) -> None:
        """The preview, or, once it is confirmed, the results."""
        try:
            if "confirmed" in request.POST:
                seen = _versions_seen(request, rows)
                context["results"] = bulk_edits.carry_out(rows, form.edit(), by=request.user, seen=seen)
            else:
                context["previews"] = bulk_edits.preview(rows, form.edit(), by=request.user)
                context["possible"] = sum(not each.refusal for each in context["previews"])
        except ValidationError as refused:
            for name, errors in by_field(refused).items():
                form.add_error(name if name in form.fields else None, errors)


def _versions_seen(request: HttpRequest, rows: list[Campaign]) -> dict[int, int]:
    """What the preview was read at. A confirmation without it was not read: it counts as an older version."""
    told = {row.pk: request.POST.get(f"version-{row.pk}", "") for row in rows}
    return {
        pk: int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
        for pk, text in told.items()
    }


def _start(page: Any, request: HttpRequest, queryset: QuerySet[Campaign]) -> HttpResponse | None:
    rows = list(queryset.select_related(*page.list_select_related)[: MOST_AT_ONCE + 1])
    if len(rows) > MOST_AT_ONCE:
        messages.error(
            request, gettext("Choose at most %(most)s campaigns at once.") % {"most": MOST_AT_ONCE}
        )
        return None
    answer: HttpResponse = page.bulk_edit_page(request, rows, EditForm())
    return answer
