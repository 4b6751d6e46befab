from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from governance.governed import GovernedModel, governed_history
from governance.models import AdAccount, Brand
from governance.platforms import Platform


class KillSwitch(GovernedModel):
    """A stop: what runs within its scope is paused, and nothing queued is sent, until it is released."""

    class Scope(models.TextChoices):
        ACCOUNT = "ACCOUNT", _("One ad account")
        BRAND = "BRAND", _("One brand")
        PLATFORM = "PLATFORM", _("One platform")
        ALL = "ALL", _("Everything")

    class State(models.TextChoices):
        STOPPING = "STOPPING", _("Stopping")
        STOPPED = "STOPPED", _("Stopped")
        RELEASING = "RELEASING", _("Starting again")
        RELEASED = "RELEASED", _("Released")

    #: Nothing is sent in these.
    ENGAGED = (State.STOPPING, State.STOPPED)

    scope = models.CharField(_("what"), max_length=8, choices=Scope.choices)
    ad_account = models.ForeignKey(
        AdAccount,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="stops",
        verbose_name=_("ad account"),
    )
    brand = models.ForeignKey(
        Brand, on_delete=models.PROTECT, null=True, blank=True, related_name="stops", verbose_name=_("brand")
    )
    platform = models.CharField(_("platform"), max_length=16, choices=Platform.choices, blank=True)
    reason = models.TextField(_("why"), help_text=_("It is shown to everyone whose work stands still."))
    state = models.CharField(
        _("state"), max_length=9, choices=State.choices, default=State.STOPPING, editable=False
    )
    engaged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", editable=False,
        verbose_name=_("stopped by"),
    )  # fmt: skip
    engaged_at = models.DateTimeField(_("stopped"), default=timezone.now, editable=False)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", editable=False,
        verbose_name=_("released by"),
    )  # fmt: skip
    released_at = models.DateTimeField(_("released"), null=True, editable=False)
    checked_at = models.DateTimeField(
        _("last looked"),
        null=True,
        editable=False,
        help_text=_("When the platforms were last asked what runs."),
    )

    UNGOVERNED = frozenset({"checked_at"})

    history = governed_history(excluded_fields=["checked_at"])

    class Meta:
        verbose_name = _("kill switch")
        verbose_name_plural = _("kill switches")
        ordering = ["-id"]
        permissions = [("engage_killswitch", _("Can stop and release"))]

    def __str__(self) -> str:
        what = {
            self.Scope.ACCOUNT: self.ad_account,
            self.Scope.BRAND: self.brand,
            self.Scope.PLATFORM: self.get_platform_display(),
        }.get(self.Scope(self.scope), _("Everything"))
        return f"{what} · {self.get_state_display()}"

    def clean(self) -> None:
        super().clean()
        needed = {"ACCOUNT": "ad_account", "BRAND": "brand", "PLATFORM": "platform"}
        for scope, name in needed.items():
            given = bool(getattr(self, f"{name}_id" if name != "platform" else name))
            if scope == self.scope and not given:
                raise ValidationError({name: _("Choose what to stop.")})
            if scope != self.scope and given:
                raise ValidationError({name: _("Leave this empty, or choose that scope.")})
        if not self.reason.strip():
            raise ValidationError({"reason": _("Say why.")})


class AccountStop(models.Model):
    """Where the stopping and starting of one ad account stands. One worker at a time works on an account, for all
    kill switches together."""

    ad_account = models.OneToOneField(
        AdAccount, on_delete=models.CASCADE, related_name="stopping", verbose_name=_("ad account")
    )
    quiet_for = models.JSONField(
        _("nothing runs for"),
        default=list,
        help_text=_("The kill switches for which the last look found nothing running."),
    )
    problem = models.TextField(
        _("problem"), blank=True, help_text=_("Why the account could not be stopped or started yet.")
    )
    looked_at = models.DateTimeField(_("last looked"), null=True)
    next_try_at = models.DateTimeField(_("next look"), null=True)
    lease_owner = models.CharField(_("held by"), max_length=64, blank=True)
    lease_until = models.DateTimeField(_("held until"), null=True)

    class Meta:
        verbose_name = _("stopping of an account")
        verbose_name_plural = _("stopping of accounts")

    def __str__(self) -> str:
        return f"{self.ad_account} · {self.problem or self.looked_at}"


class StoppedObject(models.Model):
    """One campaign that a kill switch paused, so that release starts exactly what ran before."""

    class State(models.TextChoices):
        PAUSING = "PAUSING", _("Being paused")
        PAUSED = "PAUSED", _("Paused")
        RESTORED = "RESTORED", _("Running again")
        LEFT = "LEFT", _("Left as it is")

    stop = models.ForeignKey(
        KillSwitch, on_delete=models.PROTECT, related_name="objects_stopped", verbose_name=_("kill switch")
    )
    ad_account = models.ForeignKey(
        AdAccount, on_delete=models.PROTECT, related_name="+", verbose_name=_("ad account")
    )
    object_type = models.CharField(_("type"), max_length=24, default="campaign")
    external_id = models.CharField(_("platform id"), max_length=120)
    name = models.CharField(_("name"), max_length=400, blank=True)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.PAUSING)
    note = models.TextField(_("note"), blank=True, help_text=_("The platform's words, or why it was left."))
    paused_at = models.DateTimeField(_("paused"), null=True)
    restored_at = models.DateTimeField(_("running again"), null=True)

    class Meta:
        verbose_name = _("stopped object")
        verbose_name_plural = _("stopped objects")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["stop", "ad_account", "object_type", "external_id"], name="stopped_object_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name or self.external_id} · {self.get_state_display()}"
