from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from governance.governed import GovernedModel, governed_history
from governance.models import AdAccount, NamingConvention
from trafficking.models.tickets import Ticket
from trafficking.platforms.base import Operation


class Plan(GovernedModel):
    """The operations compiled from a ticket, as they will be sent. Written once, never changed."""

    REACH = ("ticket__campaign__brand_id", "ticket__campaign__market_id")

    ticket = models.ForeignKey(
        Ticket, on_delete=models.CASCADE, related_name="plans", verbose_name=_("ticket")
    )
    digest = models.CharField(
        _("digest"), max_length=64, help_text=_("sha-256 over everything that would be sent.")
    )
    platform = models.CharField(_("platform"), max_length=16)
    api_version = models.CharField(_("API version"), max_length=16)
    convention = models.ForeignKey(
        NamingConvention, on_delete=models.PROTECT, related_name="+", verbose_name=_("convention")
    )
    operations = models.JSONField(_("operations"), default=list)

    history = governed_history(excluded_fields=["operations"])

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["ticket", "digest"], name="plan_once")]

    def __str__(self) -> str:
        return self.digest[:12]

    def as_operations(self) -> list[Operation]:
        return [Operation.from_dict(each) for each in self.operations]

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise ValidationError(_("A plan is never changed; a new one is compiled."))
        super().save(*args, **kwargs)


class Approval(GovernedModel):
    """Somebody's decision on exactly one digest."""

    REACH = ("ticket__campaign__brand_id", "ticket__campaign__market_id")

    class Decision(models.TextChoices):
        APPROVED = "APPROVED", _("Approved")
        REJECTED = "REJECTED", _("Rejected")

    ticket = models.ForeignKey(
        Ticket, on_delete=models.CASCADE, related_name="approvals", verbose_name=_("ticket")
    )
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="approvals", verbose_name=_("plan"))
    decision = models.CharField(_("decision"), max_length=8, choices=Decision.choices)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("by")
    )
    at = models.DateTimeField(_("at"), default=timezone.now, editable=False)
    comment = models.TextField(_("comment"), blank=True)

    history = governed_history()

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.get_decision_display()} · {self.by}"

    def clean(self) -> None:
        if self.decision == self.Decision.APPROVED and self.by_id == self.ticket.requested_by_id:
            raise ValidationError(
                _("Whoever submitted a ticket can't approve it: ask a second person."), code="four_eyes"
            )
        if self.plan_id and self.plan.ticket_id != self.ticket_id:
            raise ValidationError(_("That plan belongs to another ticket."))


class PlatformObject(GovernedModel):
    """An object that a platform holds for us, and what was last applied to it. Deploy writes these."""

    REACH = ("ticket__campaign__brand_id", "ticket__campaign__market_id")

    ad_account = models.ForeignKey(
        AdAccount, on_delete=models.PROTECT, related_name="objects_held", verbose_name=_("ad account")
    )
    ticket = models.ForeignKey(
        Ticket, on_delete=models.PROTECT, related_name="platform_objects", verbose_name=_("ticket")
    )
    ref = models.CharField(_("ref"), max_length=120, help_text=_("The object's name within its plan."))
    object_type = models.CharField(_("type"), max_length=24)
    external_id = models.CharField(_("platform id"), max_length=120)
    name = models.CharField(_("name"), max_length=400, blank=True)
    intent = models.CharField(_("intent"), max_length=36, blank=True)
    api_version = models.CharField(_("API version"), max_length=16)
    applied = models.JSONField(_("last applied"), default=dict)

    history = governed_history(excluded_fields=["applied"])

    class Meta:
        verbose_name = _("platform object")
        verbose_name_plural = _("platform objects")
        ordering = ["-id"]
        constraints = [
            # Meta answers a creative of equal content with the one that it has: two ads may share it
            models.UniqueConstraint(
                fields=["ad_account", "object_type", "external_id"],
                name="platform_object_once",
                condition=~models.Q(object_type="creative"),
            ),
            models.UniqueConstraint(fields=["ticket", "ref"], name="platform_object_ref_once"),
        ]

    def __str__(self) -> str:
        return f"{self.object_type} {self.external_id}"
