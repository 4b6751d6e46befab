from __future__ import annotations

import zoneinfo
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from governance.access import reach_of
from governance.encrypted import EncryptedJSONField
from governance.governed import GovernedModel, GovernedQuerySet, governed_history
from governance.models.people import validate_time_zone
from governance.models.vocabulary import Brand, Market, validate_currency
from governance.money import MoneyField
from governance.platforms import Platform


class AdAccountQuerySet(GovernedQuerySet):
    def visible_to(self, user: Any) -> AdAccountQuerySet:
        """Accounts that serve a brand × market of theirs; with every brand and market, also those that serve none yet."""
        if reach_of(user).everything:
            return self
        return self.filter(pk__in=AdAccountServes.objects.visible_to(user).values("account_id"))

    def serving(self, brand: Brand, market: Market, platform: str) -> AdAccountQuerySet:
        """Active accounts for a brand in a market on a platform."""
        return self.filter(
            serves__brand=brand,
            serves__market=market,
            platform=platform,
            active=True,
            archived_at__isnull=True,
        )


class AdAccount(GovernedModel):
    """An advertiser account on a platform, serving one or more brand × market."""

    class Mode(models.TextChoices):
        SANDBOX = "SANDBOX", _("Sandbox")
        LIVE = "LIVE", _("Live")

    platform = models.CharField(_("platform"), max_length=16, choices=Platform.choices)
    external_id = models.CharField(
        _("account id"), max_length=64,
        help_text=_("As the platform shows it, digits only: Meta without act_, Google without dashes."),
    )  # fmt: skip
    name = models.CharField(_("name"), max_length=120, help_text=_("As your team calls it."))
    currency = models.CharField(
        _("currency"), max_length=3, validators=[validate_currency],
        help_text=_("The account's own currency; budgets of its tickets are in it."),
    )  # fmt: skip
    time_zone = models.CharField(
        _("time zone"), max_length=64, validators=[validate_time_zone],
        help_text=_("The account's own zone: a flight's day is this account's day."),
    )  # fmt: skip
    page_id = models.CharField(
        _("page id"), max_length=64, blank=True, help_text=_("Meta: the page that ads speak for.")
    )
    instagram_user_id = models.CharField(
        _("Instagram user id"), max_length=64, blank=True, help_text=_("Meta: needed for ads on Instagram.")
    )
    identity_id = models.CharField(
        _("identity id"), max_length=64, blank=True, help_text=_("TikTok: whom ads speak for.")
    )
    identity_type = models.CharField(
        _("identity type"),
        max_length=32,
        blank=True,
        help_text=_("TikTok: CUSTOMIZED_USER, TT_USER or BC_AUTH_TT."),
    )
    pixel_id = models.CharField(
        _("pixel id"),
        max_length=64,
        blank=True,
        help_text=_("Meta pixel or dataset, TikTok pixel: for conversions."),
    )
    app_id = models.CharField(_("app id"), max_length=64, blank=True, help_text=_("For app promotion."))
    login_customer_id = models.CharField(
        _("manager account id"),
        max_length=64,
        blank=True,
        help_text=_("Google Ads: the manager that gives access."),
    )
    conversion_action_id = models.CharField(
        _("conversion action id"),
        max_length=64,
        blank=True,
        help_text=_("Google Ads: what counts as a conversion."),
    )
    credentials = EncryptedJSONField(
        _("credentials"), default=dict, blank=True, editable=False,
        help_text=_("Tokens and secrets, encrypted; shown to no one."),
    )  # fmt: skip
    mode = models.CharField(
        _("mode"), max_length=8, choices=Mode.choices, default=Mode.SANDBOX,
        help_text=_("Sandbox: calls go to the built-in sandbox. Live: calls spend real money."),
    )  # fmt: skip
    daily_cap = MoneyField(
        _("daily cap"), null=True, blank=True,
        help_text=_("The most that all of one ticket's budgets may spend a day, in the account's currency."),
    )  # fmt: skip
    active = models.BooleanField(
        _("active"), default=True, help_text=_("Inactive accounts take no new tickets.")
    )
    rate_calls = models.PositiveIntegerField(
        _("calls allowed"), null=True, blank=True,
        help_text=_("How many calls the platform allows this account in the seconds beside. Empty: the platform's usual limit."),
    )  # fmt: skip
    rate_window_s = models.PositiveIntegerField(
        _("in seconds"),
        null=True,
        blank=True,
        help_text=_("Length of the window in which calls are counted."),
    )

    objects = models.Manager.from_queryset(AdAccountQuerySet)()
    history = governed_history(excluded_fields=["credentials"])

    class Meta:
        verbose_name = _("ad account")
        verbose_name_plural = _("ad accounts")
        ordering = ["platform", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["platform", "external_id"], name="ad_account_once",
                violation_error_message=_("This account is already registered."),
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.name} ({self.get_platform_display()} {self.external_id}, {self.currency})"

    def today(self) -> date:
        """The account's day now."""
        return timezone.now().astimezone(zoneinfo.ZoneInfo(self.time_zone)).date()

    def clean(self) -> None:
        super().clean()
        self.external_id = self.external_id.strip().removeprefix("act_").replace("-", "")
        if not self.external_id.isascii() or not self.external_id.isdigit():
            raise ValidationError({"external_id": _("Use the account's digits only.")})
        if self.daily_cap is not None and self.daily_cap <= 0:
            raise ValidationError({"daily_cap": _("Enter an amount above zero, or leave it empty.")})
        if (self.rate_calls is None) != (self.rate_window_s is None):
            missing = "rate_calls" if self.rate_calls is None else "rate_window_s"
            raise ValidationError(
                {missing: _("A limit needs both the calls and the seconds; or leave both empty.")}
            )
        if self.rate_calls == 0 or self.rate_window_s == 0:
            raise ValidationError({"rate_calls": _("Enter numbers above zero, or leave both empty.")})


class AdAccountServes(GovernedModel):
    """An account may be used for this brand in this market."""

    REACH = ("brand_id", "market_id")

    account = models.ForeignKey(
        AdAccount, on_delete=models.CASCADE, related_name="serves", verbose_name=_("ad account")
    )
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", verbose_name=_("brand"))
    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="+", verbose_name=_("market"))

    history = governed_history()

    class Meta:
        verbose_name = _("served brand × market")
        verbose_name_plural = _("served brands × markets")
        constraints = [
            models.UniqueConstraint(fields=["account", "brand", "market"], name="ad_account_serves_once")
        ]

    def __str__(self) -> str:
        return f"{self.brand.code} × {self.market.code}"
