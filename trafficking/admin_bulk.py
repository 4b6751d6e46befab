"""The pages of a bulk change: what, then before and after of each ticket, then what became of each.

Drafts are edited in place; what is built gets a ticket that follows.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from governance.admin_base import AmountField, AmountWidget, by_field
from trafficking import bulk_edits, bulk_requests
from trafficking.bulk_requests import Wish
from trafficking.models import Ticket

PERMISSION = "trafficking.change_ticket"
#: More at once can't be read.
MOST_AT_ONCE = 50


class WishForm(forms.Form):
    """What to do with all that are chosen."""

    kind = forms.ChoiceField(
        label=_("What to change"), choices=bulk_requests.KINDS, widget=UnfoldAdminSelectWidget,
        help_text=_("Fill in what belongs to it below; the rest is left alone."),
    )  # fmt: skip
    percent = forms.DecimalField(
        label=_("By how many per cent"), required=False, max_digits=6, decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "any"}),
        help_text=_("10 for a tenth more, -20 for a fifth less. Each budget, rounded to what the platform can express."),
    )  # fmt: skip
    amount = AmountField(
        label=_("To the amount"), required=False, widget=AmountWidget,
        help_text=_("Each budget becomes this amount, in its account's own currency."),
    )  # fmt: skip
    days = forms.IntegerField(
        label=_("By how many days"), required=False, min_value=-3650, max_value=3650, widget=UnfoldAdminIntegerFieldWidget,
        help_text=_("7 for a week later, -7 for a week earlier: first and last day, and those that ad sets have of their own."),
    )  # fmt: skip
    start_on = forms.DateField(
        label=_("First day"), required=False, widget=UnfoldAdminSingleDateWidget,
        help_text=_("By each account's clocks. Ad sets with a later day of their own keep it."),
    )  # fmt: skip
    end_on = forms.DateField(
        label=_("Last day"), required=False, widget=UnfoldAdminSingleDateWidget,
        help_text=_("By each account's clocks. Ad sets with an earlier day of their own keep it."),
    )  # fmt: skip
    find = forms.CharField(
        label=_("Find in landing pages"), required=False, max_length=2000, widget=UnfoldAdminTextInputWidget,
        help_text=_("Exactly these characters, such as https://old.example.com/"),
    )  # fmt: skip
    put = forms.CharField(
        label=_("Put in its place"), required=False, max_length=2000, widget=UnfoldAdminTextInputWidget
    )
    note = forms.CharField(
        label=_("What was asked"), required=False, max_length=2000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text=_("Who asked for it and why. The approver reads it, and it stands on the QA documents."),
    )  # fmt: skip

    def wish(self) -> Wish:
        return Wish(**self.cleaned_data)


class BulkChange:
    """The list action on tickets, and its page. Mixed into the ticket's admin."""

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        own = super().get_actions(request)  # type: ignore[misc]
        if not request.user.has_perm(PERMISSION):
            return own
        return {
            **own,
            "bulk_change": (_start, "bulk_change", _("Change dates, budgets, pages…")),
            "bulk_pause": (_start_pause, "bulk_pause", _("Pause…")),
        }

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.bulk_change_view)  # type: ignore[attr-defined]
        own = super().get_urls()  # type: ignore[misc]
        return [path("bulk-change/", view, name="trafficking_ticket_bulk_change"), *own]

    def bulk_change_view(self, request: HttpRequest) -> HttpResponse:
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        ids = [pk for pk in request.POST.getlist("ticket") if pk.isdecimal() and len(pk) < 19][:MOST_AT_ONCE]
        rows = list(self.get_queryset(request).filter(pk__in=ids))  # type: ignore[attr-defined]
        if not rows:
            return HttpResponseRedirect(self.page("changelist"))  # type: ignore[attr-defined]
        return self.bulk_page(request, rows, WishForm(request.POST if "kind" in request.POST else None))

    def bulk_page(self, request: HttpRequest, rows: list[Ticket], form: WishForm) -> HttpResponse:
        context: dict[str, Any] = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": gettext("Change many tickets"),  # type: ignore[attr-defined]
            "form": form, "tickets": rows, "media": self.media + form.media,  # type: ignore[attr-defined]
            "back": self.page("changelist"), "target": self.page("bulk_change"),  # type: ignore[attr-defined]
        }  # fmt: skip
        if form.is_bound and form.is_valid():
            self._fill(request, rows, form, context)
        return TemplateResponse(request, "trafficking/admin/bulk.html", context)

    def _fill(
        self, request: HttpRequest, rows: list[Ticket], form: WishForm, context: dict[str, Any]
    ) -> None:
        """The preview, or, once it is confirmed, the results."""
        try:
            if "confirmed" in request.POST:
                seen = _versions_seen(request, rows)
                context["results"] = bulk_edits.carry_out(rows, form.wish(), by=request.user, seen=seen)
            else:
                context["previews"] = bulk_edits.preview(rows, form.wish(), by=request.user)
                context["possible"] = sum(not each.refusal for each in context["previews"])
                context["edits"] = any(each.in_place for each in context["previews"])
        except ValidationError as refused:
            for name, errors in by_field(refused).items():
                form.add_error(name if name in form.fields else None, errors)


def _versions_seen(request: HttpRequest, rows: list[Ticket]) -> dict[int, int]:
    """What the preview was read at. A confirmation without it was not read: it counts as an older version."""
    told = {row.pk: request.POST.get(f"version-{row.pk}", "") for row in rows}
    return {
        pk: int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
        for pk, text in told.items()
    }


def _start(page: Any, request: HttpRequest, queryset: QuerySet[Ticket]) -> HttpResponse | None:
    return _page_for(page, request, queryset, WishForm())


def _start_pause(page: Any, request: HttpRequest, queryset: QuerySet[Ticket]) -> HttpResponse | None:
    return _page_for(page, request, queryset, WishForm({"kind": "pause"}))


def _page_for(
    page: Any, request: HttpRequest, queryset: QuerySet[Ticket], form: WishForm
) -> HttpResponse | None:
    rows = list(queryset.select_related(*page.list_select_related)[: MOST_AT_ONCE + 1])
    if len(rows) > MOST_AT_ONCE:
        messages.error(request, gettext("Choose at most %(most)s tickets at once.") % {"most": MOST_AT_ONCE})
        return None
    answer: HttpResponse = page.bulk_page(request, rows, form)
    return answer
