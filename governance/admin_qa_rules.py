"""The four built-in QA rules: whether each blocks, and its thresholds as fields that a person can read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from governance import money
from governance.admin_base import AmountField, AmountWidget, GovernedForm, ListField, SharedAdmin
from governance.models import QARule
from governance.models.vocabulary import BlockedCategory
from governance.platforms import Platform

LIMITS = {
    "daily": (_("Highest daily budget"), _("US dollars a day of one ad set. More is a finding.")),
    "lifetime": (_("Highest lifetime budget"), _("US dollars over a whole flight. More is a finding.")),
}
Fields = dict[str, forms.Field]


def words_field(category: str) -> str:
    return f"words__{category}"


def ids_field(platform: str, category: str) -> str:
    return f"ids__{platform}__{category}"


# --------------------------------------------------------------------------- parameters <-> fields


def limit_fields(parameters: dict[str, Any]) -> Fields:
    return {
        key: AmountField(
            label=label, help_text=help_text, widget=AmountWidget,
            initial=parameters.get(key), min_value=0, max_digits=15, decimal_places=2,
        )
        for key, (label, help_text) in LIMITS.items()
    }  # fmt: skip


def limits_of(cleaned: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    return {**before, "currency": "USD", **{key: money.plain(cleaned[key]) for key in LIMITS}}


def safety_fields(parameters: dict[str, Any]) -> Fields:
    words, ids = parameters.get("terms", {}), parameters.get("interest_ids", {})
    made: Fields = {
        words_field(code): ListField(
            between=",", widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}), label=label, initial=words.get(code, []),
            help_text=_("Words with commas between. A keyword or an interest that has one of them is a finding."),
        )
        for code, label in BlockedCategory.choices
    }  # fmt: skip
    for platform, name in Platform.choices:
        for code, label in BlockedCategory.choices:
            made[ids_field(platform, code)] = ListField(
                between=",", label=f"{name} · {label}", initial=ids.get(platform, {}).get(code, []),
                help_text=_("The platform's own ids of such interests, with commas between."),
            )  # fmt: skip
    return made


def safety_of(cleaned: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """Categories without words or ids are left out; what this form does not know stays."""
    codes = BlockedCategory.values
    terms = {code: found for code in codes if (found := cleaned[words_field(code)])}
    by_platform = {
        platform: {code: found for code in codes if (found := cleaned[ids_field(platform, code)])}
        for platform in Platform.values
    }
    ids = {**before.get("interest_ids", {}), **by_platform}
    return {
        **before,
        "terms": terms,
        "interest_ids": {platform: found for platform, found in ids.items() if found},
    }


Made = tuple[Callable[[dict[str, Any]], Fields], Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]]
#: What the fields of a rule are, and what they make of its parameters. Others have none.
THRESHOLDS: dict[str, Made] = {
    QARule.Kind.BUDGET_LIMITS: (limit_fields, limits_of),
    QARule.Kind.BRAND_SAFETY: (safety_fields, safety_of),
}


class QARuleForm(GovernedForm):
    """The parameters of the rule's kind, each a field."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        _fields, made = THRESHOLDS.get(self.instance.kind, (None, None))
        if made is not None and not self.errors:
            self.instance.parameters = made(cleaned, dict(self.instance.parameters))
            self._require_ordered(cleaned)
        return cleaned

    def _require_ordered(self, cleaned: dict[str, Any]) -> None:
        daily, lifetime = cleaned.get("daily"), cleaned.get("lifetime")
        if daily is not None and lifetime is not None and daily > lifetime:
            text = _("A day may not cost more than a whole flight: raise this, or lower the daily one.")
            self.add_error("lifetime", ValidationError(text, code="limits_order"))


@admin.register(QARule)
class QARuleAdmin(SharedAdmin):
    help_texts: ClassVar[dict[str, Any]] = {"kind": _("Each built-in rule stands here once.")}
    form = QARuleForm
    list_display = ("__str__", "active_badge", "thresholds", "updated_at")
    list_filter = ("active",)
    search_fields = ("kind",)
    fieldsets = ((None, {"fields": ("kind", "active")}),)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Every kind is there from the first migration; rules of one's own are built in the rule builder."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A rule is switched to warnings, not taken away."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*super().get_readonly_fields(request, obj), "kind", "thresholds")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        made = super().get_form(request, obj, change=change, **{**kwargs, "fields": ("active",)})
        if self._typed(request, obj):
            fields, _made = THRESHOLDS[obj.kind]
            made.base_fields.update(fields(obj.parameters))
        return made

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        own = super().get_fieldsets(request, obj)
        if obj is None or obj.kind not in THRESHOLDS:
            return own
        if not self._typed(request, obj):
            return [own[0], (_("Thresholds"), {"fields": ("thresholds",)}), *own[1:]]
        return [own[0], *_sections(obj), *own[1:]]

    def _typed(self, request: HttpRequest, obj: Any) -> bool:
        return obj is not None and obj.kind in THRESHOLDS and self.has_change_permission(request, obj)

    @display(description=_("State"), ordering="active", label={"on": "success", "off": "warning"})
    def active_badge(self, row: QARule) -> tuple[str, str]:
        return ("on", gettext("Blocks")) if row.active else ("off", gettext("Only warns"))

    @admin.display(description=_("Thresholds"))
    def thresholds(self, row: QARule) -> str:
        if row.kind == QARule.Kind.BUDGET_LIMITS:
            return gettext("%(daily)s a day, %(lifetime)s a flight") % {
                key: money.shown(money.read_amount(row.parameters.get(key), field=key)[0], "USD")
                for key in LIMITS
            }
        if row.kind == QARule.Kind.BRAND_SAFETY:
            words = sum(map(len, row.parameters.get("terms", {}).values()))
            ids = sum(
                len(found)
                for each in row.parameters.get("interest_ids", {}).values()
                for found in each.values()
            )
            return gettext("%(words)s words, %(ids)s interests") % {"words": words, "ids": ids}
        return ""


def _sections(row: QARule) -> list[Any]:
    if row.kind == QARule.Kind.BUDGET_LIMITS:
        about = _("Budgets in other currencies are converted by the rate of the day.")
        return [(_("Limits in US dollars"), {"fields": tuple(LIMITS), "description": about})]
    about = _("A brand's page says which categories it does not allow; here stands how each is recognised.")
    words = tuple(words_field(code) for code in BlockedCategory.values)
    return [
        (_("Words"), {"fields": words, "description": about}),
        *(
            (
                _("Interests · %(platform)s") % {"platform": name},
                {"fields": tuple(ids_field(platform, code) for code in BlockedCategory.values), "classes": ["collapse"]},
            )
            for platform, name in Platform.choices
        ),
    ]  # fmt: skip
