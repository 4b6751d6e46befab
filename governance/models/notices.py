"""What people and other systems are told: notices, how each person wants them, webhooks and their deliveries."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from governance.access import reach_of
from governance.encrypted import EncryptedJSONField
from governance.findings import Finding
from governance.governed import GovernedModel, GovernedQuerySet, governed_history
from governance.models.vocabulary import Brand, Market


class NoticeKind(models.TextChoices):
    APPROVAL_ASKED = "approval_asked", _("Approval asked")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")
    LIVE = "live", _("Built or live")
    FAILED = "failed", _("Failed")
    IN_DOUBT = "in_doubt", _("In doubt")
    AD_REJECTED = "ad_rejected", _("Ad rejected or limited")
    ALERT = "alert", _("Other alerts")


class NoticeQuerySet(models.QuerySet["Notice"]):
    def visible_to(self, user: Any) -> Self:
        """One's own; none of a brand or market that was taken away since."""
        reach = reach_of(user)
        mine = self.filter(person_id=user.pk)
        if reach.everything:
            return mine
        return mine.filter(Q(brand=None, market=None) | reach.within(("brand_id", "market_id")))

    def unread(self) -> Self:
        return self.filter(read_at=None)


class Notice(models.Model):
    """One person is told of one thing."""

    public_id = models.UUIDField(_("public id"), default=uuid.uuid4, unique=True, editable=False)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices", verbose_name=_("person")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=NoticeKind.choices)
    code = models.CharField(_("code"), max_length=80)
    params = models.JSONField(_("parameters"), default=dict)
    path = models.CharField(_("page"), max_length=200, blank=True)
    brand = models.ForeignKey(
        Brand, on_delete=models.CASCADE, null=True, related_name="+", verbose_name=_("brand")
    )
    market = models.ForeignKey(
        Market, on_delete=models.CASCADE, null=True, related_name="+", verbose_name=_("market")
    )
    in_app = models.BooleanField(_("in the house"), default=True)
    by_mail = models.BooleanField(_("by mail"), default=False)
    created_at = models.DateTimeField(_("when"), default=timezone.now)
    read_at = models.DateTimeField(_("read"), null=True)
    mailed_at = models.DateTimeField(_("mailed"), null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["person", "read_at"], name="notice_unread"),
            models.Index(
                fields=["created_at"], name="notice_to_mail", condition=Q(by_mail=True, mailed_at=None)
            ),
        ]

    def __str__(self) -> str:
        return self.message

    @property
    def message(self) -> str:
        return Finding(self.code, params=self.params).message

    @property
    def remedy(self) -> str:
        return Finding(self.code, params=self.params).remedy


class NoticePreference(models.Model):
    """How a person wants to be told of one kind; without a row: in the house, and by mail."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notice_preferences"
    )
    kind = models.CharField(max_length=20, choices=NoticeKind.choices)
    in_app = models.BooleanField(default=True)
    by_mail = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "kind"], name="notice_preference_once")]

    def __str__(self) -> str:
        return f"{self.person}: {self.get_kind_display()}"


def validate_kinds(kinds: Any) -> None:
    if not isinstance(kinds, list) or any(each not in NoticeKind.values for each in kinds):
        raise ValidationError(
            _("Choose from these: %(known)s."), params={"known": ", ".join(NoticeKind.values)}
        )


def validate_endpoint(url: str) -> None:
    """Where it leads is checked again whenever something is sent."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        host = None
    if not host or parts.scheme != "https":
        raise ValidationError(_("Write a whole address that begins with https://."), code="not_https")
    if parts.username is not None or parts.password is not None:
        raise ValidationError(
            _("Leave user name and password out of the address: the signature tells who sends."),
            code="credentials",
        )


class WebhookQuerySet(GovernedQuerySet):
    def visible_to(self, user: Any) -> Self:
        """Those of brands that are the person's in every market; of every brand for who has everything."""
        reach = reach_of(user)
        if reach.everything:
            return self.all()
        whole = [brand for brand, market in reach.pairs if brand is not None and market is None]
        return self.filter(brand__in=whole)


class Webhook(GovernedModel):
    """An address of another system that is told of things, signed."""

    REACH: ClassVar[tuple[str | None, str | None]] = ("brand_id", None)

    name = models.CharField(
        _("name"), max_length=80, unique=True, help_text=_("Whose system it is: Slack bridge, BI.")
    )
    url = models.CharField(
        _("address"), max_length=500, validators=[validate_endpoint],
        help_text=_("https only. Addresses inside a private network are refused when something is sent."),
    )  # fmt: skip
    brand = models.ForeignKey(
        Brand, on_delete=models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("brand"),
        help_text=_("Only what belongs to this brand is sent. Empty: every brand."),
    )  # fmt: skip
    kinds = models.JSONField(
        _("kinds"), default=list, validators=[validate_kinds], help_text=_("What it is told of.")
    )
    active = models.BooleanField(_("active"), default=True)
    secret: Any = EncryptedJSONField(_("secret"), default=dict, blank=True, editable=False)
    secret_made_at = models.DateTimeField(_("secret made"), null=True, editable=False)

    objects: ClassVar[Any] = models.Manager.from_queryset(WebhookQuerySet)()
    history = governed_history(excluded_fields=["secret"])

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class WebhookDelivery(models.Model):
    """One event for one webhook, tried until it is taken or given up."""

    class State(models.TextChoices):
        PENDING = "PENDING", _("Waiting")
        DONE = "DONE", _("Delivered")
        FAILED = "FAILED", _("Given up")

    public_id = models.UUIDField(_("public id"), default=uuid.uuid4, unique=True, editable=False)
    webhook = models.ForeignKey(
        Webhook, on_delete=models.CASCADE, related_name="deliveries", verbose_name=_("webhook")
    )
    event = models.UUIDField(_("event"))
    kind = models.CharField(_("kind"), max_length=20)
    payload = models.JSONField(_("body"))
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_try_at = models.DateTimeField(_("next try"), null=True, default=timezone.now)
    answered = models.PositiveSmallIntegerField(_("answer"), null=True)
    error = models.CharField(_("what went wrong"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("when"), default=timezone.now)
    done_at = models.DateTimeField(_("delivered"), null=True)

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["webhook", "event"], name="webhook_event_once")]
        indexes = [models.Index(fields=["next_try_at"], name="webhook_due", condition=Q(state="PENDING"))]

    def __str__(self) -> str:
        return f"{self.kind} → {self.webhook}"
