"""The kill switch: stop at once, see how far it is, and start exactly the same again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import AdminForm
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from deploy import selectors, stops
from deploy.models import AccountStop, KillSwitch, StoppedObject
from governance.access import reach_of
from governance.admin_base import EMPTY, LedgerAdmin, tell
from governance.models import AdAccount, Brand
from governance.panels import Panel, register
from governance.platforms import Platform
from trafficking.models import PlatformObject

Scope, State, Found = KillSwitch.Scope, KillSwitch.State, StoppedObject.State
ENGAGE = "deploy.engage_killswitch"
BADGES = {"STOPPING": "danger", "STOPPED": "danger", "RELEASING": "warning", "RELEASED": "success"}
OBJECT_BADGES = {"PAUSING": "warning", "PAUSED": "info", "RESTORED": "success", "LEFT": "danger"}
#: Objects listed on a stop's page; the rest are counted.
SHOWN_OBJECTS = 300


# ----------------------------------------------------------------------------- what could be stopped


@dataclass(slots=True)
class Held:
    """Campaigns that we hold: how many run, as last read, of how many, in which accounts."""

    running: int = 0
    all: int = 0
    accounts: set[int] = field(default_factory=set)

    def words(self) -> str:
        campaigns = ngettext(
            "%(running)s of %(all)s campaign runs", "%(running)s of %(all)s campaigns run", self.all
        ) % {"running": self.running, "all": self.all}
        accounts = ngettext("%(n)s account", "%(n)s accounts", len(self.accounts)) % {"n": len(self.accounts)}
        return f"{campaigns} · {accounts}"


def held_by_scope() -> dict[str, Held]:
    """Of each choice ("ALL", "PLATFORM:meta", "BRAND:3", "ACCOUNT:7") what it would stop. One query."""
    counted: dict[str, Held] = {}
    rows = PlatformObject.objects.filter(object_type="campaign").exclude(status="ARCHIVED")
    for account, platform, brand, status in rows.order_by().values_list(
        "ad_account_id", "ad_account__platform", "tree__campaign__brand_id", "status"
    ):
        for key in ("ALL", f"PLATFORM:{platform}", f"BRAND:{brand}", f"ACCOUNT:{account}"):
            held = counted.setdefault(key, Held())
            held.all += 1
            held.running += status == "ACTIVE"
            held.accounts.add(account)
    return counted


def choices_for(user: Any) -> list[tuple[Any, list[tuple[str, str]]]]:
    """What this person may stop, with what each would stop; grouped for a select box."""
    held = held_by_scope()
    everything = reach_of(user).everything
    wide = [("ALL", gettext("Everything"))] if everything else []
    wide += [(f"PLATFORM:{key}", str(label)) for key, label in Platform.choices if everything]
    brands = [
        (f"BRAND:{brand.pk}", str(brand))
        for brand in Brand.objects.visible_to(user).current().order_by("name")
        if reach_of(user).covers(brand.pk, None)
    ]
    whole = selectors.whole_accounts(user)
    rows = AdAccount.objects.filter(pk__in=whole, archived_at__isnull=True).defer("credentials")
    accounts = [(f"ACCOUNT:{account.pk}", str(account)) for account in rows.order_by("platform", "name")]
    groups = ((_("Widest"), wide), (_("One brand"), brands), (_("One ad account"), accounts))
    return [
        (title, [(key, f"{label} — {held.get(key, Held()).words()}") for key, label in choices])
        for title, choices in groups
        if choices
    ]


class EngageForm(forms.Form):
    """What to stop, and why."""

    what = forms.ChoiceField(
        label=_("What to stop"), widget=UnfoldAdminSelectWidget,
        help_text=_("Everything that runs there is paused on the platforms, and nothing queued is sent, until it is"
                    " released. The figures are those of the last reads; what runs besides is paused, too."),
    )  # fmt: skip
    reason = forms.CharField(
        label=_("Why"), max_length=1000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text=_("It is shown to everyone whose work stands still."),
    )  # fmt: skip

    def __init__(self, user: Any, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        choices: list[Any] = [("", gettext("Choose…")), *choices_for(user)]
        self.fields["what"].choices = choices  # type: ignore[attr-defined]

    def scope(self) -> dict[str, Any]:
        """For `stops.engage`."""
        scope, _colon, key = self.cleaned_data["what"].partition(":")
        named: dict[str, Any] = {"scope": scope}
        if scope == Scope.PLATFORM:
            named["platform"] = key
        elif scope == Scope.BRAND:
            named["brand"] = Brand.objects.get(pk=key)
        elif scope == Scope.ACCOUNT:
            named["ad_account"] = AdAccount.objects.get(pk=key)
        return named


class ReleaseForm(forms.Form):
    comment = forms.CharField(
        label=_("Why it may run again"), max_length=1000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=_("Stands in the history."),
    )  # fmt: skip


# --------------------------------------------------------------------------------------------- pages


@admin.register(KillSwitch)
class KillSwitchAdmin(LedgerAdmin):
    empty_hint = _("Nothing has ever been stopped here. In an emergency: Stop…")
    list_display = (
        "what",
        "state_badge",
        "reason_shown",
        "engaged_by",
        "engaged_at",
        "progress",
        "released_by",
    )
    list_filter = ("state", "scope", "platform")
    search_fields = ("reason", "brand__name", "ad_account__name")
    list_select_related = ("ad_account", "brand", "engaged_by", "released_by")
    date_hierarchy = "engaged_at"
    ordering = ("-id",)
    actions_detail = ("release",)
    fieldsets = (
        (None, {"fields": ("what", "state", "reason")}),
        (
            _("Who and when"),
            {"fields": ("engaged_by", "engaged_at", "checked_at", "released_by", "released_at")},
        ),
    )
    readonly_fields = ("what",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(ENGAGE))

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        mine = selectors.stops_visible_to(request.user).values("pk")
        counted = {
            state.lower(): Count("objects_stopped", filter=Q(objects_stopped__state=state))
            for state in Found.values
        }
        rows = super().get_queryset(request).filter(pk__in=mine).defer("ad_account__credentials")
        return rows.annotate(**counted)

    @admin.display(description=_("What"), ordering="scope")
    def what(self, row: KillSwitch) -> str:
        return selectors.scope_words(row)

    @display(description=_("State"), ordering="state", label=BADGES)
    def state_badge(self, row: KillSwitch) -> tuple[str, str]:
        return row.state, row.get_state_display()

    @admin.display(description=_("Why"))
    def reason_shown(self, row: KillSwitch) -> str:
        return row.reason if len(row.reason) <= 90 else f"{row.reason[:89]}…"

    @admin.display(description=_("Campaigns"))
    def progress(self, row: Any) -> str:
        return progress_words({state: getattr(row, state.lower()) for state in Found.values})

    # --- engage

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        initial = {"what": request.GET.get("what", "")}
        form = EngageForm(request.user, request.POST or None, initial=initial)
        if request.method == "POST" and form.is_valid() and (stop := self._engage(request, form)):
            return HttpResponseRedirect(self.page("change", stop.pk))
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": gettext("Stop"), "form": form,
            "adminform": AdminForm(form, [(None, {"fields": list(form.fields)})], {}),  # type: ignore[arg-type]
            "inline_admin_formsets": [],
            "back": self.page("changelist"),
            "standing": [
                {"row": row, "what": selectors.scope_words(row)} for row in selectors.standing_stops(request.user)
            ],
        }  # fmt: skip
        return TemplateResponse(request, "deploy/admin/engage.html", context)

    def _engage(self, request: HttpRequest, form: EngageForm) -> KillSwitch | None:
        try:
            stop = stops.engage(by=request.user, reason=form.cleaned_data["reason"], **form.scope())
        except ValidationError as refused:
            tell(request, refused)
            return None
        text = gettext("%(what)s is being stopped: nothing queued is sent from now on.")
        messages.success(request, text % {"what": selectors.scope_words(stop)})
        return stop

    # --- release

    def has_release_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        row = self.get_object(request, str(object_id)) if object_id else None
        return (
            row is not None
            and row.state in KillSwitch.ENGAGED
            and request.user.has_perm(ENGAGE)
            and stops.within_reach(request.user, row)
        )

    @action(
        description=_("Release…"), url_path="release", icon="play_circle", variant=ActionVariant.PRIMARY,
        permissions=["release"],
    )  # fmt: skip
    def release(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.row_or_404(request, object_id)
        form = ReleaseForm(request.POST or None)
        back = HttpResponseRedirect(self.page("change", row.pk))
        if request.method == "POST" and form.is_valid():
            return self._release(request, row, form.cleaned_data["comment"]) or back
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "original": row, "form": form,
            "title": gettext("Release %(what)s") % {"what": selectors.scope_words(row)}, "back": back.url,
            "stop": row, "counts": progress_words(_counts(row)),
        }  # fmt: skip
        return TemplateResponse(request, "deploy/admin/release.html", context)

    def _release(self, request: HttpRequest, row: KillSwitch, comment: str) -> HttpResponse | None:
        try:
            stops.release(stop=row, by=request.user, comment=comment)
        except ValidationError as refused:
            tell(request, refused)
        else:
            text = gettext("Released: what it paused, and no other stop covers, is being started again.")
            messages.success(request, text)
        return None


def _counts(stop: KillSwitch) -> Counter[str]:
    rows = stop.objects_stopped.order_by().values_list("state").annotate(n=Count("pk"))
    return Counter(dict(rows))


def progress_words(counts: dict[str, int]) -> str:
    """ "3 paused · 1 being paused"; "–" before anything was found."""
    words = {
        Found.PAUSED: ngettext("%(n)s paused", "%(n)s paused", counts.get(Found.PAUSED, 0)),
        Found.PAUSING: gettext("%(n)s being paused"),
        Found.RESTORED: gettext("%(n)s running again"),
        Found.LEFT: gettext("%(n)s left as they are"),
    }
    return (
        " · ".join(text % {"n": counts[state]} for state, text in words.items() if counts.get(state)) or EMPTY
    )


def _objects(stop: KillSwitch, request: HttpRequest) -> dict[str, Any]:
    """Campaigns of accounts that the person sees; the figures are of all."""
    accounts = AdAccount.objects.visible_to(request.user).values("pk")
    rows = stop.objects_stopped.filter(ad_account__in=accounts).select_related("ad_account")
    rows = rows.defer("ad_account__credentials")
    order = {Found.LEFT: 0, Found.PAUSING: 1, Found.PAUSED: 2, Found.RESTORED: 3}
    found = sorted(rows[:SHOWN_OBJECTS], key=lambda each: order[Found(each.state)])
    counts = _counts(stop)
    return {
        "objects": [{"row": each, "badge": OBJECT_BADGES[each.state]} for each in found],
        "more": max(0, sum(counts.values()) - len(found)),
        "progress": progress_words(counts),
        "problems": _problems(stop).filter(ad_account__in=accounts),
        "stop": stop,
    }


def _problems(stop: KillSwitch) -> QuerySet[AccountStop]:
    """Accounts that could not be stopped or started yet, with what a person should read."""
    rows = AccountStop.objects.filter(ad_account__in=stops.accounts_of(stop)).exclude(problem="")
    return rows.select_related("ad_account").defer("ad_account__credentials")


register("deploy.killswitch", Panel(_("Campaigns that it paused"), "deploy/admin/stopped.html", _objects))
