"""Which passages answer a query: meaning, words, words near them, and the document that is named, put together.

The weights and the calibration were found on `benchmarks/copilot.py`'s data by leaving one query out at a time
(docs/copilot.md tells the figures). Everything is worked out in memory over the documents in question.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np

from copilot import llm
from copilot.guidelines.passages import place_in, windows_of
from copilot.models import GuidelineChunk, GuidelineDocument, GuidelineVocabulary
from copilot.search import embedders, vector_store
from copilot.search.lexical import Lexicon, spoken, words_of

LEXICAL, NAMED = 0.3, 0.2
#: How much a word counts that is near one of the query's, from "as near as the embedder's `near`" (0) to "the same" (1).
NEAR_WEIGHT = 0.8
MOST_NEAR = 8
#: Logistic over (cosine, share of the query that is spoken of, a document is named): how sure it is that this answers.
CALIBRATED = (1.1, 2.85, 2.3)
OFFSET = -3.05
#: Below, nothing is said at all.
THRESHOLD = 0.12
MOST_WORDS = 400
MOST_RESULTS = 50
REMOTE_WINDOWS = 100


@dataclass(frozen=True, slots=True)
class Found:
    """`score`: 0 to 1, of the first how sure it is that the documents answer at all; the others as they compare to it."""

    text: str
    score: float
    document: str
    title: str
    page: int | None
    section: str
    document_id: int
    chunk_id: int


class Index:
    """The passages of some documents, ready to be searched. Never changed once it is made."""

    def __init__(self, documents: Sequence[GuidelineDocument]) -> None:
        rows = GuidelineChunk.objects.filter(document__in=documents).order_by("document_id", "position")
        self.chunks = list(rows)
        by_id = {each.pk: each for each in documents}
        self.documents = [by_id[each.document_id] for each in self.chunks]
        texts = [
            f"{named(doc)} {each.section} {each.text}"
            for doc, each in zip(self.documents, self.chunks, strict=True)
        ]
        self.words = Lexicon(texts)
        names = {pk: set(words_of(named(doc))) for pk, doc in by_id.items()}
        self.names = Lexicon([" ".join(each) for each in names.values()])
        order = {pk: at for at, pk in enumerate(names)}
        self.doc_at = np.array([order[each.document_id] for each in self.chunks], dtype=np.int64)
        self._vectors()
        self._vocabulary(documents)

    def _vectors(self) -> None:
        width = 512
        parts = [
            np.frombuffer(bytes(each.vectors), dtype=np.float32).reshape(-1, width) for each in self.chunks
        ]
        counts = [len(each) for each in parts]
        self.vectors = np.concatenate(parts) if parts else np.zeros((0, width), dtype=np.float32)
        self.starts = (
            np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)
            if parts
            else np.zeros(0, dtype=np.int64)
        )

    def _vocabulary(self, documents: Sequence[GuidelineDocument]) -> None:
        seen: dict[str, np.ndarray] = {}
        for each in GuidelineVocabulary.objects.filter(document__in=documents):
            rows = np.frombuffer(bytes(each.vectors), dtype=np.float32).reshape(-1, 512)
            seen |= dict(zip(each.words, rows, strict=True))
        self.vocabulary = list(seen)
        self.word_vectors = np.array(list(seen.values()), dtype=np.float32).reshape(-1, 512)

    def search(
        self, query: str, top_k: int, *, remote: dict[str, float] | None = None, about: bool = False
    ) -> list[Found]:
        """[] where nothing is relevant. `about`: it is known that these documents are meant."""
        query = " ".join(query.split()[:MOST_WORDS])
        words = list(dict.fromkeys(words_of(query)))
        if not self.chunks or not query.strip():
            return []
        said = spoken([query])
        vectors = embedders.local().embed([query, *(said.get(each, each) for each in words)])
        near = self._near(words, vectors[1:])
        by_window = self.vectors @ vectors[0]
        cosines = np.maximum.reduceat(by_window, self.starts)
        lexical = self.words.bm25(_weights(words, near))
        # a word in every document's name ("guidelines") names none
        names = self.names.bm25(dict.fromkeys(words, 1.0))[self.doc_at]
        meaning = self._remote(remote) if remote else cosines
        fused = meaning + LEXICAL * _of_best(lexical) + NAMED * _of_best(names)
        best = np.argsort(-fused)[: min(top_k, MOST_RESULTS)]
        sure = _sure(
            float(cosines[best[0]]),
            float(self.words.covered(words, near)[best[0]]),
            about or bool(names[best[0]] > 0),
        )
        if sure < THRESHOLD:
            return []
        return [self._found(at, sure * max(0.0, float(fused[at] / fused[best[0]])), by_window) for at in best]

    def _near(self, words: list[str], vectors: np.ndarray) -> dict[str, dict[str, float]]:
        """By word of the query: words of the documents that mean nearly the same, with how much they count."""
        near = embedders.LocalEmbedder.near
        if not words or not self.vocabulary:
            return {}
        found: dict[str, dict[str, float]] = {}
        likeness = vectors @ self.word_vectors.T
        for at, word in enumerate(words):
            nearest = np.argpartition(-likeness[at], min(MOST_NEAR, len(self.vocabulary) - 1))[:MOST_NEAR]
            close = {self.vocabulary[each]: NEAR_WEIGHT * (float(likeness[at, each]) - near) / (1 - near)
                     for each in nearest if likeness[at, each] > near and self.vocabulary[each] != word}  # fmt: skip
            if word.isalpha() and close:
                found[word] = close
        return found

    def _remote(self, remote: dict[str, float]) -> np.ndarray:
        """Cosines of another embedder, by passage; what it did not name is a little below the last that it did."""
        lowest = min(remote.values()) - 0.05
        place = {(each.document_id, each.position): at for at, each in enumerate(self.chunks)}
        made = np.full(len(self.chunks), lowest, dtype=np.float32)
        for entry, cosine in remote.items():
            document, position, _window = (int(part) for part in entry.split(":"))
            at = place.get((document, position))
            if at is not None:
                made[at] = max(made[at], cosine)
        return made

    def _found(self, at: int, score: float, by_window: np.ndarray) -> Found:
        chunk, document = self.chunks[at], self.documents[at]
        windows = windows_of(chunk.text)
        first = int(self.starts[at])
        best = int(np.argmax(by_window[first : first + len(windows)])) if windows else 0
        page, section = place_in(chunk.marks, windows[best][0] if windows else 0)
        return Found(
            chunk.text, round(score, 4), document.file_name, str(document), page or chunk.page, section or chunk.section,
            document.pk, chunk.pk,
        )  # fmt: skip


def named(document: GuidelineDocument) -> str:
    """What the document is called, in words; it stands before each of its texts in the index."""
    stem = document.file_name.rpartition(".")[0].replace("-", " ").replace("_", " ")
    return stem if document.title.lower() in ("", stem.lower()) else f"{stem} {document.title}"


def _weights(words: Iterable[str], near: dict[str, dict[str, float]]) -> dict[str, float]:
    made = dict.fromkeys(words, 1.0)
    for close in near.values():
        for word, weight in close.items():
            made[word] = max(made.get(word, 0.0), weight)
    return made


def _of_best(scores: np.ndarray) -> np.ndarray:
    return scores / max(float(scores.max(initial=0.0)), 1e-6)


def _sure(cosine: float, covered: float, is_named: bool) -> float:
    weighed = sum(
        weight * value for weight, value in zip(CALIBRATED, (cosine, covered, is_named), strict=True)
    )
    return 1 / (1 + math.exp(-(weighed + OFFSET)))


# ------------------------------------------------------------------------- indexes that are kept

_kept: OrderedDict[tuple[Any, ...], Index] = OrderedDict()
_lock = Lock()
#: People's reaches differ little: a few sets of documents serve all of them.
MOST_KEPT = 6


def index_of(documents: Any) -> Index:
    """Of these documents as they are now; made again when one of them was read again."""
    rows = list(documents.exclude(indexed_sha256="").order_by("pk"))
    stamp = tuple((each.pk, each.indexed_at, each.title) for each in rows)
    with _lock:
        if stamp in _kept:
            _kept.move_to_end(stamp)
            return _kept[stamp]
    made = Index(rows)
    with _lock:
        _kept[stamp] = made
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
    return made


@dataclass(frozen=True, slots=True)
class Answer:
    """`mode`: local or remote; `note`: why it is not remote although keys are set, "" if there is nothing to say."""

    results: list[Found]
    mode: str
    note: str = ""


def search(documents: Any, query: str, top_k: int) -> Answer:
    """`documents`: a queryset of what may be seen."""
    index, store = index_of(documents), vector_store.configured()
    if store is None:
        return Answer(index.search(query, top_k), "local")
    try:
        remote = _asked(store, documents, query)
    except llm.Unavailable as refused:
        return Answer(index.search(query, top_k), "local", refused.code)
    except vector_store.StoreDown:
        return Answer(index.search(query, top_k), "local", "store_down")
    return Answer(index.search(query, top_k, remote=remote), "remote" if remote else "local")


def _asked(store: vector_store.VectorStore, documents: Any, query: str) -> dict[str, float]:
    embedder = embedders.remote()
    if embedder is None:
        return {}
    vector = embedder.embed([query])[0]
    brands = set(documents.order_by().values_list("brand_id", flat=True))
    found = store.nearest(sorted(map(vector_store.namespace_of, brands)), vector, REMOTE_WINDOWS)
    mine = set(documents.values_list("pk", flat=True))
    return {entry: cosine for entry, cosine in found.items() if int(entry.partition(":")[0]) in mine}
