from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from governance.models import AdAccount


class RateState(models.Model):
    """An account's rate budget, where no Redis keeps it; where one does, that the account has been called before."""

    key = models.CharField(_("account"), max_length=80, primary_key=True)
    spent = models.JSONField(
        _("spent"),
        default=list,
        help_text=_("Slices of time: until when they count, calls, and how many of them are reads."),
    )
    due = models.FloatField(_("next appointment"), default=0.0, help_text=_("Seconds since 1970."))
    hold_until = models.FloatField(_("stay away until"), default=0.0, help_text=_("As the platform asked."))
    turn = models.PositiveBigIntegerField(_("turn"), default=0, help_text=_("Rises with every change."))

    class Meta:
        verbose_name = _("rate budget")
        verbose_name_plural = _("rate budgets")

    def __str__(self) -> str:
        return self.key


class MediaUpload(models.Model):
    """A file in an account's library on its platform: uploaded once per account, content and use."""

    ad_account = models.ForeignKey(
        AdAccount, on_delete=models.PROTECT, related_name="uploads", verbose_name=_("ad account")
    )
    ref = models.CharField(
        _("ref"), max_length=120, help_text=_("Of the upload within a plan: it holds the content's hash.")
    )
    external_id = models.CharField(_("platform id"), max_length=200, blank=True)
    claimed_by = models.CharField(
        _("uploaded by"), max_length=36, blank=True, help_text=_("The deployment that uploads it, or has.")
    )
    ready = models.BooleanField(
        _("ready"), default=False, help_text=_("Videos are processed before they can be used.")
    )
    created_at = models.DateTimeField(_("uploaded"), default=timezone.now)

    class Meta:
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")
        constraints = [models.UniqueConstraint(fields=["ad_account", "ref"], name="media_upload_once")]

    def __str__(self) -> str:
        return f"{self.ref} {self.external_id}"
