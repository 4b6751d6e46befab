from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from governance.access import reach_of
from governance.findings import Finding
from governance.models import AdAccount
from governance.search_indexes import Way
from trafficking.models import Ticket


class AlertQuerySet(models.QuerySet["Alert"]):
    def visible_to(self, user: Any) -> AlertQuerySet:
        """Those of tickets and accounts within their brands and markets."""
        reach = reach_of(user)
        if reach.everything:
            return self
        if not reach.pairs:
            return self.none()
        # by joins: a list of all the tickets of a large brand would be read for every count
        tickets = reach.within(("ticket__campaign__brand_id", "ticket__campaign__market_id"))
        accounts = AdAccount.objects.visible_to(user).values("pk")
        # a stop of a brand, a platform or everything hangs on no one account: whoever works here may know
        everyones = Q(ticket=None, ad_account=None)
        return self.filter(
            (Q(ticket__isnull=False) & tickets) | Q(ticket__isnull=True, ad_account__in=accounts) | everyones
        )

    def open(self) -> AlertQuerySet:
        return self.filter(seen_at__isnull=True)


class Alert(models.Model):
    """Something that a person must know: a rejected ad, an open question, drift, a stopped account."""

    SEARCHED: ClassVar[dict[str, Way]] = {"code": "START", "created_at": "SPAN", "severity": "CHOICE"}

    class Severity(models.TextChoices):
        INFO = "INFO", _("Information")
        WARNING = "WARNING", _("Warning")
        CRITICAL = "CRITICAL", _("Critical")

    public_id = models.UUIDField(_("public id"), default=uuid.uuid4, unique=True, editable=False)
    severity = models.CharField(
        _("severity"), max_length=8, choices=Severity.choices, default=Severity.WARNING
    )
    code = models.CharField(_("code"), max_length=80)
    params = models.JSONField(_("parameters"), default=dict)
    ticket = models.ForeignKey(
        Ticket,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="alerts",
        verbose_name=_("ticket"),
    )
    ad_account = models.ForeignKey(
        AdAccount,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="alerts",
        verbose_name=_("ad account"),
    )
    key = models.CharField(
        _("about"), max_length=200, blank=True, help_text=_("Told once for as long as nobody has seen it.")
    )
    created_at = models.DateTimeField(_("when"), default=timezone.now)
    mailed_at = models.DateTimeField(_("mailed"), null=True, blank=True)
    seen_at = models.DateTimeField(_("seen"), null=True, blank=True)
    seen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("seen by"),
    )  # fmt: skip

    objects = AlertQuerySet.as_manager()

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["key"], name="alert_open_once", condition=Q(seen_at__isnull=True) & ~Q(key="")
            )
        ]
        indexes = [models.Index(fields=["seen_at", "-id"])]

    def __str__(self) -> str:
        return self.message

    @property
    def message(self) -> str:
        return Finding(self.code, params=self.params).message

    @property
    def remedy(self) -> str:
        return Finding(self.code, params=self.params).remedy
