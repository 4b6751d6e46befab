"""Reading a document to passages and vectors, by a worker; told as it goes, and safe to be done twice."""

from __future__ import annotations

import logging
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from copilot import llm
from copilot.guidelines.extraction import Extracted, extract
from copilot.guidelines.passages import Passage, passages_of, place_in, windows_of
from copilot.models import GuidelineChunk, GuidelineDocument, GuidelineVocabulary
from copilot.search import embedders, vector_store
from copilot.search.engine import named
from copilot.search.lexical import spoken, words_of
from governance.findings import Finding
from governance.tables import Refused

log = logging.getLogger(__name__)
BATCH = 64
#: Reading takes up to this share of the progress, embedding the rest.
READ_SHARE = 40
#: A worker that gave no sign of life for so long (seconds) has been lost.
LEASE_S = 180
WAITS_S = 60
MOST_WORDS = 8000


def index_document(public_id: str) -> str:
    """Read the document with this public id; its state afterwards. "" where there is nothing to do."""
    stale = timezone.now() - timedelta(seconds=LEASE_S)
    rows = GuidelineDocument.objects.filter(public_id=public_id)
    free = Q(state="WAITING") | Q(state="READING", touched_at__lt=stale)
    if not rows.filter(free).update(state="READING", progress=0, touched_at=timezone.now()):
        return ""
    row = rows.get()
    try:
        _index(row)
    except Refused as refused:
        _unread(row, refused.findings)
    except Exception:
        log.exception("guideline %s could not be indexed", row.pk)
        _unread(row, [Finding("guideline.broken", "file", params={"reason": "internal"})])
    return rows.values_list("state", flat=True).get()


def _index(row: GuidelineDocument) -> None:
    with row.file.open("rb") as file:
        content = file.read()
    found = extract(
        row.file_name, content, most_pages=settings.GUIDELINE_MAX_PAGES,
        told=lambda page, pages: _tell(row, READ_SHARE * page // pages) if page % 20 == 0 else None,
    )  # fmt: skip
    if not row.title and found.title:
        row.title = found.title[:200]
    passages = passages_of(found.pieces)
    texts = [_windows(row, each) for each in passages]
    vectors = _embedded(row, [text for each in texts for text in each])
    words, word_vectors = _words(row, passages)
    counts = np.cumsum([0, *map(len, texts)])
    parts = [vectors[start:end] for start, end in pairwise(counts)]
    problem = _keep_elsewhere(row, texts)
    _write(row, found, passages, parts, (words, word_vectors), problem)


def _windows(row: GuidelineDocument, passage: Passage) -> list[str]:
    """What is embedded: the document's name and the headings before the words."""
    made = []
    for offset, words in windows_of(passage.text):
        section = place_in(passage.marks, offset)[1].replace(" › ", ". ")
        made.append(f"{named(row)}. {section}. {words}")
    return made


def _embedded(row: GuidelineDocument, texts: list[str]) -> np.ndarray:
    parts = []
    for start in range(0, len(texts), BATCH):
        parts.append(embedders.local().embed(texts[start : start + BATCH]))
        _tell(row, READ_SHARE + (95 - READ_SHARE) * (start + BATCH) // max(1, len(texts)))
    return np.concatenate(parts) if parts else np.zeros((0, 512), dtype=np.float32)


def _words(row: GuidelineDocument, passages: list[Passage]) -> tuple[list[str], np.ndarray]:
    """The words of the document as people write them; those that another document has are not embedded again."""
    texts = [named(row), *(each.text for each in passages)]
    said = spoken(texts)
    stems = [
        each
        for each in dict.fromkeys(word for text in texts for word in words_of(text))
        if each.isalpha() and len(each) > 2
    ]
    stems = stems[:MOST_WORDS]
    known: dict[str, np.ndarray] = {}
    for other in GuidelineVocabulary.objects.filter(document__brand=row.brand_id).exclude(document=row):
        rows = np.frombuffer(bytes(other.vectors), dtype=np.float32).reshape(-1, 512)
        known |= dict(zip(other.words, rows, strict=True))
    missing = [each for each in stems if each not in known]
    fresh = [embedders.local().embed([said.get(each, each) for each in missing[at : at + BATCH * 4]])
             for at in range(0, len(missing), BATCH * 4)]  # fmt: skip
    known |= dict(zip(missing, (vector for part in fresh for vector in part), strict=True))
    return stems, np.array([known[each] for each in stems], dtype=np.float32).reshape(-1, 512)


def _keep_elsewhere(row: GuidelineDocument, texts: list[list[str]]) -> Finding | None:
    """At the vector store, where one is set up. What it lacks is found by what the database has."""
    store, embedder = vector_store.configured(), embedders.remote()
    if store is None or embedder is None:
        return None
    space = vector_store.namespace_of(row.brand_id)
    ids = [f"{row.pk}:{at}:{window}" for at, each in enumerate(texts) for window in range(len(each))]
    try:
        vectors = embedder.embed([text for each in texts for text in each], brand=row.brand)
        store.drop(space, row.pk)
        store.put(space, [vector_store.Entry(key, vector) for key, vector in zip(ids, vectors, strict=True)])
    except (llm.Unavailable, vector_store.StoreDown) as error:
        reason = error.code if isinstance(error, llm.Unavailable) else "store_down"
        return Finding("guideline.store_down", "file", severity="warn", params={"reason": reason})
    return None


def _write(
    row: GuidelineDocument, found: Extracted, passages: list[Passage], vectors: list[np.ndarray],
    words: tuple[list[str], np.ndarray], problem: Finding | None,
) -> None:  # fmt: skip
    """All of it at once: a search sees the old passages or the new ones."""
    problems = [each.as_dict() for each in [*found.problems, *([problem] if problem else [])]]
    with transaction.atomic():
        mine = GuidelineDocument.objects.select_for_update().filter(
            pk=row.pk, sha256=row.sha256, state="READING"
        )
        if not mine.exists():
            return  # replaced or deleted meanwhile: another worker has the new one
        GuidelineChunk.objects.filter(document=row).delete()
        GuidelineChunk.objects.bulk_create([
            GuidelineChunk(document=row, position=at, page=each.page, section=each.section[:300], text=each.text, marks=each.marks,
                           embedder=embedders.LocalEmbedder.key, vectors=part.astype(np.float32).tobytes())
            for at, (each, part) in enumerate(zip(passages, vectors, strict=True))
        ])  # fmt: skip
        GuidelineVocabulary.objects.update_or_create(
            document=row, defaults={"words": words[0], "vectors": words[1].tobytes()}
        )
        _set_title(row)
        mine.update(
            state="FLAGGED" if problems else "READY", progress=100, problems=problems, pages=found.pages, passages=len(passages),
            indexed_sha256=row.sha256, indexed_at=timezone.now(), touched_at=timezone.now(),
        )  # fmt: skip


def _set_title(row: GuidelineDocument) -> None:
    """The file's own title, where nobody gave one: a fact about the file, written without a new version."""
    from governance.governed import unguarded

    unguarded(GuidelineDocument).filter(pk=row.pk, title="").update(title=row.title)


def _unread(row: GuidelineDocument, findings: list[Finding]) -> None:
    """Nothing of it is found any more: what the old file said may be wrong now."""
    with transaction.atomic():
        mine = GuidelineDocument.objects.filter(pk=row.pk, sha256=row.sha256)
        problems: list[dict[str, Any]] = [each.as_dict() for each in findings]
        if mine.update(
            state="REFUSED", progress=0, problems=problems, passages=0, indexed_sha256="", indexed_at=None
        ):
            GuidelineChunk.objects.filter(document=row).delete()
            GuidelineVocabulary.objects.filter(document=row).delete()
    _drop_elsewhere(row)


def _drop_elsewhere(row: GuidelineDocument) -> None:
    store = vector_store.configured()
    try:
        if store is not None:
            store.drop(vector_store.namespace_of(row.brand_id), row.pk)
    except vector_store.StoreDown:
        log.warning("vectors of guideline %s are still at the store", row.pk)  # no passage leads to them


def _tell(row: GuidelineDocument, progress: int) -> None:
    GuidelineDocument.objects.filter(pk=row.pk, state="READING").update(
        progress=min(99, progress), touched_at=timezone.now()
    )


def sweep() -> int:
    """Documents whose message or worker was lost are enqueued again; how many."""
    from copilot.tasks import index_guideline

    now = timezone.now()
    waiting = Q(state="WAITING", updated_at__lt=now - timedelta(seconds=WAITS_S))
    lost = Q(state="READING", touched_at__lt=now - timedelta(seconds=LEASE_S))
    found = list(GuidelineDocument.objects.filter(waiting | lost).values_list("public_id", flat=True)[:100])
    for each in found:
        index_guideline.delay(str(each))
    return len(found)
