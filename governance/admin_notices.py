"""Notices of the person, and for data admins the webhooks and what was sent to them."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from governance import notices, webhooks
from governance.admin_base import GovernedAdmin, GovernedForm, PlainLedgerAdmin, mono, related, tell
from governance.list_filters import one_of
from governance.models import Notice, NoticeKind, Webhook, WebhookDelivery

KIND_BADGES = {
    "approval_asked": "warning", "approved": "success", "rejected": "danger", "live": "success", "failed": "danger",
    "in_doubt": "danger", "ad_rejected": "danger", "alert": "warning",
}  # fmt: skip


class UnreadFilter(admin.SimpleListFilter):
    title = _("read")
    parameter_name = "read"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", _("Unread")), ("yes", _("Read"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in ("no", "yes"):
            return queryset
        return queryset.filter(read_at__isnull=self.value() == "no")


@admin.register(Notice)
class NoticeAdmin(PlainLedgerAdmin):
    """One's own, superusers' too."""

    list_display = ("told", "kind_badge", "when", "state")
    list_display_links = None
    list_filter = (UnreadFilter, one_of("kind", NoticeKind.choices))
    ordering = ("-id",)
    actions = ("mark_read",)
    fields = ("message", "remedy", "kind", "created_at", "read_at")
    readonly_fields = ("message", "remedy")
    list_before_template = "governance/notices/list_top.html"
    empty_hint = _("You are told here of what waits for you, and of what became of your tickets.")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).filter(in_app=True)

    @display(description=_("Notice"))
    def told(self, row: Notice) -> SafeString:
        url = reverse("admin:notice_open", args=[row.public_id])
        tone = "" if row.read_at else "ot-strong"
        return format_html(
            '<a class="ot-link {}" href="{}">{}</a><br><span>{}</span>', tone, url, row.message, row.remedy
        )

    @display(description=_("Kind"), ordering="kind", label=KIND_BADGES)
    def kind_badge(self, row: Notice) -> tuple[str, str]:
        return row.kind, row.get_kind_display()

    @admin.display(description=_("When"), ordering="id")
    def when(self, row: Notice) -> Any:
        return row.created_at

    @display(description=_("State"), label={"unread": "warning"})
    def state(self, row: Notice) -> Any:
        return ("read", gettext("Read")) if row.read_at else ("unread", gettext("Unread"))

    @admin.action(description=_("Mark as read"))
    def mark_read(self, request: HttpRequest, queryset: QuerySet) -> None:
        n = notices.mark_read(queryset, by=request.user)  # type: ignore[arg-type]
        messages.success(request, ngettext("%(n)d notice is read.", "%(n)d notices are read.", n) % {"n": n})


# ----------------------------------------------------------------------------------------- webhooks


class WebhookForm(GovernedForm):
    kinds = forms.MultipleChoiceField(
        label=_("Kinds"), choices=NoticeKind.choices, widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("What it is told of."),
    )  # fmt: skip

    def _require_reach(self) -> None:
        if self.request is None or self.errors or webhooks.may_manage(self.request.user, self.instance):
            return
        self.add_error(
            "brand",
            gettext(
                "That is for who has the brand in every market; for every brand, for who has everything."
            ),
        )


@admin.register(Webhook)
class WebhookAdmin(GovernedAdmin):
    asks_reason = True
    form = WebhookForm
    empty_hint = _("A webhook tells another system of approvals asked, failures and what goes live.")
    help_texts: ClassVar[dict[str, Any]] = {"active": _("Nothing is sent while it is off.")}
    list_display = ("name", "host", "brand", "kinds_shown", "state", "secret_made_at")
    list_filter = ("active", *related("brand"))
    search_fields = ("name",)
    list_select_related = ("brand",)
    autocomplete_fields = ("brand",)
    readonly_fields = ("secret_made_at",)
    actions_detail = ("make_secret", "send_test", "deliveries")
    fieldsets = (
        (None, {"fields": ("name", "url", "active")}),
        (_("What it is told of"), {"fields": ("brand", "kinds")}),
        (_("Secret"), {"fields": ("secret_made_at",), "description": _(
            "Each call is signed with it. Make one before anything is sent; it is shown once and stored encrypted.")}),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).defer("secret")

    def _within(self, request: HttpRequest, obj: Any) -> bool:
        return not isinstance(obj, Webhook) or obj.pk is None or webhooks.may_manage(request.user, obj)

    @admin.display(description=_("Host"))
    def host(self, row: Webhook) -> str:
        return row.url.split("/")[2] if row.url.count("/") >= 2 else row.url

    @admin.display(description=_("Kinds"))
    def kinds_shown(self, row: Webhook) -> str:
        return ", ".join(str(NoticeKind(each).label) for each in row.kinds)

    @display(description=_("State"), label={"on": "success", "off": "danger", "bare": "warning"})
    def state(self, row: Webhook) -> tuple[str, str]:
        if not row.secret_made_at:
            return "bare", gettext("No secret yet")
        return ("on", gettext("Active")) if row.active else ("off", gettext("Off"))

    def _mine(self, request: HttpRequest, object_id: str) -> Webhook:
        row = self.row_or_404(request, object_id)
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        return row

    @action(description=_("New secret…"), url_path="secret", icon="key", variant=ActionVariant.PRIMARY)
    def make_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self._mine(request, object_id)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "original": row, "back": self.page("change", row.pk),
            "title": gettext("A secret for %(name)s") % {"name": row.name},
        }  # fmt: skip
        if request.method == "POST":
            context["made"] = webhooks.make_secret(webhook=row, by=request.user)
        answer = TemplateResponse(request, "governance/notices/secret.html", context)
        answer["Cache-Control"] = "no-store"
        return answer

    @action(description=_("Send a test…"), url_path="test", icon="send")
    def send_test(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self._mine(request, object_id)
        if request.method != "POST":
            context = {
                **self.admin_site.each_context(request), "opts": self.opts, "original": row,
                "title": gettext("Test %(name)s?") % {"name": row.name}, "button": gettext("Send the test"),
                "lines": [gettext("One signed call goes to the address now. It is not repeated.")],
                "back": self.page("change", row.pk),
            }  # fmt: skip
            return TemplateResponse(request, "governance/admin/confirm.html", context)
        try:
            sent = webhooks.send_test(webhook=row, by=request.user)
        except ValidationError as refused:
            tell(request, refused)
        else:
            if sent.state == WebhookDelivery.State.DONE:
                messages.success(request, gettext("It answered %(status)s.") % {"status": sent.answered})
            else:
                messages.error(request, sent.error)
        return HttpResponseRedirect(self.page("change", row.pk))

    @action(description=_("Deliveries"), url_path="deliveries", icon="outgoing_mail")
    def deliveries(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.row_or_404(request, object_id)
        listed = reverse("admin:governance_webhookdelivery_changelist")
        return HttpResponseRedirect(f"{listed}?webhook__id__exact={row.pk}")


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(PlainLedgerAdmin):
    list_display = (
        "created_at",
        "webhook",
        "kind",
        "state_badge",
        "attempts",
        "answered",
        "error",
        "next_try_at",
    )
    list_filter = ("state", *related("webhook"))
    list_select_related = ("webhook",)
    ordering = ("-id",)
    actions = ("send_again",)
    empty_hint = _("Nothing was sent yet.")
    fields = (
        "public_id", "webhook", "event", "kind", "state", "attempts", "answered", "error", "created_at", "next_try_at",
        "done_at", "body",
    )  # fmt: skip
    readonly_fields = ("body",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        mine = webhooks.deliveries_visible_to(request.user).values("pk")
        return super().get_queryset(request).filter(pk__in=mine).defer("webhook__secret")

    @display(
        description=_("State"), ordering="state",
        label={"PENDING": "info", "DONE": "success", "FAILED": "danger"},
    )  # fmt: skip
    def state_badge(self, row: WebhookDelivery) -> tuple[str, str]:
        return row.state, row.get_state_display()

    @admin.display(description=_("Body"))
    def body(self, row: WebhookDelivery) -> str:
        return mono(json.dumps(row.payload, ensure_ascii=False, indent=2))

    @admin.action(description=_("Send again"))
    def send_again(self, request: HttpRequest, queryset: QuerySet) -> None:
        if not request.user.has_perm("governance.change_webhook"):
            raise PermissionDenied
        for row in queryset[:100]:
            try:
                webhooks.send_again(delivery=row)
            except ValidationError as refused:
                messages.error(request, f"{row}: {' '.join(refused.messages)}")
            else:
                messages.success(request, gettext("%(what)s is sent again.") % {"what": row})
