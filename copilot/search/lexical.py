"""Words of texts, and how much each tells: BM25 over passages, and how much of a query a passage speaks of."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np

K1, B = 1.2, 0.6
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
STOP = frozenset(
    [
        "a",
        "an",
        "the",
        "and",
        "or",
        "but",
        "if",
        "of",
        "to",
        "in",
        "on",
        "at",
        "by",
        "for",
        "from",
        "with",
        "without",
        "as",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "being",
        "it",
        "its",
        "this",
        "that",
        "these",
        "those",
        "there",
        "here",
        "i",
        "you",
        "he",
        "she",
        "we",
        "they",
        "me",
        "us",
        "our",
        "ours",
        "your",
        "yours",
        "their",
        "them",
        "his",
        "her",
        "my",
        "mine",
        "do",
        "does",
        "did",
        "done",
        "doing",
        "have",
        "has",
        "had",
        "having",
        "can",
        "could",
        "may",
        "might",
        "must",
        "shall",
        "should",
        "will",
        "would",
        "not",
        "no",
        "nor",
        "so",
        "than",
        "then",
        "too",
        "very",
        "just",
        "what",
        "which",
        "who",
        "whom",
        "whose",
        "when",
        "where",
        "why",
        "how",
        "any",
        "some",
        "each",
        "every",
        "all",
        "both",
        "either",
        "neither",
        "about",
        "into",
        "over",
        "under",
        "again",
        "further",
        "once",
        "only",
        "own",
        "same",
        "such",
        "s",
        "t",
        "don",
        "doesn",
        "didn",
        "isn",
        "aren",
        "won",
        "let",
        "lets",
        "use",
        "used",
        "using",
        "need",
        "needs",
        "get",
        "gets",
        "got",
        "please",
        "ok",
        "okay",
        "it's",
    ]
)


def words_of(text: str) -> list[str]:
    """Stems in order, without words that tell nothing. ".NET" also counts as "dotnet", "Node.js" as "nodejs"."""
    plain = unicodedata.normalize("NFKC", text).lower().replace("\u00ad", "").replace("’", "'")
    plain = re.sub(r"(?<![\w])\.net\b", " dotnet net ", plain)
    plain = re.sub(r"\b(\w+)\.(js|io|org|dev|ai)\b", r" \1\2 \1 ", plain)
    return [stem(each.removesuffix("'s")) for each in _WORD.findall(plain) if each not in STOP]


def spoken(texts: Iterable[str]) -> dict[str, str]:
    """Stem -> the word that it stands for most often: what an embedder knows, which no stem is."""
    seen: dict[str, Counter[str]] = {}
    for text in texts:
        for word in _WORD.findall(text.lower().replace("’", "'")):
            if word not in STOP:
                seen.setdefault(stem(word.removesuffix("'s")), Counter())[word] += 1
    return {root: found.most_common(1)[0][0] for root, found in seen.items()}


_SPELLING = (
    ("colour", "color"),
    ("centre", "center"),
    ("grey", "gray"),
    ("licence", "license"),
    ("catalogue", "catalog"),
)


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """English endings off, British spelling to American; small and predictable rather than complete."""
    for british, american in _SPELLING:
        word = word.replace(british, american)
    if len(word) <= 3 or not word.isalpha():
        return word
    for ending, stand_in in (("ational", "ate"), ("ization", "ize"), ("isation", "ize"), ("iveness", "ive"), ("fulness", "ful"),
                             ("ations", "ate"), ("ation", "ate"), ("ising", "ize"), ("ised", "ize"), ("ise", "ize"), ("ies", "y"), ("ied", "y"),
                             ("sses", "ss"), ("ments", "ment"), ("ings", ""), ("ing", ""), ("edly", ""), ("ed", ""), ("ly", ""),
                             ("ers", "er"), ("xes", "x"), ("ches", "ch"), ("shes", "sh")):  # fmt: skip
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)] + stand_in
            break
    else:
        if word.endswith("s") and word[-2] not in "su":
            word = word[:-1]
    if len(word) > 4 and word[-1] == word[-2] and word[-1] not in "lsz":
        word = word[:-1]
    return word[:-1] if word.endswith("e") and len(word) > 4 else word


class Lexicon:
    """The words of a set of texts. Immutable once made; some milliseconds for a thousand passages."""

    def __init__(self, texts: Sequence[str]) -> None:
        counts = [Counter(words_of(each)) for each in texts]
        self.size = len(counts)
        self.lengths = np.array([sum(each.values()) for each in counts] or [1], dtype=np.float32)
        self.mean = max(1.0, float(self.lengths.mean()))
        rows: dict[str, list[tuple[int, int]]] = {}
        for at, count in enumerate(counts):
            for word, n in count.items():
                rows.setdefault(word, []).append((at, n))
        self.postings = {word: np.array(found, dtype=np.int64).T for word, found in rows.items()}

    def idf(self, word: str) -> float:
        """High for a rare word, highest for one that stands nowhere."""
        found = self.postings.get(word)
        n = found.shape[1] if found is not None else 0
        return math.log(1 + (self.size - n + 0.5) / (n + 0.5))

    def bm25(self, weights: dict[str, float]) -> np.ndarray:
        """One number a text, for weighted words."""
        scores = np.zeros(self.size, dtype=np.float32)
        for word, weight in weights.items():
            found = self.postings.get(word)
            if found is None:
                continue
            at, n = found
            scores[at] += (
                weight * self.idf(word) * n * (K1 + 1) / (n + K1 * (1 - B + B * self.lengths[at] / self.mean))
            )
        return scores

    def covered(
        self, words: Iterable[str], strength: dict[str, dict[str, float]] | None = None
    ) -> np.ndarray:
        """By text: the share of what the words tell (their idf) that it speaks of, 0 to 1.

        `strength`: for a word those that count for it in part.
        """
        total, scores = 0.0, np.zeros(self.size, dtype=np.float32)
        for word in set(words):
            idf = self.idf(word)
            total += idf
            best = np.zeros(self.size, dtype=np.float32)
            for other, share in {word: 1.0, **((strength or {}).get(word) or {})}.items():
                found = self.postings.get(other)
                if found is not None:
                    best[found[0]] = np.maximum(best[found[0]], share)
            scores += idf * best
        return scores / total if total else scores
