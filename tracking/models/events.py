"""Conversions as they came, each once, and what became of them at each destination.

High-volume tables. They will be partitioned by hash of `source`, which every unique index carries.
"""

from __future__ import annotations

import uuid
from typing import Any, ClassVar, Self

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from governance.access import reach_of
from governance.encrypted import EncryptedJSONField
from governance.money import MoneyField
from tracking.models.sources import ConversionSource, Destination

_REACH = ("source__brand_id", "source__market_id")


class ReachedQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> Self:
        """The rows of sources of the person's brands and markets."""
        return self.filter(reach_of(user).within(_REACH))


class ConversionEvent(models.Model):
    """One conversion. The browser's and the server's report of it are one row. No raw personal data."""

    class Origin(models.TextChoices):
        BROWSER = "browser", _("Browser")
        SERVER = "server", _("Server")
        BOTH = "both", _("Browser and server")

    REACH: ClassVar[tuple[str | None, str | None]] = _REACH

    public_id = models.UUIDField(_("public id"), default=uuid.uuid4, editable=False)
    source = models.ForeignKey(
        ConversionSource, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name=_("source")
    )
    name = models.CharField(_("event"), max_length=100)
    event_id = models.CharField(_("event id"), max_length=200)
    time = models.DateTimeField(_("happened"))
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    changed_at = models.DateTimeField(_("changed"), default=timezone.now)
    action_source = models.CharField(_("action source"), max_length=32)
    url = models.TextField(_("page"), blank=True, help_text=_("Without what could name a person."))
    referrer = models.TextField(_("referrer"), blank=True)
    order_id = models.CharField(_("order id"), max_length=200, blank=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    value = MoneyField(_("value"), null=True, blank=True)
    contents = models.JSONField(_("contents"), default=list, blank=True, encoder=DjangoJSONEncoder)
    custom = models.JSONField(_("custom data"), default=dict, blank=True, encoder=DjangoJSONEncoder)
    #: Click ids as they came, for finding the event. They are in `identifiers`, too, as each platform wants them.
    fbclid = models.CharField(_("fbclid"), max_length=512, blank=True)
    ttclid = models.CharField(_("ttclid"), max_length=512, blank=True)
    gclid = models.CharField(_("gclid, gbraid or wbraid"), max_length=512, blank=True)
    identifiers = models.JSONField(
        _("identifiers"), default=dict, blank=True,
        help_text=_("By platform, hashed where the platform wants it hashed."),
    )  # fmt: skip
    client: Any = EncryptedJSONField(
        _("address and browser"), default=dict, blank=True,
        help_text=_("IP address and user agent, encrypted, wiped once everything is delivered."),
    )  # fmt: skip
    consent = models.JSONField(
        _("consent"), default=dict, blank=True, help_text=_("What the person had decided, as it came.")
    )
    origin = models.CharField(_("reported by"), max_length=8, choices=Origin.choices)
    browser_at = models.DateTimeField(_("browser's report"), null=True)
    server_at = models.DateTimeField(_("server's report"), null=True)
    reports = models.PositiveIntegerField(_("reports"), default=1, help_text=_("How often it was reported."))
    is_test = models.BooleanField(_("test"), default=False)
    erased_at = models.DateTimeField(_("erased"), null=True)

    objects: ClassVar[Any] = models.Manager.from_queryset(ReachedQuerySet)()

    class Meta:
        verbose_name = _("conversion event")
        verbose_name_plural = _("conversion events")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["source", "event_id", "name"], name="conversion_event_once"),
            models.UniqueConstraint(fields=["public_id", "source"], name="conversion_event_public"),
        ]
        indexes = [
            models.Index(fields=["received_at"], name="conversion_received"),
            models.Index(fields=["event_id"], name="conversion_event_id"),
            models.Index(fields=["order_id"], name="conversion_order", condition=~Q(order_id="")),
            models.Index(fields=["fbclid"], name="conversion_fbclid", condition=~Q(fbclid="")),
            models.Index(fields=["ttclid"], name="conversion_ttclid", condition=~Q(ttclid="")),
            models.Index(fields=["gclid"], name="conversion_gclid", condition=~Q(gclid="")),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.event_id}"


class Delivery(models.Model):
    """One conversion for one destination."""

    class State(models.TextChoices):
        PENDING = "PENDING", _("Waiting")
        SENDING = "SENDING", _("Being sent")
        DELIVERED = "DELIVERED", _("Delivered")
        REJECTED = "REJECTED", _("Rejected")
        EXPIRED = "EXPIRED", _("Too old")
        SUPPRESSED = "SUPPRESSED", _("Not sent: no consent")

    REACH: ClassVar[tuple[str | None, str | None]] = _REACH

    source = models.ForeignKey(
        ConversionSource, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name=_("source")
    )
    event = models.ForeignKey(
        ConversionEvent,
        on_delete=models.CASCADE,
        related_name="deliveries",
        db_index=False,
        verbose_name=_("event"),
    )
    destination = models.ForeignKey(
        Destination, on_delete=models.PROTECT, related_name="deliveries", db_index=False,
        verbose_name=_("destination"),
    )  # fmt: skip
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.PENDING)
    limited = models.BooleanField(_("limited use"), default=False)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    repeats = models.PositiveIntegerField(
        _("sent again"), default=0,
        help_text=_("How often it was sent again because an answer was lost; the platform knows it by its id."),
    )  # fmt: skip
    next_try_at = models.DateTimeField(_("next try"), default=timezone.now)
    reason = models.CharField(_("reason"), max_length=64, blank=True)
    detail = models.TextField(_("what the platform said"), blank=True)
    claimed_by = models.CharField(_("held by"), max_length=64, blank=True)
    lease_until = models.DateTimeField(_("held until"), null=True)
    batch_id = models.UUIDField(_("batch"), null=True)
    trace = models.CharField(_("platform's request id"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("received"), default=timezone.now)
    sent_at = models.DateTimeField(_("last sent"), null=True)
    done_at = models.DateTimeField(_("done"), null=True)

    objects: ClassVar[Any] = models.Manager.from_queryset(ReachedQuerySet)()

    class Meta:
        verbose_name = _("conversion delivery")
        verbose_name_plural = _("conversion deliveries")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["event", "destination", "source"], name="delivery_once")
        ]
        indexes = [
            models.Index(
                fields=["destination", "next_try_at", "id"], name="delivery_due", condition=Q(state="PENDING")
            ),
            models.Index(fields=["lease_until"], name="delivery_held", condition=Q(state="SENDING")),
            models.Index(fields=["batch_id"], name="delivery_batch", condition=Q(batch_id__isnull=False)),
            models.Index(fields=["destination", "state", "done_at"], name="delivery_by_state"),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} → {self.destination_id} ({self.state})"


class RefusedCount(models.Model):
    """How many reported events were refused at the door, by hour and reason. Counts only: nothing of the event."""

    REACH: ClassVar[tuple[str | None, str | None]] = _REACH

    source = models.ForeignKey(
        ConversionSource,
        on_delete=models.CASCADE,
        related_name="refused",
        db_index=False,
        verbose_name=_("source"),
    )
    hour = models.DateTimeField(_("hour"))
    origin = models.CharField(_("reported by"), max_length=8, choices=ConversionEvent.Origin.choices)
    field = models.CharField(_("field"), max_length=64, blank=True)
    code = models.CharField(_("reason"), max_length=64)
    count = models.PositiveIntegerField(_("how many"), default=0)

    objects: ClassVar[Any] = models.Manager.from_queryset(ReachedQuerySet)()

    class Meta:
        verbose_name = _("refused events")
        verbose_name_plural = _("refused events")
        ordering = ["-hour"]
        constraints = [
            models.UniqueConstraint(fields=["source", "hour", "origin", "field", "code"], name="refused_once")
        ]
        indexes = [models.Index(fields=["hour"], name="refused_hour")]

    def __str__(self) -> str:
        return f"{self.field} {self.code}: {self.count}"
