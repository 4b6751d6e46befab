"""What is watched on the platforms: drift and what becomes of it, what accounts have besides, alerts, uploads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.timezone import localtime
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from campaigns.models import BudgetType
from deploy import adoption, alerts, drift, inventory, selectors
from deploy.models import AccountWatch, Alert, Drift, ExistingObject, MediaUpload
from governance.admin_base import (
    EMPTY,
    AmountField,
    AmountWidget,
    PlainLedgerAdmin,
    admin_link,
    is_list,
    mono,
    related,
)
from governance.findings import Finding
from governance.list_filters import one_of
from governance.models import AdAccount, Brand, Channel, Market
from governance.models.aliases import Objective
from governance.panels import Panel, register
from trafficking.change_lines import TYPE_WORDS, field_words, type_words, value_words
from trafficking.models import PlatformObject
from trafficking.platforms.registry import platform

#: More at once can't be read.
MOST_AT_ONCE = 50
PLATFORM_STATUSES = PlatformObject._meta.get_field("status").choices


class ChosenRows(PlainLedgerAdmin):
    """A list whose actions ask on a page first, then tell of each row how it went."""

    #: action -> (label, explanation, permission)
    decisions: dict[str, tuple[Any, Any, str]] = {}
    decide_template = "deploy/admin/decide.html"
    #: a form of the action's own: `forms_of[name](request, data)`
    forms_of: dict[str, Callable[..., forms.Form]] = {}

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        own = super().get_actions(request)
        return own | {
            f"ask_{name}": (_asks(name), f"ask_{name}", label)
            for name, (label, _explanation, permission) in self.decisions.items()
            if request.user.has_perm(permission)
        }

    def get_urls(self) -> list[URLPattern]:
        meta = self.opts
        decide = self.admin_site.admin_view(self.decide)
        name = f"{meta.app_label}_{meta.model_name}_decide"
        return [path("decide/<slug:name>/", decide, name=name), *super().get_urls()]

    def page(self, name: str, *args: Any) -> str:
        return reverse(
            f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_{name}", args=args
        )

    def decide(self, request: HttpRequest, name: str) -> HttpResponse:
        if name not in self.decisions or not request.user.has_perm(self.decisions[name][2]):
            raise PermissionDenied
        rows = self.chosen(request, request.POST.getlist("row"))
        if not rows:
            return HttpResponseRedirect(self.page("changelist"))
        form = self.form_of(request, name, request.POST if "confirmed" in request.POST else None)
        if not form.is_bound or not form.is_valid():
            return self.ask(request, name, rows, form)
        self.carry_out(request, name, rows, form.cleaned_data)
        return HttpResponseRedirect(self.page("changelist"))

    def chosen(self, request: HttpRequest, keys: list[str]) -> list[Any]:
        ids = [each for each in keys if each.isdecimal() and len(each) < 19][:MOST_AT_ONCE]
        return list(self.get_queryset(request).filter(pk__in=ids))

    def form_of(self, request: HttpRequest, name: str, data: Any) -> forms.Form:
        return self.forms_of.get(name, _plain_form)(request, data)

    def ask(self, request: HttpRequest, name: str, rows: list[Any], form: forms.Form) -> HttpResponse:
        label, explanation, _permission = self.decisions[name]
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": label, "form": form,
            "explanation": explanation, "rows": [self.line(row) for row in rows], "columns": self.line_columns,
            "target": self.page("decide", name), "back": self.page("changelist"), "media": self.media + form.media,
        }  # fmt: skip
        return TemplateResponse(request, self.decide_template, context)

    line_columns: tuple[Any, ...] = ()

    def line(self, row: Any) -> dict[str, Any]:
        """Cells of a row on the page that asks."""
        raise NotImplementedError

    def carry_out(self, request: HttpRequest, name: str, rows: list[Any], given: dict[str, Any]) -> None:
        for row in rows:
            try:
                text = self.do(request, name, row, given)
            except PermissionDenied:
                messages.error(request, f"{row}: {gettext('You may not do that here.')}")
            except ValidationError as refused:
                messages.error(request, f"{row}: {' '.join(refused.messages)}")
            else:
                messages.success(request, f"{row}: {text}")

    def do(self, request: HttpRequest, name: str, row: Any, given: dict[str, Any]) -> str:
        raise NotImplementedError


def _asks(name: str) -> Callable[..., HttpResponse | None]:
    def chosen(page: ChosenRows, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        rows = list(queryset[: MOST_AT_ONCE + 1])
        if len(rows) > MOST_AT_ONCE:
            text = gettext("Choose at most %(most)s rows at once.") % {"most": MOST_AT_ONCE}
            messages.error(request, text)
            return None
        return page.ask(request, name, rows, page.form_of(request, name, None))

    return chosen


class CommentForm(forms.Form):
    comment = forms.CharField(
        label=_("Comment"), required=False, max_length=1000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text=_("Stands with the decision."),
    )  # fmt: skip


class ReasonForm(forms.Form):
    comment = forms.CharField(
        label=_("Reason"), max_length=1000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text=_("For whoever reads it later."),
    )  # fmt: skip


def _plain_form(_request: HttpRequest, data: Any) -> forms.Form:
    return CommentForm(data)


def _reason_form(_request: HttpRequest, data: Any) -> forms.Form:
    return ReasonForm(data)


# --------------------------------------------------------------------------------------------- drift

DECIDE = "deploy.decide_drift"
DRIFT_BADGES = {"OPEN": "danger", "ADOPTED": "success", "RESTORING": "warning", "IGNORED": "info", "GONE": ""}


@admin.register(Drift)
class DriftAdmin(ChosenRows):
    empty_hint = _("Nothing differs: what platforms have is what was applied.")
    list_display = (
        "object_shown", "field_shown", "applied_shown", "wanted_shown", "live_shown", "state_badge", "found_shown",
        "decided_shown",
    )  # fmt: skip
    list_filter = (
        "state", one_of("held__object_type", TYPE_WORDS.items()), *related("held__ad_account"), ("found_at", RangeDateFilter)
    )  # fmt: skip
    search_fields = ("held__name", "held__external_id", "field", "reason")
    list_select_related = (
        "held__ad_account",
        "held__tree__campaign",
        "decided_by",
        "request__campaign",
        "request__channel",
    )
    ordering = ("-id",)
    fields = (
        "object_shown", "account_shown", "field_shown", "applied_shown", "wanted_shown", "live_shown", "state",
        "found_at", "reason", "decided_by", "decided_at", "request_shown",
    )  # fmt: skip
    readonly_fields = (
        "object_shown", "account_shown", "field_shown", "applied_shown", "wanted_shown", "live_shown", "request_shown",
    )  # fmt: skip
    decisions = {
        "adopt": (
            _("Adopt: the platform's value stays"),
            _("The platform's value counts as applied, and as wanted until a ticket asks for another one."),
            DECIDE,
        ),
        "restore": (
            _("Restore: back to what the ticket wants"),
            _("A ticket is made that sets it right again, and submitted: it is approved and deployed like any other."
              " Of several fields of one campaign restore one: its ticket sets all of them right."),
            DECIDE,
        ),
        "ignore": (
            _("Ignore with a reason"),
            _("It is let be and not told again, until the platform's value changes once more."),
            DECIDE,
        ),
    }  # fmt: skip
    forms_of = {"ignore": _reason_form}
    line_columns = (_("Object"), _("Field"), _("Applied"), _("Wanted"), _("Live"))

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        mine = selectors.drift_visible_to(request.user).values("pk")
        rows = super().get_queryset(request).filter(pk__in=mine).select_related(*self.list_select_related)
        return (
            rows.defer("held__ad_account__credentials", "held__applied", "held__live")
            if is_list(request)
            else rows
        )

    @admin.display(description=_("Object"), ordering="held__name")
    def object_shown(self, row: Drift) -> SafeString | str:
        kind = type_words(row.held.object_type)
        return format_html(
            '<span class="text-xs uppercase">{}</span> {}', kind, admin_link(row.held, row.held.name)
        )

    @admin.display(description=_("Account"), ordering="held__ad_account")
    def account_shown(self, row: Drift) -> SafeString | str:
        return admin_link(row.held.ad_account)

    @admin.display(description=_("Field"), ordering="field")
    def field_shown(self, row: Drift) -> str:
        return field_words(row.field) or gettext("the whole object")

    @admin.display(description=_("Applied"))
    def applied_shown(self, row: Drift) -> str:
        return self._value(row, row.applied)

    @admin.display(description=_("Wanted"))
    def wanted_shown(self, row: Drift) -> str:
        return self._value(row, row.wanted)

    @admin.display(description=_("Live"))
    def live_shown(self, row: Drift) -> SafeString | str:
        return format_html('<strong class="ot-strong">{}</strong>', self._value(row, row.live))

    def _value(self, row: Drift, value: Any) -> str:
        account = row.held.ad_account
        field = row.field or "status"
        return value_words(platform(account.platform), field, value, account)

    @admin.display(description=_("Found"), ordering="found_at")
    def found_shown(self, row: Drift) -> SafeString:
        when = date_format(localtime(row.found_at), "DATETIME_FORMAT")
        return format_html(
            '<span class="whitespace-nowrap" title="{}">{}</span>', when, timesince(row.found_at, depth=1)
        )

    @display(description=_("State"), ordering="state", label=DRIFT_BADGES)
    def state_badge(self, row: Drift) -> tuple[str, str]:
        return row.state, row.get_state_display()

    @admin.display(description=_("Decided"))
    def decided_shown(self, row: Drift) -> SafeString | str:
        if row.request_id:
            return self.request_shown(row)
        return f"{row.decided_by}: {row.reason}".strip(": ") if row.decided_by_id else EMPTY

    @admin.display(description=_("Ticket that puts it right"))
    def request_shown(self, row: Drift) -> SafeString | str:
        return admin_link(row.request, f"{row.request_id} · {row.request}") if row.request_id else EMPTY

    def line(self, row: Drift) -> dict[str, Any]:
        values = (self.applied_shown(row), self.wanted_shown(row), self.live_shown(row))
        return {"pk": row.pk, "cells": [self.object_shown(row), self.field_shown(row), *values]}

    def do(self, request: HttpRequest, name: str, row: Drift, given: dict[str, Any]) -> str:
        comment = given["comment"]
        if name == "adopt":
            drift.adopt(drift=row, by=request.user, comment=comment)
            return gettext("adopted.")
        if name == "ignore":
            drift.ignore(drift=row, by=request.user, reason=comment)
            return gettext("ignored.")
        ticket = drift.restore(drift=row, by=request.user, comment=comment)
        text = gettext("ticket %(number)s restores it: it is '%(status)s'.")
        return text % {"number": ticket.pk, "status": ticket.get_status_display()}


# ------------------------------------------------------------------------------- existing campaigns


class NoteForm(forms.Form):
    note = forms.CharField(
        label=_("Note"), required=False, max_length=1000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text=_("Stands on the ticket."),
    )  # fmt: skip


class WishesForm(NoteForm):
    """What neither the name nor the platform's fields say. It holds for all that are chosen."""

    brand = forms.ModelChoiceField(
        Brand.objects.none(), label=_("Brand"), required=False, widget=UnfoldAdminSelectWidget
    )
    market = forms.ModelChoiceField(
        Market.objects.none(), label=_("Market"), required=False, widget=UnfoldAdminSelectWidget
    )
    channel = forms.ModelChoiceField(
        Channel.objects.none(), label=_("Channel"), required=False, widget=UnfoldAdminSelectWidget
    )
    name = forms.CharField(
        label=_("Campaign name"), required=False, max_length=200, widget=UnfoldAdminTextInputWidget,
        help_text=_("As people call it. Empty: as its name on the platform says. Only for one at a time."),
    )  # fmt: skip
    objective = forms.ChoiceField(
        label=_("Objective"), required=False, choices=[("", _("As the platform says")), *Objective.choices],
        widget=UnfoldAdminSelectWidget,
    )  # fmt: skip
    budget = AmountField(
        label=_("Budget"), required=False, widget=AmountWidget,
        help_text=_("The most that it may spend, in the account's currency: later changes are held against it."),
    )  # fmt: skip
    budget_type = forms.ChoiceField(
        label=_("Budget type"),
        choices=BudgetType.choices,
        initial=BudgetType.LIFETIME,
        widget=UnfoldAdminSelectWidget,
    )
    start_on = forms.DateField(label=_("First day"), required=False, widget=UnfoldAdminSingleDateWidget)
    end_on = forms.DateField(label=_("Last day"), required=False, widget=UnfoldAdminSingleDateWidget)
    field_order = (
        "brand", "market", "channel", "name", "objective", "budget", "budget_type", "start_on", "end_on", "note",
    )  # fmt: skip

    def __init__(self, request: HttpRequest, data: Any = None) -> None:
        super().__init__(data)
        for name, model in (("brand", Brand), ("market", Market), ("channel", Channel)):
            self.fields[name].queryset = model.objects.visible_to(request.user).current()  # type: ignore[attr-defined]
            self.fields[name].empty_label = gettext("As the name says")  # type: ignore[attr-defined]


def wishes_of(given: dict[str, Any]) -> adoption.Wishes:
    wishes: dict[str, Any] = {name: value or None for name, value in given.items() if name != "note"}
    return adoption.Wishes(**wishes)


LEGAL_BADGES = {"legal": "success", "other": "warning"}


class GovernedFilter(admin.SimpleListFilter):
    title = _("governed")
    parameter_name = "governed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("By a ticket of ours")), ("no", _("By nobody yet"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() is None:
            return queryset
        return queryset.filter(governed_by__isnull=self.value() == "no")


@admin.register(ExistingObject)
class ExistingObjectAdmin(ChosenRows):
    empty_hint = _(
        "Import an ad account: all that it has is read, and each name is held against the convention."
    )
    list_display = (
        "name_shown", "type_shown", "account_shown", "status", "legal_badge", "proposed_shown", "governed_shown", "seen_at",
    )  # fmt: skip
    list_filter = (
        one_of("object_type", TYPE_WORDS.items()), "legal", GovernedFilter, *related("ad_account"), one_of("status", PLATFORM_STATUSES or ())
    )  # fmt: skip
    search_fields = ("name", "external_id", "proposed_name")
    list_select_related = ("ad_account", "governed_by__tree__campaign")
    ordering = ("ad_account_id", "name", "id")  # as its index
    actions_list = ("import_account",)
    list_before_template = "deploy/admin/existing_before.html"
    fields = (
        "name", "type_shown", "external_id", "ad_account", "status", "delivery", "legal", "why_shown", "proposed_name",
        "parts", "proposed_parts", "governed_shown", "fields", "seen_at",
    )  # fmt: skip
    readonly_fields = ("type_shown", "why_shown", "governed_shown")
    decisions = {
        "adopt": (
            _("Adopt under governance"),
            _("Nothing is sent. A campaign and a ticket are made that stand for what runs there; from then on it is"
              " watched for drift, and changed, paused, renamed or archived through tickets."),
            "trafficking.add_ticket",
        ),
        "rename": (
            _("Make a rename plan"),
            _("For each campaign a ticket that gives it and all under it their legal names, submitted for approval."
              " What is governed by nobody yet is adopted first. Ids, learning and results stay."),
            "trafficking.add_ticket",
        ),
    }  # fmt: skip
    forms_of = {"adopt": WishesForm, "rename": WishesForm}
    line_columns = (
        _("On the platform"),
        _("Account"),
        _("Nearest legal name"),
        _("What is wrong, and what to do"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        mine = selectors.existing_visible_to(request.user).values("pk")
        rows = super().get_queryset(request).filter(pk__in=mine).select_related(*self.list_select_related)
        return rows.defer("ad_account__credentials", "fields") if is_list(request) else rows

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        account = account_in(request)
        scores = account_context(account, request) if account is not None else None
        return super().changelist_view(request, {**(extra_context or {}), "inventory": scores})

    @admin.display(description=_("On the platform"), ordering="name")
    def name_shown(self, row: ExistingObject) -> str:
        return row.name or row.external_id

    @admin.display(description=_("Ad account"), ordering="ad_account__name")
    def account_shown(self, row: ExistingObject) -> str:
        return row.ad_account.name

    @admin.display(description=_("Type"), ordering="object_type")
    def type_shown(self, row: ExistingObject) -> str:
        return type_words(row.object_type)

    @display(description=_("Name"), ordering="legal", label=LEGAL_BADGES)
    def legal_badge(self, row: ExistingObject) -> Any:
        if row.object_type not in inventory.LEVELS:
            return None
        return ("legal", gettext("Legal")) if row.legal else ("other", gettext("Not legal"))

    @admin.display(description=_("Nearest legal name"), ordering="proposed_name")
    def proposed_shown(self, row: ExistingObject) -> str:
        return row.proposed_name or EMPTY

    @admin.display(description=_("Governed as"), ordering="governed_by")
    def governed_shown(self, row: ExistingObject) -> SafeString | str:
        return admin_link(row.governed_by, row.governed_by.tree.campaign) if row.governed_by else EMPTY

    @admin.display(description=_("What is wrong, and what to do"))
    def why_shown(self, row: ExistingObject) -> str:
        return (
            " ".join(f"{each.message} {each.remedy}" for each in map(Finding.from_dict, row.findings))
            or EMPTY
        )

    def line(self, row: ExistingObject) -> dict[str, Any]:
        cells = [self.name_shown(row), row.ad_account, self.proposed_shown(row), self.why_shown(row)]
        return {"pk": row.pk, "cells": cells}

    def carry_out(self, request: HttpRequest, name: str, rows: list[Any], given: dict[str, Any]) -> None:
        if len(rows) > 1 and given.get("name"):
            messages.error(request, gettext("One name can't be that of several campaigns: nothing was done."))
            return
        super().carry_out(request, name, rows, given)

    def do(self, request: HttpRequest, name: str, row: ExistingObject, given: dict[str, Any]) -> str:
        wishes, note = wishes_of(given), given.get("note", "")
        if name == "adopt":
            ticket = adoption.adopt_campaign(existing=row, by=request.user, wishes=wishes, note=note)
            return gettext("adopted as ticket %(number)s.") % {"number": ticket.pk}
        (result,) = adoption.rename_plan(
            account=row.ad_account, existing_ids=[row.pk], by=request.user, wishes=wishes, note=note
        )
        if result.errors:
            raise ValidationError([text.replace("%", "%%") for text in result.errors])
        assert result.ticket is not None
        return gettext("ticket %(number)s renames it: it waits for approval.") % {"number": result.ticket.pk}

    @action(
        description=_("Import an account…"), url_path="import", icon="sync", variant=ActionVariant.PRIMARY
    )
    def import_account(self, request: HttpRequest) -> HttpResponse:
        """Choose an account; a worker reads it within its rate budget."""
        if not request.user.has_perm("trafficking.change_ticket"):
            raise PermissionDenied
        initial = {"account": request.GET.get("account", "")}
        form = ImportForm(request, request.POST or None, initial=initial)
        if request.method == "POST" and form.is_valid():
            account = form.cleaned_data["account"]
            inventory.import_account(account=account, by=request.user)
            text = gettext("%(account)s is being read; what it has appears here as it is read.")
            messages.success(request, text % {"account": account.name})
            return HttpResponseRedirect(f"{self.page('changelist')}?ad_account__id__exact={account.pk}")
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": gettext("Import an ad account"),
            "form": form, "back": self.page("changelist"),
        }  # fmt: skip
        return TemplateResponse(request, "deploy/admin/import_account.html", context)


class ImportForm(forms.Form):
    account = forms.ModelChoiceField(
        AdAccount.objects.none(), label=_("Ad account"), widget=UnfoldAdminSelectWidget,
        help_text=_("Everything that it has is read: campaigns, ad sets and ads, by whomever they were made. Nothing"
                    " is changed on the platform."),
    )  # fmt: skip

    def __init__(self, request: HttpRequest, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        rows = AdAccount.objects.visible_to(request.user).current().defer("credentials")
        self.fields["account"].queryset = rows  # type: ignore[attr-defined]


def account_in(request: HttpRequest) -> AdAccount | None:
    """The account that the list is filtered by, if it is the person's."""
    key = request.GET.get("ad_account__id__exact") or request.GET.get("ad_account") or ""
    if not key.isdecimal() or len(key) > 18:
        return None
    return AdAccount.objects.visible_to(request.user).filter(pk=key).defer("credentials").first()


def account_context(account: AdAccount, _request: HttpRequest) -> dict[str, Any]:
    """For `deploy/admin/account.html`: preflight, passes, names."""
    watch = AccountWatch.objects.filter(ad_account=account).first()
    return {
        "account": account,
        "watch": watch,
        "findings": [Finding.from_dict(each) for each in watch.findings] if watch else [],
        "importing": watch is not None and watch.inventory_due_at is not None,
        "left": len(watch.inventory_left or ()) if watch else 0,
        "scores": [
            {"level": type_words(each.level), "row": each, "share": _percent(each.share), "active": _percent(each.active_share)}
            for each in inventory.compliance(account)
        ],
    }  # fmt: skip


def _percent(share: float | None) -> str:
    """Rounded down: all but one of a thousand is not 100 %."""
    return EMPTY if share is None else f"{int(share * 100)} %"


def _account_panel(account: AdAccount, request: HttpRequest) -> dict[str, Any] | None:
    return account_context(account, request) if request.user.has_perm("deploy.view_accountwatch") else None


register("governance.adaccount", Panel(_("On the platform"), "deploy/admin/account.html", _account_panel))


# -------------------------------------------------------------------------------------------- alerts

SEVERITY_BADGES = {"INFO": "info", "WARNING": "warning", "CRITICAL": "danger"}


class SeenFilter(admin.SimpleListFilter):
    title = _("seen")
    parameter_name = "seen"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", _("Not seen yet")), ("yes", _("Seen"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() is None:
            return queryset
        return queryset.filter(seen_at__isnull=self.value() == "no")


@admin.register(Alert)
class AlertAdmin(PlainLedgerAdmin):
    empty_hint = _("Nothing to tell.")
    list_display = ("severity_badge", "message_shown", "about", "created_at", "seen_shown")
    list_filter = (SeenFilter, "severity", *related("ad_account"), ("created_at", RangeDateFilter))
    search_fields = ("code", "ticket__campaign__name", "ad_account__name")
    list_select_related = ("ticket__campaign", "ticket__channel", "ad_account", "seen_by")
    list_display_links = ("message_shown",)
    ordering = ("-id",)
    actions = ("mark_seen",)
    fields = ("severity", "message_shown", "remedy_shown", "about", "created_at", "mailed_at", "seen_shown")
    readonly_fields = ("message_shown", "remedy_shown", "about", "seen_shown")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request).select_related(*self.list_select_related)
        return rows.defer("ad_account__credentials")

    @display(description=_("Severity"), ordering="severity", label=SEVERITY_BADGES)
    def severity_badge(self, row: Alert) -> tuple[str, str]:
        return row.severity, row.get_severity_display()

    @admin.display(description=_("What"))
    def message_shown(self, row: Alert) -> str:
        return row.message

    @admin.display(description=_("What to do"))
    def remedy_shown(self, row: Alert) -> str:
        return row.remedy or EMPTY

    @admin.display(description=_("About"))
    def about(self, row: Alert) -> SafeString | str:
        return admin_link(row.ticket or row.ad_account)

    @admin.display(description=_("Seen"), ordering="seen_at")
    def seen_shown(self, row: Alert) -> str:
        if row.seen_at is None:
            return EMPTY
        when = date_format(localtime(row.seen_at), "DATETIME_FORMAT")
        return f"{row.seen_by}, {when}" if row.seen_by_id else when

    @admin.action(description=_("Mark as seen"))
    def mark_seen(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        count = alerts.mark_seen(queryset, by=request.user)
        text = ngettext("%(n)s alert marked as seen.", "%(n)s alerts marked as seen.", count)
        messages.success(request, text % {"n": count})


# ------------------------------------------------------------------------------------------- uploads


@admin.register(MediaUpload)
class MediaUploadAdmin(PlainLedgerAdmin):
    empty_hint = _("Files stand here once they were uploaded to a platform's library.")
    list_display = ("ref", "ad_account", "external_shown", "ready_badge", "created_at")
    list_filter = ("ready", *related("ad_account"), ("created_at", RangeDateFilter))
    search_fields = ("ref", "external_id")
    list_select_related = ("ad_account",)
    ordering = ("-id",)
    fields = ("ref", "ad_account", "external_id", "ready", "claimed_by", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        mine = selectors.uploads_visible_to(request.user).values("pk")
        return super().get_queryset(request).filter(pk__in=mine).defer("ad_account__credentials")

    @admin.display(description=_("Platform id"), ordering="external_id")
    def external_shown(self, row: MediaUpload) -> SafeString | str:
        return mono(row.external_id)

    @display(description=_("State"), ordering="ready", label={"on": "success", "off": "warning"})
    def ready_badge(self, row: MediaUpload) -> tuple[str, str]:
        return ("on", gettext("Ready")) if row.ready else ("off", gettext("Being processed"))
