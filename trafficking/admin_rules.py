"""Approval rules: who must approve what, as data."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from governance import money
from governance.access import reach_of
from governance.admin_base import EMPTY, GovernedAdmin, GovernedForm, related
from trafficking.models import ApprovalRule


def may_decide(user: Any, rule: ApprovalRule) -> bool:
    """Of a brand: who has it in every market. Of every brand: who has everything."""
    return reach_of(user).covers(rule.brand_id, None)


class ApprovalRuleForm(GovernedForm):
    def _require_reach(self) -> None:
        if self.request is None or self.errors or may_decide(self.request.user, self.instance):
            return
        text = gettext(
            "That is for who has the brand in every market, or, for every brand, for who has everything."
        )
        self.add_error(None, text)


@admin.register(ApprovalRule)
class ApprovalRuleAdmin(GovernedAdmin):
    asks_reason = True
    form = ApprovalRuleForm
    empty_hint = _("Without any rule one second person approves each plan.")
    help_texts: ClassVar[dict[str, Any]] = {
        "active": _("Only active rules decide; switch one off to keep it.")
    }
    list_display = (
        "brand_shown",
        "platform_shown",
        "request_shown",
        "amount_shown",
        "approvers_badge",
        "state",
        "note",
    )
    list_filter = ("active", "approvers", "platform", "request_type", *related("brand"))
    search_fields = ("brand__name", "brand__code", "note")
    list_select_related = ("brand",)
    autocomplete_fields = ("brand",)
    ordering = ("brand__name", "platform", "request_type", "from_amount")
    fieldsets = (
        (_("Which plans"), {"fields": ("brand", "platform", "request_type", "from_amount")}),
        (
            _("Who approves"),
            {
                "fields": ("approvers", "note", "active"),
                "description": _(
                    "The most particular rule that fits decides: by brand and platform, then by brand, then by platform;"
                    " then by request; then the higher amount. A change of a rule voids approvals that rest on it."
                ),
            },
        ),
    )

    def _within(self, request: HttpRequest, obj: Any) -> bool:
        return getattr(obj, "pk", None) is None or may_decide(request.user, obj)

    @admin.display(description=_("Brand"), ordering="brand__name")
    def brand_shown(self, row: ApprovalRule) -> str:
        return str(row.brand or gettext("every brand"))

    @admin.display(description=_("Platform"), ordering="platform")
    def platform_shown(self, row: ApprovalRule) -> str:
        return str(row.get_platform_display() or gettext("every platform"))

    @admin.display(description=_("Request"), ordering="request_type")
    def request_shown(self, row: ApprovalRule) -> str:
        return str(row.get_request_type_display() or gettext("every request"))

    @admin.display(description=_("From"), ordering="from_amount")
    def amount_shown(self, row: ApprovalRule) -> str:
        return money.shown(row.from_amount, "USD") if row.from_amount else EMPTY

    @display(description=_("Approvers"), ordering="approvers", label={0: "warning", 1: "info", 2: "success"})
    def approvers_badge(self, row: ApprovalRule) -> tuple[int, str]:
        words = {0: gettext("Nobody"), 1: gettext("1 person"), 2: gettext("2 people")}
        return row.approvers, words.get(row.approvers, str(row.approvers))

    @display(description=_("State"), ordering="active", label={"on": "success", "off": ""})
    def state(self, row: ApprovalRule) -> tuple[str, str]:
        return ("on", gettext("Active")) if row.active else ("off", gettext("Off"))
