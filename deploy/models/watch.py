from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from governance.models import AdAccount
from governance.search_indexes import Way
from trafficking.models import PlatformObject, Ticket


class AccountWatch(models.Model):
    """When an account was last looked at, and what preflight said."""

    ad_account = models.OneToOneField(
        AdAccount, on_delete=models.CASCADE, related_name="watch", verbose_name=_("ad account")
    )
    checked_at = models.DateTimeField(_("last checked"), null=True)
    findings = models.JSONField(
        _("findings"), default=list, help_text=_("Of the last check before building.")
    )
    drift_at = models.DateTimeField(_("drift last looked for"), null=True)
    inventory_at = models.DateTimeField(_("inventory last read"), null=True)
    drift_due_at = models.DateTimeField(
        _("drift due"), null=True, help_text=_("Not looked for before this moment; empty: at once.")
    )
    inventory_due_at = models.DateTimeField(
        _("inventory goes on"), null=True, help_text=_("Empty: no import is under way.")
    )
    inventory_left = models.JSONField(
        _("campaigns still to be read"), null=True, help_text=_("Their platform ids; empty: the list is still to come.")
    )  # fmt: skip
    problem = models.TextField(_("problem"), blank=True, help_text=_("Why the last look told nothing."))

    class Meta:
        verbose_name = _("account watch")
        verbose_name_plural = _("account watches")

    def __str__(self) -> str:
        return str(self.ad_account)


class Drift(models.Model):
    """One field that a platform no longer has as it was applied: applied, wanted and live side by side."""

    SEARCHED: ClassVar[dict[str, Way]] = {"field": "START", "reason": "PART", "found_at": "SPAN"}

    class State(models.TextChoices):
        OPEN = "OPEN", _("Open")
        ADOPTED = "ADOPTED", _("Adopted")
        RESTORING = "RESTORING", _("Being restored")
        IGNORED = "IGNORED", _("Ignored")
        GONE = "GONE", _("Gone again")

    #: Known and not to be told again while the live value stays.
    STANDING = (State.OPEN, State.RESTORING, State.IGNORED)

    public_id = models.UUIDField(_("public id"), default=uuid.uuid4, unique=True, editable=False)
    held = models.ForeignKey(
        PlatformObject, on_delete=models.CASCADE, related_name="drifts", verbose_name=_("platform object")
    )
    field = models.CharField(
        _("field"), max_length=120, help_text=_("The platform's word; empty: the whole object.")
    )
    applied = models.JSONField(_("applied"), null=True)
    wanted = models.JSONField(_("wanted"), null=True)
    live = models.JSONField(_("live"), null=True)
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.OPEN)
    reason = models.TextField(_("reason"), blank=True)
    found_at = models.DateTimeField(_("found"), default=timezone.now)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("decided by"),
    )  # fmt: skip
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    request = models.ForeignKey(
        Ticket, on_delete=models.SET_NULL, null=True, blank=True, related_name="restores", verbose_name=_("ticket"),
        help_text=_("The ticket that puts it right again."),
    )  # fmt: skip

    class Meta:
        verbose_name = _("drift")
        verbose_name_plural = _("drift")
        ordering = ["-id"]
        permissions = [("decide_drift", _("Can adopt, restore or ignore drift"))]
        constraints = [
            models.UniqueConstraint(
                fields=["held", "field"], name="drift_standing_once",
                condition=models.Q(state__in=["OPEN", "RESTORING", "IGNORED"]),
            )
        ]  # fmt: skip
        indexes = [models.Index(fields=["state", "-id"])]

    def __str__(self) -> str:
        return f"{self.held.name} · {self.field}"


class ExistingObject(models.Model):
    """An object that an account already has, by whomever it was made: read, and its name held against the convention."""

    SEARCHED: ClassVar[dict[str, Way]] = {
        "name": "PART", "proposed_name": "PART", "external_id": "WHOLE", "status": "CHOICE",
    }  # fmt: skip

    public_id = models.UUIDField(_("public id"), default=uuid.uuid4, unique=True, editable=False)
    ad_account = models.ForeignKey(
        AdAccount, on_delete=models.CASCADE, related_name="existing_objects", verbose_name=_("ad account")
    )
    object_type = models.CharField(_("type"), max_length=24)
    external_id = models.CharField(_("platform id"), max_length=120)
    parent_id = models.CharField(_("parent's platform id"), max_length=120, blank=True)
    name = models.CharField(_("name"), max_length=400, blank=True)
    status = models.CharField(_("status"), max_length=8, blank=True)
    delivery = models.CharField(_("delivery"), max_length=12, blank=True)
    fields = models.JSONField(_("fields"), default=dict)
    legal = models.BooleanField(_("name is legal"), default=False)
    parts = models.JSONField(
        _("parts"), default=dict, help_text=_("What its name says, read by the convention in force.")
    )
    findings = models.JSONField(_("findings"), default=list, help_text=_("Why its name is not legal."))
    proposed_name = models.CharField(_("nearest legal name"), max_length=400, blank=True)
    proposed_parts = models.JSONField(_("parts of the proposal"), default=dict)
    governed_by = models.ForeignKey(
        PlatformObject, on_delete=models.SET_NULL, null=True, blank=True, related_name="seen_as",
        verbose_name=_("governed as"),
    )  # fmt: skip
    seen_at = models.DateTimeField(_("last seen"), default=timezone.now)

    class Meta:
        verbose_name = _("existing object")
        verbose_name_plural = _("existing objects")
        ordering = ["ad_account", "parent_id", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["ad_account", "object_type", "external_id"], name="existing_object_once"
            )
        ]
        indexes = [
            models.Index(fields=["ad_account", "object_type", "legal"]),
            models.Index(fields=["ad_account", "name", "id"], name="existing_object_listed"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name or self.external_id
