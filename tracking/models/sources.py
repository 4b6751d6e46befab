"""Where conversions come from, and where they go."""

from __future__ import annotations

import secrets
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from governance.encrypted import EncryptedJSONField
from governance.governed import GovernedModel, GovernedQuerySet, governed_history
from governance.models import AdAccount, Brand, Market
from governance.models.vocabulary import validate_currency
from governance.platforms import Platform

#: What the pure rooms (normalise, destinations) call a platform.
SHORT = {Platform.META: "meta", Platform.TIKTOK: "tiktok", Platform.GOOGLE_ADS: "google"}


class ConsentPolicy(models.TextChoices):
    """What is done with an event of a person who did not say yes."""

    OPT_IN = "opt_in", _("Opt-in: without a yes nothing is sent")
    OPT_OUT = "opt_out", _("Opt-out: sent unless they said no, then limited or not at all")
    NONE = "none", _("No consent is needed")


def new_write_key() -> str:
    return secrets.token_urlsafe(15)


def validate_origins(origins: Any) -> None:
    """A list of `https://host[:port]`, without path; http only for this machine."""
    if not isinstance(origins, list) or len(origins) > 100:
        raise ValidationError(_('Write a list of at most 100 origins, such as ["https://www.example.com"].'))
    for origin in origins:
        if not isinstance(origin, str) or not _is_origin(origin):
            raise ValidationError(
                _("'%(origin)s' is not an origin. Write https:// and the host only, such as https://www.example.com."),
                params={"origin": str(origin)[:100]},
            )  # fmt: skip


def _is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    here = parts.hostname in ("localhost", "127.0.0.1", "::1")
    plain = f"{parts.scheme}://{parts.netloc}" == text and "@" not in text and bool(parts.hostname)
    return (
        plain
        and text == text.lower()
        and port != 0
        and (parts.scheme == "https" or (here and parts.scheme == "http"))
    )


class ConversionSource(GovernedModel):
    """One site, app or shop of a brand in a market that reports conversions."""

    REACH: ClassVar[tuple[str | None, str | None]] = ("brand_id", "market_id")

    name = models.CharField(
        _("name"), max_length=120, help_text=_("As your team calls the site or shop: Shop US.")
    )
    brand = models.ForeignKey(
        Brand, on_delete=models.PROTECT, related_name="+", verbose_name=_("brand"),
        help_text=_("Whose conversions these are."),
    )  # fmt: skip
    market = models.ForeignKey(
        Market, on_delete=models.PROTECT, related_name="+", verbose_name=_("market"),
        help_text=_("Phone numbers without a country code are read as numbers of its country."),
    )  # fmt: skip
    write_key = models.CharField(
        _("write key"), max_length=40, unique=True, default=new_write_key, editable=False,
        help_text=_("Names this source in the page's snippet. Public: it gives no access to anything."),
    )  # fmt: skip
    secret_digest = models.CharField(
        _("secret"), max_length=64, blank=True, editable=False, db_index=True,
        help_text=_("SHA-256 of the server secret; the secret itself is shown once and kept nowhere."),
    )  # fmt: skip
    previous_digest = models.CharField(
        _("secret before"), max_length=64, blank=True, editable=False, db_index=True
    )
    previous_until = models.DateTimeField(
        _("secret before works until"), null=True, editable=False,
        help_text=_("After a new secret was made, the one before still works until then."),
    )  # fmt: skip
    secret_made_at = models.DateTimeField(_("secret made"), null=True, editable=False)
    allowed_origins = models.JSONField(
        _("allowed origins"), default=list, blank=True, validators=[validate_origins],
        help_text=_('Sites whose pages may report, e.g. ["https://www.example.com"]. Empty: no browser may, only servers.'),
    )  # fmt: skip
    consent_policy = models.CharField(
        _("consent"), max_length=16, choices=ConsentPolicy.choices, default=ConsentPolicy.OPT_IN,
        help_text=_("What is sent of a person who did not agree. Ask your legal team; opt-in is the safe choice."),
    )  # fmt: skip
    default_currency = models.CharField(
        _("currency"), max_length=3, blank=True, validators=[validate_currency],
        help_text=_("ISO 4217, for values that come without one. Empty: such events are refused."),
    )  # fmt: skip
    active = models.BooleanField(
        _("active"), default=True, help_text=_("An inactive source takes nothing in.")
    )

    history = governed_history(excluded_fields=["secret_digest", "previous_digest"])

    class Meta:
        verbose_name = _("conversion source")
        verbose_name_plural = _("conversion sources")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "market", "name"], name="conversion_source_once",
                violation_error_message=_("This brand has a source of that name in this market."),
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name

    @property
    def region(self) -> str:
        """ISO 3166-1 alpha-2 of the market, for national phone numbers."""
        return self.market.country


class DestinationQuerySet(GovernedQuerySet):
    def receiving(self) -> DestinationQuerySet:
        return self.filter(active=True, archived_at__isnull=True)


class Destination(GovernedModel):
    """One platform that conversions of a source are sent to."""

    REACH: ClassVar[tuple[str | None, str | None]] = ("source__brand_id", "source__market_id")
    #: Facts about calls already made.
    UNGOVERNED: ClassVar[frozenset[str]] = frozenset(
        {"failures", "open_until", "broken_by", "last_delivered_at"}
    )

    source = models.ForeignKey(
        ConversionSource, on_delete=models.PROTECT, related_name="destinations", verbose_name=_("source")
    )
    platform = models.CharField(_("platform"), max_length=16, choices=Platform.choices)
    pixel_id = models.CharField(
        _("pixel or dataset id"), max_length=64, blank=True,
        help_text=_("Meta: the dataset's (pixel's) id. TikTok: the pixel code."),
    )  # fmt: skip
    account_id = models.CharField(
        _("account id"), max_length=64, blank=True,
        help_text=_("Google: the Ads account that the conversion action belongs to, digits only."),
    )  # fmt: skip
    login_account_id = models.CharField(
        _("manager account id"), max_length=64, blank=True,
        help_text=_("Google: the manager that gives access, where there is one."),
    )  # fmt: skip
    conversion_action_id = models.CharField(
        _("conversion action id"),
        max_length=64,
        blank=True,
        help_text=_("Google: what counts as a conversion."),
    )
    tag_id = models.CharField(
        _("tag"), max_length=80, blank=True,
        help_text=_("Google: send_to of the tag in the page, such as AW-123456789/AbC-D_efG."),
    )  # fmt: skip
    event_names = models.JSONField(
        _("event names"), default=list, blank=True,
        help_text=_('Only these events are sent, e.g. ["Purchase"]. Empty: all.'),
    )  # fmt: skip
    load_pixel = models.BooleanField(
        _("load the platform's script"), default=False,
        help_text=_("Our script loads the platform's own pixel after consent. Leave off where your page or tag manager does."),
    )  # fmt: skip
    credentials: Any = EncryptedJSONField(
        _("credentials"), default=dict, blank=True, editable=False,
        help_text=_("Access token, or Google's client id, client secret and refresh token. Encrypted; shown to no one."),
    )  # fmt: skip
    test_code = models.CharField(
        _("test code"), max_length=64, blank=True,
        help_text=_("Of the platform's test events page; only 'send a test event' uses it."),
    )  # fmt: skip
    consent_policy = models.CharField(
        _("consent"), max_length=16, choices=ConsentPolicy.choices, blank=True,
        help_text=_("Other than the source's, for this platform. Empty: the source's."),
    )  # fmt: skip
    mode = models.CharField(
        _("mode"), max_length=8, choices=AdAccount.Mode.choices, default=AdAccount.Mode.SANDBOX,
        help_text=_("Sandbox: sent to the built-in sandbox. Live: sent to the platform."),
    )  # fmt: skip
    active = models.BooleanField(
        _("active"), default=True, help_text=_("Conversions that come while it is off are not sent later.")
    )
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)
    open_until = models.DateTimeField(
        _("rests until"), null=True, editable=False,
        help_text=_("After many failures in a row nothing is sent until then; nothing is lost."),
    )  # fmt: skip
    broken_by = models.TextField(_("last failure"), blank=True, editable=False)
    last_delivered_at = models.DateTimeField(_("last delivery"), null=True, editable=False)

    objects: ClassVar[Any] = models.Manager.from_queryset(DestinationQuerySet)()
    history = governed_history(
        excluded_fields=["credentials", "failures", "open_until", "broken_by", "last_delivered_at"]
    )

    class Meta:
        verbose_name = _("destination")
        verbose_name_plural = _("destinations")
        ordering = ["source", "platform"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "platform"], name="destination_once",
                violation_error_message=_("This source already has a destination on that platform."),
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.source} → {self.get_platform_display()}"

    def clean(self) -> None:
        super().clean()
        self.account_id = self.account_id.replace("-", "").strip()
        self.login_account_id = self.login_account_id.replace("-", "").strip()
        needed = (
            ("account_id", "conversion_action_id") if self.platform == Platform.GOOGLE_ADS else ("pixel_id",)
        )
        errors: dict[str, Any] = {
            name: _("Fill this in for this platform.") for name in needed if not getattr(self, name)
        }
        for name in ("account_id", "login_account_id", "conversion_action_id"):
            value = getattr(self, name)
            if value and not (value.isascii() and value.isdigit()):
                errors[name] = _("Use digits only.")
        if self.pixel_id and not (self.pixel_id.isascii() and self.pixel_id.isalnum()):
            errors["pixel_id"] = _("Use letters and digits only, as the platform shows it.")
        names = self.event_names
        if not isinstance(names, list) or any(not isinstance(each, str) or not each for each in names):
            errors["event_names"] = _('Write a list of names, such as ["Purchase", "Lead"].')
        if errors:
            raise ValidationError(errors)

    @property
    def short(self) -> str:
        """What the pure rooms call the platform: meta, tiktok or google."""
        return SHORT[Platform(self.platform)]

    @property
    def policy(self) -> str:
        return self.consent_policy or self.source.consent_policy

    @property
    def config(self) -> dict[str, str]:
        """What a request is built from: the platform's ids, and the secrets by their names."""
        ids = ("pixel_id", "account_id", "login_account_id", "conversion_action_id")
        return {**{name: getattr(self, name) for name in ids}, **self.credentials}

    def takes(self, event_name: str) -> bool:
        return not self.event_names or event_name in self.event_names
