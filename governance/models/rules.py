from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from governance.governed import GovernedModel, governed_history
from governance.money import read_amount


class QARule(GovernedModel):
    """A built-in QA rule and its thresholds. What it checks is code; how strict it is stands here."""

    class Kind(models.TextChoices):
        TAXONOMY = "TAXONOMY", _("Taxonomy validity")
        BRAND_SAFETY = "BRAND_SAFETY", _("Brand safety")
        BUDGET_LIMITS = "BUDGET_LIMITS", _("Budget limits")
        PAYLOAD_SCHEMA = "PAYLOAD_SCHEMA", _("Payload schema")

    kind = models.CharField(_("rule"), max_length=16, choices=Kind.choices, unique=True)
    active = models.BooleanField(
        _("active"),
        default=True,
        help_text=_("An inactive rule reports its findings as warnings and blocks nothing."),
    )
    parameters = models.JSONField(
        _("thresholds"), default=dict, blank=True,
        help_text=_('Budget limits: {"currency": "USD", "daily": "100000", "lifetime": "1000000"}. Brand safety:'
                    ' {"terms": {"ALCOHOL": ["beer", …]}, "interest_ids": {"meta": {"ALCOHOL": ["600…"]}}}.'),
    )  # fmt: skip

    history = governed_history()

    class Meta:
        verbose_name = _("QA rule")
        verbose_name_plural = _("QA rules")
        ordering = ["kind"]

    def __str__(self) -> str:
        return str(self.get_kind_display())

    def clean(self) -> None:
        check = {self.Kind.BUDGET_LIMITS: _check_limits, self.Kind.BRAND_SAFETY: _check_safety}.get(
            self.Kind(self.kind) if self.kind in self.Kind.values else None  # type: ignore[arg-type]
        )
        if check:
            check(self.parameters)


def _check_limits(parameters: dict[str, Any]) -> None:
    for key in ("daily", "lifetime"):
        _amount, findings = read_amount(parameters.get(key), field="parameters")
        if findings:
            raise ValidationError({"parameters": f"{key}: {findings[0].message} {findings[0].remedy}"})
    if parameters.get("currency") != "USD":
        raise ValidationError({"parameters": _("Limits are in USD; other currencies are converted to it.")})


def _check_safety(parameters: dict[str, Any]) -> None:
    terms = parameters.get("terms", {})
    if not isinstance(terms, dict) or any(not isinstance(words, list) for words in terms.values()):
        raise ValidationError({"parameters": _('"terms" maps each category to a list of words.')})
    ids = parameters.get("interest_ids", {})
    if not isinstance(ids, dict) or any(not isinstance(by_category, dict) for by_category in ids.values()):
        raise ValidationError({"parameters": _('"interest_ids" maps platform to category to a list of ids.')})
