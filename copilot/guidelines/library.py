"""Bringing guideline documents in, replacing them and taking them out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from copilot.models import GuidelineDocument
from copilot.search import vector_store
from governance.access import reach_of
from governance.actor import acting
from governance.findings import Finding, raise_blocking

SUFFIXES = ("pdf", "md", "markdown", "txt", "docx")


@dataclass(frozen=True, slots=True)
class Added:
    """`what`: new, replaced, or unchanged (this very content is there already)."""

    row: GuidelineDocument
    what: str


def may_change(user: Any, brand_id: int | None) -> bool:
    """A brand's guidelines hold in all its markets, those for every brand everywhere: who has all of that."""
    return reach_of(user).covers(brand_id, None)


def add_document(
    *, name: str, content: bytes, by: Any, brand: Any = None, platform: str = "", title: str = ""
) -> Added:
    """Keep the file and have it read by a worker. One of the same name, brand and platform is replaced.

    `by` None: the house itself (a command). Raises ValidationError or PermissionDenied.
    """
    if by is not None and not may_change(by, brand.pk if brand else None):
        raise PermissionDenied(_("Guidelines of this brand are not yours to change."))
    name = PurePath(name.replace("\\", "/")).name[-200:]
    _refuse(name, content)
    digest = hashlib.sha256(content).hexdigest()
    with acting(by, reason="guideline uploaded"), transaction.atomic():
        row = GuidelineDocument.objects.filter(brand=brand, platform=platform, file_name=name).first()
        known = row is not None
        if row is not None and row.sha256 == digest and title in ("", row.title):
            lacking = any(each["code"] == "guideline.store_down" for each in row.problems)
            if lacking or row.state == row.State.REFUSED:
                _read_again(row)
            return Added(row, "unchanged")
        row = row or GuidelineDocument(brand=brand, platform=platform, file_name=name)
        before = row.file.name if known else ""
        row.title, row.sha256, row.size, row.uploaded_by = title or row.title, digest, len(content), by
        row.state, row.progress, row.problems = row.State.WAITING, 0, []
        row.file.save(name, ContentFile(content), save=False)
        row.save()
        if before and before != row.file.name:
            transaction.on_commit(lambda: row.file.storage.delete(before))
        enqueue(row)
    return Added(row, "replaced" if known else "new")


def _refuse(name: str, content: bytes) -> None:
    found = []
    if name.rpartition(".")[2].lower() not in SUFFIXES:
        found.append(Finding("guideline.type", "file", params={"name": name}))
    if len(content) > settings.GUIDELINE_MAX_BYTES:
        most = settings.GUIDELINE_MAX_BYTES // 1024**2
        found.append(Finding("guideline.too_large", "file", params={"most": most}))
    if not content:
        found.append(Finding("guideline.empty", "file"))
    raise_blocking(found, GuidelineDocument())


def _read_again(row: GuidelineDocument) -> None:
    GuidelineDocument.objects.filter(pk=row.pk).update(state=row.State.WAITING, progress=0)
    enqueue(row)


def rename_document(*, row: GuidelineDocument, by: Any) -> None:
    """The title is part of what is searched: saved with a new one, it is read again."""
    if not may_change(by, row.brand_id):
        raise PermissionDenied
    with acting(by), transaction.atomic():
        row.save()
        _read_again(row)


def enqueue(row: GuidelineDocument) -> None:
    from copilot.tasks import index_guideline

    transaction.on_commit(lambda: index_guideline.delay(str(row.public_id)))


def delete_document(*, row: GuidelineDocument, by: Any) -> None:
    """Out of everything: file, passages, vectors here and at the store. Refused while the store can't be reached."""
    if not may_change(by, row.brand_id):
        raise PermissionDenied(_("Guidelines of this brand are not yours to change."))
    store = vector_store.configured()
    try:
        if store is not None:
            store.drop(vector_store.namespace_of(row.brand_id), row.pk)
    except vector_store.StoreDown:
        text = _("The vector store does not answer, so nothing was deleted: try again in some minutes.")
        raise ValidationError(text, code="store_down") from None
    with acting(by), transaction.atomic():
        name, storage = str(row.file.name), row.file.storage
        row.delete()
        transaction.on_commit(lambda: storage.delete(name))
