"""Pieces of a document put together to passages of some two hundred words, and the windows that they are found by."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from copilot.guidelines.extraction import Piece

PASSAGE_WORDS = 200
#: A new section begins a new passage once the one at hand has so many words.
SECTION_WORDS = 110
WINDOW_WORDS = 40
WINDOW_STEP = 20
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z“\"0-9])|\n+")


@dataclass(slots=True)
class Passage:
    """`marks`: (offset in `text`, page, section) of each piece, by which a place in it is told."""

    text: str
    page: int | None
    section: str
    marks: list[tuple[int, int | None, str]] = field(default_factory=list)


def passages_of(pieces: Sequence[Piece]) -> list[Passage]:
    made: list[Passage] = []
    for piece in _small(pieces):
        words = len(piece.text.split())
        held = len(made[-1].text.split()) if made else 0
        turns = bool(made) and made[-1].marks[-1][2] != piece.section
        if not made or held + words > PASSAGE_WORDS or (turns and held >= SECTION_WORDS):
            made.append(Passage("", piece.page, piece.section))
        last = made[-1]
        offset = len(last.text) + 1 if last.text else 0
        last.marks.append((offset, piece.page, piece.section))
        last.text = f"{last.text}\n{piece.text}" if last.text else piece.text
    return made


def _small(pieces: Sequence[Piece]) -> list[Piece]:
    """None longer than a passage; cut between sentences, or between words where there are none."""
    found: list[Piece] = []
    for piece in pieces:
        if len(piece.text.split()) <= PASSAGE_WORDS:
            found.append(piece)
            continue
        part: list[str] = []
        for sentence in _sentences(piece.text):
            if part and sum(len(each.split()) for each in part) + len(sentence.split()) > PASSAGE_WORDS:
                found.append(Piece(" ".join(part), piece.page, piece.section))
                part = []
            part.append(sentence)
        found.append(Piece(" ".join(part), piece.page, piece.section))
    return found


def _sentences(text: str) -> list[str]:
    found: list[str] = []
    for sentence in _SENTENCE.split(text):
        words = sentence.split()
        found += [" ".join(words[at : at + PASSAGE_WORDS]) for at in range(0, len(words), PASSAGE_WORDS)]
    return found


def place_in(marks: Sequence[Sequence[object]], offset: int) -> tuple[int | None, str]:
    """(page, section) of a place in a passage's text."""
    found = [each for each in marks if int(str(each[0])) <= offset]
    _offset, page, section = found[-1] if found else (0, None, "")
    return page if isinstance(page, int) else None, str(section)


def windows_of(text: str) -> list[tuple[int, str]]:
    """(offset, words): overlapping stretches of a passage, each embedded by itself."""
    spots = [found.span() for found in re.finditer(r"\S+", text)]
    starts = range(0, max(1, len(spots) - WINDOW_WORDS + WINDOW_STEP), WINDOW_STEP)
    found = []
    for start in starts:
        part = spots[start : start + WINDOW_WORDS]
        if part:
            found.append((part[0][0], text[part[0][0] : part[-1][1]]))
    return found
