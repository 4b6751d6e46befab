"""Guideline documents as they were uploaded, and the passages that were read out of them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from governance.access import reach_of
from governance.findings import Finding
from governance.governed import GovernedModel, GovernedQuerySet, governed_history
from governance.models import Brand
from governance.platforms import Platform


class GuidelineQuerySet(GovernedQuerySet):
    def visible_to(self, user: Any) -> GuidelineQuerySet:
        """Documents of their brands, and those for every brand; nothing for who has no grant at all."""
        reach = reach_of(user)
        if not (reach.everything or reach.pairs):
            return self.none()
        brands = Brand.objects.visible_to(user).values("pk")
        return self.filter(models.Q(brand=None) | models.Q(brand__in=brands))


_TAKEN = _("There is a document of that file name already: upload to replace it.")


class GuidelineDocument(GovernedModel):
    """One file of guidelines or ad policies: of a brand or of all, for one platform or for all."""

    class State(models.TextChoices):
        WAITING = "WAITING", _("Waiting")
        READING = "READING", _("Being read")
        READY = "READY", _("Ready")
        FLAGGED = "FLAGGED", _("Ready, look at the notes")
        REFUSED = "REFUSED", _("Could not be read")

    REACH = ("brand_id", None)

    brand = models.ForeignKey(
        Brand, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("brand"),
        help_text=_("Whose guidelines these are. Empty: they are for every brand."),
    )  # fmt: skip
    platform = models.CharField(
        _("platform"), max_length=16, choices=Platform.choices, blank=True,
        help_text=_("Only for tickets on this platform, such as its ad policy. Empty: for all."),
    )  # fmt: skip
    title = models.CharField(
        _("title"), max_length=200, blank=True, help_text=_("As people call it. Empty: the file's own.")
    )
    file = models.FileField(
        _("file"), upload_to="guidelines/%Y/%m/", max_length=300, help_text=_("PDF, Markdown, text or DOCX.")
    )
    file_name = models.CharField(
        _("file name"), max_length=200, editable=False,
        help_text=_("A file of the same name, brand and platform replaces this one."),
    )  # fmt: skip
    sha256 = models.CharField(
        _("content"), max_length=64, editable=False, help_text=_("sha-256 of its bytes.")
    )
    size = models.PositiveBigIntegerField(_("bytes"), editable=False, help_text=_("Size of the file."))
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+", editable=False,
        verbose_name=_("added by"), help_text=_("Who brought this file in."),
    )  # fmt: skip
    state = models.CharField(
        _("state"), max_length=8, choices=State.choices, default=State.WAITING, editable=False,
        help_text=_("How far the reading is."),
    )  # fmt: skip
    progress = models.PositiveSmallIntegerField(
        _("progress"), default=0, editable=False, help_text=_("Percent of the file that is read and indexed.")
    )
    problems = models.JSONField(
        _("notes"), default=list, blank=True, editable=False,
        help_text=_("What could not be read, and what to do about it."),
    )  # fmt: skip
    pages = models.PositiveIntegerField(
        _("pages"), default=0, editable=False, help_text=_("Pages of a PDF; 0 for files without pages.")
    )
    passages = models.PositiveIntegerField(
        _("passages"), default=0, editable=False, help_text=_("Pieces that can be found.")
    )
    indexed_sha256 = models.CharField(
        _("indexed content"), max_length=64, blank=True, editable=False,
        help_text=_("The content that the passages are from."),
    )  # fmt: skip
    indexed_at = models.DateTimeField(
        _("indexed"), null=True, blank=True, editable=False, help_text=_("When the passages were made.")
    )
    touched_at = models.DateTimeField(
        _("last sign of life"), null=True, blank=True, editable=False,
        help_text=_("Of the worker that reads it. One that fell silent is taken up by another."),
    )  # fmt: skip

    UNGOVERNED = frozenset(
        {"state", "progress", "problems", "pages", "passages", "indexed_sha256", "indexed_at", "touched_at"}
    )

    objects: ClassVar[Any] = models.Manager.from_queryset(GuidelineQuerySet)()
    history = governed_history(excluded_fields=["progress", "problems", "touched_at"])

    class Meta:
        verbose_name = _("guideline document")
        verbose_name_plural = _("guidelines")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "platform", "file_name"], name="guideline_once",
                condition=models.Q(brand__isnull=False), violation_error_message=_TAKEN,
            ),
            # SQLite has no constraint under which two empty brands are alike
            models.UniqueConstraint(
                fields=["platform", "file_name"], name="guideline_once_for_all",
                condition=models.Q(brand__isnull=True), violation_error_message=_TAKEN,
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.title or self.file_name

    @property
    def all_problems(self) -> list[Finding]:
        return [Finding.from_dict(each) for each in self.problems]


class GuidelineChunk(models.Model):
    """One passage of a document, as it is shown and found. Made by the house alone."""

    document = models.ForeignKey(
        GuidelineDocument, on_delete=models.CASCADE, related_name="chunks", verbose_name=_("document"),
        help_text=_("Where it stands."),
    )  # fmt: skip
    position = models.PositiveIntegerField(_("position"), help_text=_("Order in the document, from 0."))
    page = models.PositiveIntegerField(
        _("page"), null=True, help_text=_("Page on which it begins; empty: no pages.")
    )
    section = models.CharField(_("section"), max_length=300, blank=True, help_text=_("Headings above it."))
    text = models.TextField(_("text"), help_text=_("The words as they stand there."))
    marks = models.JSONField(
        _("places"), default=list, help_text=_("Offset, page and section of each piece of the text.")
    )
    embedder = models.CharField(
        _("embedder"), max_length=80, help_text=_("What made the vectors; others can't be compared.")
    )
    vectors = models.BinaryField(
        _("vectors"), default=bytes, help_text=_("float32, one row a window of its text; empty: kept elsewhere.")
    )  # fmt: skip

    class Meta:
        verbose_name = _("guideline passage")
        verbose_name_plural = _("guideline passages")
        ordering = ["document", "position"]
        constraints = [models.UniqueConstraint(fields=["document", "position"], name="guideline_chunk_once")]

    def __str__(self) -> str:
        return f"{self.document_id} · {self.position}"


class GuidelineVocabulary(models.Model):
    """The words of one document with their vectors: a query finds passages also by words near its own."""

    document = models.OneToOneField(
        GuidelineDocument, on_delete=models.CASCADE, related_name="vocabulary", verbose_name=_("document"),
        help_text=_("Whose words they are."),
    )  # fmt: skip
    words = models.JSONField(_("words"), default=list, help_text=_("Stems, in the order of the vectors."))
    vectors = models.BinaryField(_("vectors"), default=bytes, help_text=_("float32, one row a word."))

    class Meta:
        verbose_name = _("guideline vocabulary")
        verbose_name_plural = _("guideline vocabularies")

    def __str__(self) -> str:
        return str(self.document_id)
