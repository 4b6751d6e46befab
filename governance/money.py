"""Money: Decimals in the currency's major unit, read strictly.

"1,000" is a thousand in London and one in Berlin. Where a text can be read in two ways, or carries
separators at all, it is refused with the reading that is meant.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from babel.numbers import format_currency, get_currency_precision, list_currencies
from django.db import models
from django.utils.translation import get_language

from governance.findings import Finding, Message
from governance.findings import gettext_noop as _

MAX_DIGITS = 15
DECIMAL_PLACES = 4
_PLAIN = re.compile(r"-?\d+(\.\d+)?\Z", re.ASCII)
_THOUSAND = re.compile(r"-?[1-9]\d{0,2}\.000\Z", re.ASCII)
_SEPARATED = re.compile(r"-?\d[\d.,' \u00a0\u202f\u2019]*\d\Z", re.ASCII)

MESSAGES = {
    "money.missing": Message(_("An amount is missing."), _("Write it as 1000.50, without a currency sign.")),
    "money.separators": Message(
        _("'{text}' has separators that can be read in two ways."),
        _("Write {reading} if that is what you mean: digits, and a point before the decimals."),
    ),
    "money.not_a_number": Message(_("'{text}' is not an amount."), _("Write it as 1000.50, without a currency sign.")),
    "money.not_positive": Message(_("{text} is not more than zero."), _("Enter an amount above zero.")),
    "money.too_long": Message(
        _("{text} has more than 11 digits before the point or more than 4 after it."), _("Round it to what will be spent.")
    ),
    "money.too_precise": Message(
        _("{text} has more decimals than {currency} has ({decimals})."), _("Round it to {rounded}.")
    ),
    "money.currency_unknown": Message(
        _("'{text}' is not a currency."), _("Use the three-letter ISO 4217 code, such as USD, EUR or JPY.")
    ),
    "money.no_rate": Message(
        _("There is no exchange rate from {source} to {target} on or before {on}."),
        _("A data admin adds it under Govern → Exchange rates, or with import_governance."),
    ),
}  # fmt: skip


class MoneyField(models.DecimalField):
    """At most 15 significant digits, which SQLite's REAL keeps exactly."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", MAX_DIGITS)
        kwargs.setdefault("decimal_places", DECIMAL_PLACES)
        super().__init__(*args, **kwargs)


def read_amount(text: Any, *, field: str = "budget") -> tuple[Decimal | None, list[Finding]]:
    """An amount as people type it -> (Decimal, []) or (None, findings). Zero and less are refused."""
    written = str(text if text is not None else "").strip()
    written = written if len(written) <= 60 else written[:60] + "…"
    if not written:
        return None, [Finding("money.missing", field)]
    # "1.000" is a thousand to half of Europe: the zeros tell nothing, so they are refused
    if not _PLAIN.match(written) or _THOUSAND.match(written):
        return None, [_unreadable(written, field)]
    amount = Decimal(written)
    if amount <= 0:
        return None, [Finding("money.not_positive", field, params={"text": written})]
    if too_long(amount):
        return None, [Finding("money.too_long", field, params={"text": written})]
    return amount, []


def _unreadable(written: str, field: str) -> Finding:
    if _SEPARATED.match(written) and _grouped(written):
        return Finding("money.separators", field, params={"text": written, "reading": meant_reading(written)})
    return Finding("money.not_a_number", field, params={"text": written})


def _grouped(written: str) -> bool:
    """Read as one number, every group between separators but the first and the decimals has three digits."""
    groups = re.split(r"[.,]", re.sub(r"[^\d.,]", "", written))
    middle = groups[1:-1] if "." in meant_reading(written) else groups[1:]
    return all(len(group) == 3 for group in middle)


def meant_reading(written: str) -> str:
    """The likeliest meaning of "1.000,50" or "1,000.50": the last separator is the decimal one if it ends
    one or two digits, or if the other one stands before it; otherwise all group thousands."""
    digits = re.sub(r"[^\d.,-]", "", written)
    last = max(digits.rfind("."), digits.rfind(","))
    whole, fraction = digits[:last], digits[last + 1 :]
    other = "," if digits[last] == "." else "."
    if last > 0 and (other in whole or len(fraction) in (1, 2)) and digits[last] not in whole:
        return re.sub(r"[.,]", "", whole) + "." + fraction
    return re.sub(r"[.,]", "", digits)


def too_long(amount: Decimal) -> bool:
    _sign, digits, exponent = amount.normalize().as_tuple()
    if not isinstance(exponent, int):  # NaN, Infinity
        return True
    return -exponent > DECIMAL_PLACES or len(digits) + exponent > MAX_DIGITS - DECIMAL_PLACES


def currency_findings(code: str, *, field: str = "currency") -> list[Finding]:
    return [] if code in currencies() else [Finding("money.currency_unknown", field, params={"text": code})]


def currencies() -> frozenset[str]:
    """ISO 4217 codes as CLDR lists them."""
    return _CURRENCIES


_CURRENCIES = frozenset(list_currencies())


def precision_findings(amount: Decimal, currency: str, *, field: str = "budget") -> list[Finding]:
    """An amount finer than the currency's ISO minor unit (19.999 USD, 100.5 JPY)."""
    decimals = get_currency_precision(currency)
    rounded = amount.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN)
    if rounded == amount:
        return []
    params = {"text": plain(amount), "currency": currency, "decimals": decimals, "rounded": plain(rounded)}
    return [Finding("money.too_precise", field, params=params)]


def round_to_currency(amount: Decimal, currency: str) -> Decimal:
    """Half-even to the currency's ISO minor unit."""
    return amount.quantize(Decimal(1).scaleb(-get_currency_precision(currency)), ROUND_HALF_EVEN)


def plain(amount: Decimal) -> str:
    """'19.99', '1000', never '1E+3' and no trailing zeros."""
    return format(amount.normalize(), "f")


def shown(amount: Decimal | None, currency: str, locale: str | None = None) -> str:
    """In the person's format: '$1,000.50', '1.000,50 €'."""
    if amount is None:
        return ""
    language = (locale or get_language() or "en").replace("-", "_")
    return format_currency(amount, currency, locale=language)
