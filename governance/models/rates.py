from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from governance.governed import GovernedModel, governed_history
from governance.models.vocabulary import validate_currency


class ExchangeRate(GovernedModel):
    """What one unit of a currency was worth in US dollars from a day on."""

    currency = models.CharField(
        _("currency"), max_length=3, validators=[validate_currency], help_text=_("ISO 4217.")
    )
    usd = models.DecimalField(
        _("US dollars for one unit"), max_digits=15, decimal_places=8,
        validators=[MinValueValidator(Decimal("0.00000001"))], help_text=_("1 EUR = 1.08 USD is written 1.08."),
    )  # fmt: skip
    valid_from = models.DateField(_("valid from"), help_text=_("Used until a later rate begins."))
    source = models.CharField(
        _("source"), max_length=120, blank=True, help_text=_("Where the rate comes from.")
    )

    history = governed_history()

    class Meta:
        verbose_name = _("exchange rate")
        verbose_name_plural = _("exchange rates")
        ordering = ["currency", "-valid_from"]
        constraints = [models.UniqueConstraint(fields=["currency", "valid_from"], name="rate_once_a_day")]

    def __str__(self) -> str:
        return f"1 {self.currency} = {self.usd.normalize():f} USD ({self.valid_from})"

    def clean(self) -> None:
        if self.currency == "USD" and self.usd != 1:
            raise ValidationError({"usd": _("One US dollar is one US dollar.")})


class Rates:
    """The rate table on one day, read once."""

    def __init__(self, on: date) -> None:
        self.on = on
        dated = ExchangeRate.objects.current().filter(valid_from__lte=on).order_by("valid_from")
        self._usd = {row.currency: (row.usd, row.valid_from) for row in dated}
        self._usd["USD"] = (Decimal(1), on)

    def rate(self, source: str, target: str) -> tuple[Decimal, date] | None:
        """(units of `target` for one of `source`, the older of the two days it rests on); None if unknown."""
        if source == target:
            return Decimal(1), self.on
        if source not in self._usd or target not in self._usd:
            return None
        (source_usd, source_day), (target_usd, target_day) = self._usd[source], self._usd[target]
        return source_usd / target_usd, min(source_day, target_day)
