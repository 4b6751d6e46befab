"""The ledger: one row per run of a plan, and one per call to a platform."""

from __future__ import annotations

import os
import time
import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from governance.governed import GovernedModel, governed_history
from governance.search_indexes import Way
from trafficking.models import Plan, Ticket


def time_ordered_uuid() -> uuid.UUID:
    """UUID version 7 (RFC 9562, 5.7): sorts by time, so that operations can be partitioned by their key."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10), "big")
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return uuid.UUID(int=value)


class Deployment(GovernedModel):
    """One run of an approved plan. Its public id is its Celery task id, however often it is enqueued."""

    SEARCHED: ClassVar[dict[str, Way]] = {"reason": "PART", "created_at": "SPAN"}

    REACH = ("ticket__campaign__brand_id", "ticket__campaign__market_id")
    UNGOVERNED = frozenset(
        {"lease_owner", "lease_until", "next_try_at", "enqueued_at", "checked_at", "reason", "proof"}
    )

    class State(models.TextChoices):
        QUEUED = "QUEUED", _("Queued")
        RUNNING = "RUNNING", _("Running")
        WAITING = "WAITING", _("Waiting to try again")
        IN_DOUBT = "IN_DOUBT", _("In doubt")
        SUCCEEDED = "SUCCEEDED", _("Succeeded")
        FAILED = "FAILED", _("Failed")
        CANCELLED = "CANCELLED", _("Cancelled")

    OPEN = (State.QUEUED, State.RUNNING, State.WAITING)

    class Kind(models.TextChoices):
        APPLY = "APPLY", _("Apply the plan")
        COMPENSATE = "COMPENSATE", _("Take back what was built")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.APPLY)
    public_id = models.UUIDField(_("task id"), default=time_ordered_uuid, unique=True, editable=False)
    ticket = models.ForeignKey(
        Ticket, on_delete=models.PROTECT, related_name="deployments", verbose_name=_("ticket")
    )
    plan = models.ForeignKey(
        Plan, on_delete=models.PROTECT, related_name="deployments", verbose_name=_("plan")
    )
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.QUEUED)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("deployed by"),
    )
    reason = models.TextField(
        _("why it stands there"), blank=True, help_text=_("The platform's words, or what is waited for.")
    )
    lease_owner = models.CharField(_("held by"), max_length=64, blank=True)
    lease_until = models.DateTimeField(
        _("held until"), null=True, blank=True, help_text=_("A dead worker loses it then.")
    )
    next_try_at = models.DateTimeField(_("next try"), null=True, blank=True)
    enqueued_at = models.DateTimeField(_("last enqueued"), null=True, blank=True)
    checked_at = models.DateTimeField(
        _("last checked"),
        null=True,
        blank=True,
        help_text=_("When plan and rules were last found unchanged."),
    )
    not_before = models.DateTimeField(
        _("not before"), null=True, blank=True, help_text=_("The authorised moment of going live.")
    )
    proof = models.JSONField(
        _("proof"), default=dict, blank=True,
        help_text=_("What was read back after the last call, object by object and field by field."),
    )  # fmt: skip
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    history = governed_history(
        excluded_fields=["lease_owner", "lease_until", "next_try_at", "enqueued_at", "checked_at", "proof"]
    )

    class Meta:
        verbose_name = _("deployment")
        verbose_name_plural = _("deployments")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["ticket"], name="one_open_deployment", violation_error_message=_("It is already being deployed."),
                condition=models.Q(state__in=["QUEUED", "RUNNING", "WAITING", "IN_DOUBT"]),
            )
        ]  # fmt: skip
        indexes = [models.Index(fields=["state", "next_try_at"])]

    def __str__(self) -> str:
        return str(self.public_id)


class Operation(models.Model):
    """One HTTP call: its intent is committed before it is sent, its answer after.

    The key starts with the deployment's time-ordered id and is the only unique index: the table can be
    partitioned by it (docs/decisions.md).
    """

    SEARCHED: ClassVar[dict[str, Way]] = {
        "name": "PART", "error": "PART", "error_code": "WHOLE", "updated_at": "SPAN", "object_type": "CHOICE",
    }  # fmt: skip

    class State(models.TextChoices):
        PENDING = "PENDING", _("Pending")
        SENDING = "SENDING", _("Sending")
        DONE = "DONE", _("Done")
        REJECTED = "REJECTED", _("Rejected")
        IN_DOUBT = "IN_DOUBT", _("In doubt")
        SKIPPED = "SKIPPED", _("Skipped")
        COMPENSATED = "COMPENSATED", _("Compensated")

    key = models.CharField(primary_key=True, max_length=180, editable=False)
    deployment = models.ForeignKey(
        Deployment, on_delete=models.PROTECT, related_name="operations", verbose_name=_("deployment")
    )
    position = models.PositiveIntegerField(_("position"))
    ref = models.CharField(_("ref"), max_length=120)
    action = models.CharField(_("action"), max_length=16)
    object_type = models.CharField(_("type"), max_length=24)
    name = models.CharField(_("name"), max_length=400, blank=True)
    state = models.CharField(_("state"), max_length=11, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveIntegerField(_("times sent"), default=0)
    waits = models.PositiveIntegerField(
        _("times waited"),
        default=0,
        help_text=_("For the platform's limit, or while looking for a lost answer."),
    )
    external_ids = models.JSONField(_("platform ids"), default=dict)
    http_status = models.PositiveSmallIntegerField(_("HTTP status"), null=True)
    response = models.JSONField(_("answer"), null=True)
    error_code = models.CharField(_("platform code"), max_length=80, blank=True)
    error = models.TextField(_("platform's words"), blank=True)
    error_field = models.CharField(_("ticket field"), max_length=200, blank=True)
    sent_at = models.DateTimeField(_("sent"), null=True)
    answered_at = models.DateTimeField(_("answered"), null=True)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now)

    class Meta:
        verbose_name = _("operation")
        verbose_name_plural = _("operations")
        ordering = ["deployment", "position"]
        indexes = [
            models.Index(fields=["deployment", "position"]),
            # most calls are done and were answered with 200: the rest is what people look for
            models.Index(fields=["state"], name="operation_not_done", condition=~models.Q(state="DONE")),
            models.Index(fields=["http_status"], name="operation_refused", condition=models.Q(http_status__gt=200)),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.position}. {self.action} {self.object_type} {self.name}"

    @staticmethod
    def key_of(deployment: Deployment, ref: str) -> str:
        return f"{deployment.public_id.hex}:{ref}"
