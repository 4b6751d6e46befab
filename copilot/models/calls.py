"""What asking a model has cost, call by call, and how much a brand may spend on it in a day."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from governance.access import reach_of
from governance.governed import GovernedModel, governed_history
from governance.models import Brand


class CallBudget(GovernedModel):
    """What models may cost for one brand in a day. Brands without a row have COPILOT_DAILY_USD."""

    REACH = ("brand_id", None)

    brand = models.OneToOneField(
        Brand, on_delete=models.CASCADE, related_name="+", verbose_name=_("brand"),
        help_text=_("Whose calls these are."),
    )  # fmt: skip
    daily_usd = models.DecimalField(
        _("USD a day"), max_digits=9, decimal_places=2,
        help_text=_("Counted from midnight UTC. 0: no model is asked for this brand; the copilot works without."),
    )  # fmt: skip

    history = governed_history()

    class Meta:
        verbose_name = _("model budget")
        verbose_name_plural = _("model budgets")
        ordering = ["brand"]

    def __str__(self) -> str:
        return f"{self.brand}: {self.daily_usd} USD"

    def clean(self) -> None:
        super().clean()
        if self.daily_usd is not None and self.daily_usd < 0:
            raise ValidationError({"daily_usd": _("Enter an amount of zero or more.")})


class ReachedByBrand(models.QuerySet):
    def visible_to(self, user: Any) -> Self:
        return self.filter(reach_of(user).within(("brand_id", None)))


class ModelCall(models.Model):
    """One call of a model: tokens, cost and how it ended. Never what was asked or answered."""

    REACH: ClassVar[tuple[str | None, str | None]] = ("brand_id", None)

    class Outcome(models.TextChoices):
        ASKING = "ASKING", _("Being asked")
        ANSWERED = "ANSWERED", _("Answered")
        INVALID = "INVALID", _("Unusable answer")
        FAILED = "FAILED", _("No answer")
        OVER_BUDGET = "OVER_BUDGET", _("Not asked: budget used up")

    brand = models.ForeignKey(
        Brand, on_delete=models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("brand"),
        help_text=_("For whom it was asked; empty: for the house."),
    )  # fmt: skip
    purpose = models.CharField(_("for"), max_length=40, help_text=_("What part of the copilot asked."))
    model = models.CharField(_("model"), max_length=80, help_text=_("As the provider calls it."))
    at = models.DateTimeField(_("at"), default=timezone.now, db_index=True, help_text=_("When it was asked."))
    tokens_in = models.PositiveIntegerField(
        _("tokens in"), default=0, help_text=_("As the provider counted.")
    )
    tokens_out = models.PositiveIntegerField(
        _("tokens out"), default=0, help_text=_("As the provider counted.")
    )
    cost_usd = models.DecimalField(
        _("cost (USD)"), max_digits=12, decimal_places=6, default=0,
        help_text=_("While it is being asked: the most that it can cost. Then what it did."),
    )  # fmt: skip
    duration_ms = models.PositiveIntegerField(_("ms"), default=0, help_text=_("Until the answer was there."))
    redactions = models.PositiveIntegerField(
        _("left out"), default=0, help_text=_("Secrets and personal data that were taken out before sending.")
    )
    outcome = models.CharField(
        _("outcome"), max_length=12, choices=Outcome.choices, default=Outcome.ASKING, help_text=_("How it ended.")
    )  # fmt: skip
    problem = models.CharField(_("problem"), max_length=200, blank=True, help_text=_("What went wrong."))

    objects: ClassVar[Any] = models.Manager.from_queryset(ReachedByBrand)()

    class Meta:
        verbose_name = _("model call")
        verbose_name_plural = _("model calls")
        ordering = ["-id"]
        indexes = [models.Index(fields=["brand", "at"], name="model_call_of_brand")]

    def __str__(self) -> str:
        return f"{self.purpose} · {self.model} · {self.cost_usd} USD"
