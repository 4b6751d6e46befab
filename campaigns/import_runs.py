"""What people import, step by step: one row per import, and the column mappings that they keep.

The file itself and what was read of it lie in a folder of the person's (`trafficking/imports/storage.py`) until they
expire; the row stays and says who imported what.
"""

from __future__ import annotations

import uuid
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ColumnMappingQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> Self:
        """One's own, and those that others share."""
        if user is None or not user.is_active or not user.is_authenticated:
            return self.none()
        return self.filter(models.Q(owner=user) | models.Q(shared=True))


class ColumnMapping(models.Model):
    """Which column of a file means which field of ours; applied by itself when the same headers come again."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=100, help_text=_("Whose sheets it reads: Agency X, plans."))
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("owner")
    )
    shared = models.BooleanField(
        _("shared"), default=False, help_text=_("Everybody who imports such files uses it, too.")
    )
    kind = models.CharField(_("kind of file"), max_length=32)
    signature = models.CharField(max_length=64, editable=False)  # of the headers, whatever their order
    headers = models.JSONField(_("headers"), default=list, help_text=_("As the file has them."))
    columns = models.JSONField(
        _("columns"), default=dict, help_text=_("Header → column of ours; empty: the column is ignored.")
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    used_at = models.DateTimeField(_("last used"), null=True, editable=False)

    objects = models.Manager.from_queryset(ColumnMappingQuerySet)()

    class Meta:
        verbose_name = _("column mapping")
        verbose_name_plural = _("column mappings")
        ordering = ["kind", "name"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "kind", "name"], name="column_mapping_named_once")
        ]
        indexes = [models.Index(fields=["kind", "signature"], name="column_mapping_headers")]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        used = [column for column in self.columns.values() if column]
        if len(used) != len(set(used)):
            raise ValidationError({"columns": _("Two headers mean the same column. Ignore one of them.")})


class ImportRunQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> Self:
        """One's own: a file may hold what others must not see. Whoever sees everything sees them all."""
        if user is None or not user.is_active or not user.is_authenticated:
            return self.none()
        return self if user.is_superuser else self.filter(owner=user)


class ImportRun(models.Model):
    """One file on its way in: its columns are named, it is checked, and it is written or not."""

    class State(models.TextChoices):
        MAPPING = "MAPPING", _("Columns to be named")
        CHECKING = "CHECKING", _("Being checked")
        CHECKED = "CHECKED", _("Checked")
        WRITING = "WRITING", _("Being written")
        WRITTEN = "WRITTEN", _("Imported")
        CANCELLED = "CANCELLED", _("Cancelled")
        FAILED = "FAILED", _("Failed")

    #: Somebody works on it, or should.
    WORKING = frozenset({State.CHECKING, State.WRITING})

    public_id = models.UUIDField(_("public id"), default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="import_runs", verbose_name=_("who")
    )
    kind = models.CharField(_("kind of file"), max_length=32)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.MAPPING)
    file_name = models.CharField(_("file"), max_length=255)
    file_sha256 = models.CharField(_("file sha-256"), max_length=64)
    file_size = models.PositiveIntegerField(_("bytes"), default=0)
    files = models.JSONField(default=dict, help_text=_("Part → name, digest, headers and columns."))
    options = models.JSONField(_("import options"), default=dict, blank=True)
    counts = models.JSONField(_("counts"), default=dict, blank=True)
    error_count = models.PositiveIntegerField(_("errors"), default=0)
    warning_count = models.PositiveIntegerField(_("warnings"), default=0)
    report = models.JSONField(default=dict, blank=True)  # findings, names, lines, tickets
    reason = models.CharField(_("why"), max_length=500, blank=True)
    claim = models.UUIDField(null=True, editable=False)  # of the worker that is at it
    claimed_at = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(_("uploaded"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now, editable=False)
    ended_at = models.DateTimeField(_("ended"), null=True, editable=False)
    files_gone_at = models.DateTimeField(_("files deleted"), null=True, editable=False)

    objects = models.Manager.from_queryset(ImportRunQuerySet)()

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["owner", "-id"], name="import_run_owner"),
            models.Index(
                fields=["claimed_at"],
                name="import_run_working",
                condition=models.Q(state__in=["CHECKING", "WRITING"]),
            ),
            models.Index(
                fields=["created_at"],
                name="import_run_files",
                condition=models.Q(files_gone_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def is_working(self) -> bool:
        return self.state in self.WORKING

    @property
    def may_be_cancelled(self) -> bool:
        """Until writing has begun."""
        return self.state in (self.State.MAPPING, self.State.CHECKING, self.State.CHECKED)
