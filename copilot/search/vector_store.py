"""Vectors that are kept outside of the database: Pinecone, one namespace a brand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from django.conf import settings
from django.core.cache import cache

#: Vectors a request: Pinecone takes 2 MB, and 1,536 numbers in JSON are some 20 kB.
BATCH = 80
TRIES = 3
REST_S = 60
_RESTING = "copilot.vectors.resting"
#: The namespace of what is for every brand.
GLOBAL = "global"


class StoreDown(Exception):
    """The store can't be reached: search goes on with what is in the database."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`id`: "document:passage:window" """

    id: str
    vector: Sequence[float]


class VectorStore(Protocol):
    def put(self, namespace: str, entries: Sequence[Entry]) -> None: ...

    def drop(self, namespace: str, document: int) -> None: ...

    def nearest(self, namespaces: Iterable[str], vector: np.ndarray, count: int) -> dict[str, float]:
        """Entry id -> cosine."""
        ...


def namespace_of(brand_id: int | None) -> str:
    return f"brand-{brand_id}" if brand_id else GLOBAL


class PineconeStore:
    """Calls raise StoreDown after a few tries; then nobody waits for it for a minute."""

    def put(self, namespace: str, entries: Sequence[Entry]) -> None:
        for start in range(0, len(entries), BATCH):
            rows = [(each.id, [float(x) for x in each.vector]) for each in entries[start : start + BATCH]]
            _tried(lambda index, rows=rows: index.upsert(vectors=rows, namespace=namespace))

    def drop(self, namespace: str, document: int) -> None:
        """By listing its ids: a serverless index deletes by no filter."""
        listed = _tried(
            lambda index: [
                each for page in index.list(prefix=f"{document}:", namespace=namespace) for each in _ids(page)
            ]
        )
        for start in range(0, len(listed), 1000):
            part = listed[start : start + 1000]
            _tried(lambda index, part=part: index.delete(ids=part, namespace=namespace))

    def nearest(self, namespaces: Iterable[str], vector: np.ndarray, count: int) -> dict[str, float]:
        found: dict[str, float] = {}
        asked = [float(each) for each in vector]
        for name in namespaces:
            answer = _tried(lambda index, name=name: index.query(vector=asked, top_k=count, namespace=name))
            found |= {each.id: float(each.score) for each in answer.matches}
        return found


def _ids(page: Any) -> list[str]:
    rows = getattr(page, "vectors", page)
    rows = [rows] if isinstance(rows, str) else rows
    return [each if isinstance(each, str) else each.id for each in rows]


@lru_cache(maxsize=4)
def _index(key: str, host: str, timeout: float) -> Any:
    from pinecone import Pinecone

    return Pinecone(api_key=key, timeout=timeout).Index(host=host)


def _tried(call: Any) -> Any:
    if cache.get(_RESTING):
        raise StoreDown
    problem: Exception | None = None
    for _attempt in range(TRIES):
        try:
            return call(_index(settings.PINECONE_API_KEY, settings.PINECONE_HOST, settings.COPILOT_TIMEOUT_S))
        except Exception as error:
            problem = error
    cache.set(_RESTING, True, REST_S)
    raise StoreDown from problem


def configured() -> VectorStore | None:
    """Where vectors are kept beside the database; None without keys."""
    on = settings.PINECONE_API_KEY and settings.PINECONE_HOST and settings.OPENAI_API_KEY
    return PineconeStore() if on else None
