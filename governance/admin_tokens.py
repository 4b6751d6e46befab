"""API tokens: everybody makes and revokes their own; who manages them sees and revokes all. A secret is shown once."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextInputWidget,
)

from governance import tokens
from governance.actor import MOST_REASON
from governance.admin_base import EMPTY, PlainLedgerAdmin, mono, related
from governance.models import ApiToken
from governance.models.tokens import STATES, may_manage_all
from governance.scopes import Scope

BADGES = {"active": "success", "expired": "warning", "revoked": "danger"}


class TokenForm(forms.Form):
    name = forms.CharField(
        label=_("Name"), max_length=80, widget=UnfoldAdminTextInputWidget, help_text=ApiToken._meta.get_field("name").help_text
    )  # fmt: skip
    scopes = forms.MultipleChoiceField(
        label=_("Scopes"), choices=Scope.choices, widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=ApiToken._meta.get_field("scopes").help_text,
    )  # fmt: skip
    days = forms.IntegerField(
        label=_("Days"), min_value=1, widget=UnfoldAdminIntegerFieldWidget,
        help_text=_("How long it lives. It can't be prolonged: make another one then."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        days: Any = self.fields["days"]
        days.max_value = days.widget.attrs["max"] = settings.API_TOKEN_MAX_DAYS
        days.initial = settings.API_TOKEN_DAYS


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("usable", _("Active")), ("over", _("Expired or revoked"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        usable = ApiToken.objects.usable().values("pk")
        chosen = {"usable": queryset.filter(pk__in=usable), "over": queryset.exclude(pk__in=usable)}
        return chosen.get(self.value() or "", queryset)


@admin.register(ApiToken)
class ApiTokenAdmin(PlainLedgerAdmin):
    list_display = ("name", "user", "starts", "scopes_shown", "state_badge", "expires_at", "last_used_at")
    list_filter = (StateFilter, *related("user"))
    list_select_related = ("user",)
    search_fields = ("name", "user__username")
    ordering = ("-id",)
    actions_detail = ("revoke",)
    empty_hint = _("A token lets a program of yours use the API, held to the scopes that you choose.")
    fields = (
        "name", "user", "starts", "scopes_shown", "state_badge", "created_at", "created_by", "expires_at", "last_used_at",
        "revoked_at",
    )  # fmt: skip
    readonly_fields = ("starts", "scopes_shown", "state_badge")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("governance.add_apitoken")

    def get_list_filter(self, request: HttpRequest) -> Any:
        return super().get_list_filter(request) if may_manage_all(request.user) else (StateFilter,)

    @admin.display(description=_("Starts with"))
    def starts(self, row: ApiToken) -> Any:
        return mono(f"{row.starts_with}…")

    @admin.display(description=_("Scopes"))
    def scopes_shown(self, row: ApiToken) -> str:
        return ", ".join(row.scopes) or EMPTY

    @display(description=_("State"), label=BADGES)
    def state_badge(self, row: ApiToken) -> tuple[str, str]:
        return row.state, str(dict(STATES)[row.state])

    # --- making one

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """The form; then, once, the secret."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = TokenForm(request.POST if request.method == "POST" else None)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": gettext("A new API token"), "form": form,
            "back": self._page("changelist"),
        }  # fmt: skip
        if request.method == "POST" and form.is_valid():
            context |= self._made(request, form)
        answer = TemplateResponse(request, "governance/tokens/new.html", context)
        answer["Cache-Control"] = "no-store"
        return answer

    def _made(self, request: HttpRequest, form: TokenForm) -> dict[str, Any]:
        try:
            row, secret = tokens.make_token(user=request.user, **form.cleaned_data)
        except ValidationError as refused:
            form.add_error(None, refused.messages)  # type: ignore[arg-type]
            return {}
        return {"made": row, "secret": secret, "title": gettext("Your new API token")}

    # --- ending one

    def has_revoke_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        row = self.get_object(request, str(object_id)) if object_id else None
        allowed = request.user.has_perm("governance.delete_apitoken")
        return allowed and (row is None or row.state == "active")

    @action(
        description=_("Revoke…"), url_path="revoke", icon="block", variant=ActionVariant.DANGER, permissions=["revoke"]
    )  # fmt: skip
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None or not request.user.has_perm("governance.delete_apitoken"):
            raise PermissionDenied
        if request.method == "POST":
            tokens.revoke_token(
                token=row, by=request.user, reason=request.POST.get("reason", "").strip()[:MOST_REASON]
            )
            messages.success(request, gettext("%(token)s is revoked.") % {"token": row})
            return HttpResponseRedirect(self._page("change", row.pk))
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "original": row, "button": gettext("Revoke"),
            "title": gettext("Revoke %(token)s?") % {"token": row}, "back": self._page("change", row.pk),
            "lines": [gettext("Whatever uses it is refused from now on. This can't be undone.")],
        }  # fmt: skip
        return TemplateResponse(request, "governance/admin/confirm.html", context)

    def _page(self, name: str, *args: Any) -> str:
        return reverse(f"{self.admin_site.name}:governance_apitoken_{name}", args=args)
