from __future__ import annotations

import re
import zoneinfo
from datetime import date

from babel import Locale
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from governance import impact
from governance.governed import GovernedModel, governed_history
from governance.models.people import validate_time_zone
from governance.money import currencies
from governance.platforms import Platform

#: Codes stand in names, so they keep to what every platform and every spreadsheet leaves alone.
CODE = RegexValidator(r"^[A-Z0-9]{2,12}\Z", _("Use 2 to 12 capital letters and digits, such as US or DIS."))
_TERRITORIES = frozenset(code for code in map(str, Locale("en").territories) if re.fullmatch(r"[A-Z]{2}", code)) - {
    "EU", "EZ", "UN", "XA", "XB", "ZZ", "QO",
}  # fmt: skip
_LANGUAGES = frozenset(Locale("en").languages)


def validate_country(code: str) -> None:
    if code not in _TERRITORIES:
        raise ValidationError(_("'%(code)s' is not an ISO 3166-1 country code."), params={"code": code})


def validate_currency(code: str) -> None:
    if code not in currencies():
        raise ValidationError(_("'%(code)s' is not an ISO 4217 currency code."), params={"code": code})


def validate_languages(codes: list[str]) -> None:
    if not isinstance(codes, list) or any(code not in _LANGUAGES for code in codes):
        raise ValidationError(_('Write a list of ISO 639-1 codes, such as ["en", "fr"].'))


class Region(models.TextChoices):
    NA = "NA", _("North America")
    LATAM = "LATAM", _("Latin America")
    EMEA = "EMEA", _("Europe, Middle East, Africa")
    APAC = "APAC", _("Asia Pacific")


class CodedModel(GovernedModel):
    """Something whose code stands in names: its code can't change without its effect being accepted."""

    #: Set by a form or API field after the person has read the impact.
    impact_accepted = False

    class Meta:
        abstract = True

    def clean(self) -> None:
        super().clean()
        if not self._state.adding:
            impact.require_accepted(self)
        impact.require_legal_code(self)


class Market(CodedModel):
    """A country (or part of one) that a brand advertises in."""

    REACH = (None, "pk")

    code = models.CharField(
        _("code"), max_length=12, unique=True, validators=[CODE],
        help_text=_("Stands in every campaign name: US, DE, UK."),
    )  # fmt: skip
    name = models.CharField(_("name"), max_length=80, help_text=_("As people say it: United States."))
    country = models.CharField(
        _("country"),
        max_length=2,
        validators=[validate_country],
        help_text=_("ISO 3166-1 alpha-2: US, DE, GB."),
    )
    region = models.CharField(
        _("region"), max_length=8, choices=Region.choices, help_text=_("For reports and filters.")
    )
    currency = models.CharField(
        _("currency"), max_length=3, validators=[validate_currency], help_text=_("ISO 4217: USD, EUR, JPY.")
    )
    time_zone = models.CharField(
        _("time zone"), max_length=64, validators=[validate_time_zone],
        help_text=_("IANA name: America/New_York. Flights are counted in the ad account's zone, not this one."),
    )  # fmt: skip
    languages = models.JSONField(
        _("languages"), default=list, blank=True, validators=[validate_languages],
        help_text=_('ISO 639-1 codes, the main one first: ["en", "es"].'),
    )  # fmt: skip

    history = governed_history()

    class Meta:
        verbose_name = _("market")
        verbose_name_plural = _("markets")
        ordering = ["code"]

    def __str__(self) -> str:
        return f"{self.code} · {self.name}"

    def today(self) -> date:
        """The day that it is there now."""
        return timezone.now().astimezone(zoneinfo.ZoneInfo(self.time_zone)).date()


class BlockedCategory(models.TextChoices):
    ADULT = "ADULT", _("Adult content")
    ALCOHOL = "ALCOHOL", _("Alcohol")
    GAMBLING = "GAMBLING", _("Gambling")
    TOBACCO = "TOBACCO", _("Tobacco and vaping")
    DRUGS = "DRUGS", _("Drugs")
    WEAPONS = "WEAPONS", _("Weapons")
    DATING = "DATING", _("Dating")
    POLITICS = "POLITICS", _("Politics")


def validate_categories(codes: list[str]) -> None:
    if not isinstance(codes, list) or any(code not in BlockedCategory.values for code in codes):
        known = ", ".join(BlockedCategory.values)
        raise ValidationError(_("Write a list of these: %(known)s."), params={"known": known})


class Brand(CodedModel):
    """An advertiser's brand and what it allows."""

    REACH = ("pk", None)

    code = models.CharField(
        _("internal code"), max_length=12, unique=True, validators=[CODE],
        help_text=_("Stands in every campaign name: DIS."),
    )  # fmt: skip
    name = models.CharField(
        _("name"), max_length=120, unique=True, help_text=_("As the advertiser writes it.")
    )
    family_friendly = models.BooleanField(
        _("family-friendly"), default=False,
        help_text=_("No targeting of adult or alcohol interests, by id or by name, on any platform."),
    )  # fmt: skip
    blocked_categories = models.JSONField(
        _("blocked content categories"), default=list, blank=True, validators=[validate_categories],
        help_text=_('Interests that this brand never targets: ["GAMBLING", "TOBACCO"].'),
    )  # fmt: skip
    legal_lines = models.JSONField(
        _("legal lines"), default=list, blank=True,
        help_text=_('Sentences that must stand in its ads, as a list: ["Drink responsibly."].'),
    )  # fmt: skip
    dsa_beneficiary = models.CharField(
        _("EU DSA beneficiary"), max_length=255, blank=True,
        help_text=_("Who benefits from ads shown in the EU. Meta requires it there."),
    )  # fmt: skip
    dsa_payor = models.CharField(
        _("EU DSA payor"), max_length=255, blank=True, help_text=_("Who pays for ads shown in the EU.")
    )

    history = governed_history()

    class Meta:
        verbose_name = _("brand")
        verbose_name_plural = _("brands")
        ordering = ["code"]

    def __str__(self) -> str:
        return f"{self.code} · {self.name}"

    def clean(self) -> None:
        super().clean()
        lines = self.legal_lines
        if not isinstance(lines, list) or any(
            not isinstance(line, str) or not line.strip() for line in lines
        ):
            raise ValidationError({"legal_lines": _('Write a list of sentences: ["Drink responsibly."].')})


class Channel(CodedModel):
    """A platform and a way to buy on it. Google search and YouTube are two channels, so names don't collide."""

    code = models.CharField(
        _("code"), max_length=12, unique=True, validators=[CODE],
        help_text=_("Stands in every campaign name: META, TIKTOK, GGLSEARCH."),
    )  # fmt: skip
    name = models.CharField(_("name"), max_length=80, help_text=_("As people say it: Google Search."))
    platform = models.CharField(_("platform"), max_length=16, choices=Platform.choices)
    api_identifier = models.CharField(
        _("API identifier"), max_length=32,
        help_text=_("How it is bought: AUCTION on Meta and TikTok; SEARCH, DISPLAY or DEMAND_GEN on Google Ads."),
    )  # fmt: skip
    settings = models.JSONField(
        _("channel settings"), default=dict, blank=True,
        help_text=_('Platform settings that every ticket on this channel starts with, such as {"youtube_only": true}.'),
    )  # fmt: skip
    active = models.BooleanField(
        _("active"), default=True, help_text=_("Inactive channels take no new campaigns.")
    )

    history = governed_history()

    class Meta:
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        ordering = ["code"]

    def __str__(self) -> str:
        return f"{self.code} · {self.name}"
