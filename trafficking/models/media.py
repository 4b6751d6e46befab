from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from governance.governed import GovernedModel, governed_history
from governance.models import Brand
from trafficking.platforms.base import File


class MediaFile(GovernedModel):
    """An image or video of a brand, kept once by its content and uploaded to each account that needs it."""

    REACH = ("brand_id", None)

    brand = models.ForeignKey(
        Brand, on_delete=models.PROTECT, related_name="media_files", verbose_name=_("brand")
    )
    name = models.CharField(_("file name"), max_length=200)
    file = models.FileField(_("file"), upload_to="media/%Y/%m/", max_length=300)
    source_url = models.URLField(
        _("from"),
        max_length=2000,
        blank=True,
        help_text=_("Where it was fetched from; empty for an uploaded file."),
    )
    sha256 = models.CharField(
        _("content"), max_length=64, editable=False, help_text=_("sha-256 of its bytes.")
    )
    content_type = models.CharField(_("type"), max_length=40, editable=False)
    size = models.PositiveBigIntegerField(_("bytes"), editable=False)
    width = models.PositiveIntegerField(_("width"), editable=False, help_text=_("Pixels."))
    height = models.PositiveIntegerField(_("height"), editable=False, help_text=_("Pixels."))
    duration_s = models.DecimalField(
        _("seconds"), max_digits=9, decimal_places=3, null=True, blank=True, editable=False
    )
    codec = models.CharField(_("codec"), max_length=20, blank=True, editable=False)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+", editable=False,
        verbose_name=_("added by"),
    )  # fmt: skip

    history = governed_history()

    class Meta:
        verbose_name = _("media file")
        verbose_name_plural = _("media library")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "sha256"], name="media_file_once",
                violation_error_message=_("The brand's library has this file already."),
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name

    def as_file(self) -> File:
        return File(
            sha256=self.sha256,
            name=self.name,
            content_type=self.content_type,
            size=self.size,
            width=self.width,
            height=self.height,
            duration_s=self.duration_s,
            codec=self.codec,
        )
