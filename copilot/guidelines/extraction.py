"""Text out of PDF, Markdown, plain text and DOCX: pieces with their page and headings, and notes on what can't be read.

Pure: bytes in, `Extracted` out; `Refused` where nothing of the file can be used.
"""

from __future__ import annotations

import io
import logging
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from governance.findings import Finding
from governance.tables import Refused

#: What a DOCX may grow to when it is unpacked (bytes).
MOST_UNPACKED = 200 * 1024 * 1024
#: A page with fewer words that has a picture says what it says in the picture.
FEWEST_WORDS = 4
#: Share of one-letter words from which text counts as letter-spaced; ordinary English has some 5 %.
LETTER_SPACED = 0.4
_DIGITS = re.compile(r"\d+")
_SPACES = re.compile(r"[ \t\u00a0]+")


@dataclass(slots=True)
class Piece:
    """A paragraph or heading as it stands. `page` from 1, None where there are none; `section`: headings above, outer first."""

    text: str
    page: int | None = None
    section: str = ""


@dataclass(slots=True)
class Extracted:
    """`pages` is 0 for a file without pages."""

    title: str
    pieces: list[Piece]
    pages: int = 0
    problems: list[Finding] = field(default_factory=list)


def extract(
    name: str, content: bytes, *, most_pages: int, told: Callable[[int, int], None] = lambda _n, _of: None
) -> Extracted:
    """`told(page, pages)` is called as it goes on."""
    suffix = name.rpartition(".")[2].lower()
    readers: dict[str, Callable[[], Extracted]] = {
        "pdf": lambda: _pdf(content, most_pages, told), "docx": lambda: _docx(content), "md": lambda: _markdown(_decoded(content)),
        "markdown": lambda: _markdown(_decoded(content)), "txt": lambda: _plain(_decoded(content)),
    }  # fmt: skip
    if suffix not in readers:
        raise Refused(Finding("guideline.type", "file", params={"name": name}))
    found = readers[suffix]()
    if not found.pieces:
        raise Refused(*(found.problems[:1] or [Finding("guideline.empty", "file")]))
    return found


def _decoded(content: bytes) -> str:
    if b"\x00" in content[:1000] and content[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        raise Refused(Finding("guideline.broken", "file", params={"reason": "binary"}))
    try:
        return content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        from charset_normalizer import from_bytes

        best = from_bytes(content).best()
        if best is None:
            raise Refused(Finding("guideline.broken", "file", params={"reason": "encoding"})) from None
        return str(best)


# ------------------------------------------------------------------------------------------- PDF


def _pdf(content: bytes, most_pages: int, told: Callable[[int, int], None]) -> Extracted:
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it has a word about each untidy font
    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Refused(Finding("guideline.encrypted", "file"))
        count = len(reader.pages)
    except Refused:
        raise
    except (
        PyPdfError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        OSError,
        NotImplementedError,
    ) as error:
        raise Refused(Finding("guideline.broken", "file", params={"reason": type(error).__name__})) from error
    if count > most_pages:
        raise Refused(
            Finding("guideline.too_many_pages", "file", params={"pages": count, "most": most_pages})
        )
    read = _PdfPages(reader, count)
    for number in range(1, count + 1):
        read.read(number)
        told(number, count)
    return read.extracted()


class _PdfPages:
    """The lines of each page, and which pages could not be read."""

    def __init__(self, reader: Any, count: int) -> None:
        self.reader, self.count = reader, count
        self.lines: dict[int, list[str]] = {}
        self.unread: dict[str, list[int]] = {"image_only": [], "letter_spaced": [], "broken_page": []}

    def read(self, number: int) -> None:
        try:
            page = self.reader.pages[number - 1]
            text = page.extract_text() or ""
            pictured = len(text.split()) < FEWEST_WORDS and "/XObject" in (page.get("/Resources") or {})
        except Exception:
            self.unread["broken_page"].append(number)
            return
        if pictured:
            self.unread["image_only"].append(number)
        if is_letter_spaced(text):
            text = closed_up(text)
            if not text:
                self.unread["letter_spaced"].append(number)
        self.lines[number] = [line for raw in text.splitlines() if (line := _SPACES.sub(" ", raw).strip())]

    def extracted(self) -> Extracted:
        furniture = self._furniture()
        words = {each.lower() for lines in self.lines.values() for line in lines for each in line.split()}
        pieces = [
            piece
            for number, lines in self.lines.items()
            for piece in _page_pieces(
                [each for each in lines if _shape(each) not in furniture], number, words
            )
        ]
        return Extracted(self._title(), pieces, self.count, self._problems(bool(pieces)))

    def _furniture(self) -> set[str]:
        """Lines that stand on half of the pages: running heads, feet, page numbers."""
        seen = Counter(shape for lines in self.lines.values() for shape in {_shape(each) for each in lines})
        return {shape for shape, n in seen.items() if n >= max(3, len(self.lines) / 2)}

    def _title(self) -> str:
        meta = self.reader.metadata
        return _SPACES.sub(" ", str((meta.title if meta else "") or "")).strip()[:200]

    def _problems(self, some: bool) -> list[Finding]:
        found = []
        for code, pages in self.unread.items():
            whole = len(pages) == self.count and not some
            if pages:
                params = {"pages": _ranges(pages), "count": len(pages), "of": self.count}
                found.append(
                    Finding(f"guideline.{code}", "file", params=params, severity="block" if whole else "warn")
                )
        return found


def _shape(line: str) -> str:
    return _DIGITS.sub("0", line.lower())


def _ranges(pages: list[int]) -> str:
    """[1, 2, 3, 7] -> "1-3, 7"."""
    runs: list[list[int]] = []
    for page in pages:
        if runs and page == runs[-1][-1] + 1:
            runs[-1].append(page)
        else:
            runs.append([page])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def _page_pieces(lines: list[str], number: int, words: set[str]) -> Iterator[Piece]:
    heading = next((line for line in lines if is_heading(line)), "")
    paragraph: list[str] = []
    for line in lines:
        paragraph.append(line)
        if line[-1] in ".!?:" and sum(len(each) for each in paragraph) > 200:
            yield Piece(_joined(paragraph, words), number, heading)
            paragraph = []
    if paragraph:
        yield Piece(_joined(paragraph, words), number, heading)


def is_heading(line: str) -> bool:
    return (
        len(line) < 70
        and len(line.split()) <= 8
        and line[-1:] not in ".,;:!?"
        and any(map(str.isalpha, line))
    )


def _joined(lines: list[str], words: set[str]) -> str:
    """Lines as one paragraph. A hyphen at a line's end goes where the whole word stands elsewhere in the document."""
    made = ""
    for line in lines:
        _head, _space, last = made.rpartition(" ")
        first = line.split(" ", 1)[0]
        if last.endswith("-") and len(last) > 1:
            whole = (last[:-1] + first).lower().strip(".,;:!?")
            made = made[:-1] + line if whole in words else made + line
        else:
            made = f"{made} {line}" if made else line
    return made.replace("\u00ad", "")


def is_letter_spaced(text: str) -> bool:
    """ "G u i d e l i n e s": designers spread letters, and the text has a space after each."""
    words = [each for each in text.split() if each[0].isalpha()]
    return len(words) > 20 and sum(len(each) == 1 for each in words) / len(words) > LETTER_SPACED


def closed_up(text: str) -> str:
    """The words of letter-spaced text where wider gaps still part them; "" where nothing tells words apart."""
    lines = []
    for line in text.splitlines():
        words = re.split(r"\s{2,}", line.strip())
        spread = sum(len(each) == 1 for each in line.split()) > len(line.split()) / 2
        if spread and len(words) == 1 and len(line.split()) > 24:
            return ""
        lines.append(" ".join(each.replace(" ", "") if spread else each for each in words))
    return "\n".join(lines)


# ------------------------------------------------------------------------- Markdown, text and DOCX

_HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*\s*$")
_FRONT = re.compile(r"^---[ \t]*\n((?:(?!---)[^\n]*\n){1,60}?)---[ \t]*$", re.M)
_MARKUP: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"<!--.*?-->", re.S), " "), (re.compile(r"!\[([^\]]*)\]\([^)]*\)"), r"\1"),
    (re.compile(r"\[([^\]]+)\]\([^)]*\)"), r"\1"), (re.compile(r"\[([^\]]+)\]\[[^\]]*\]"), r"\1"),
    (re.compile(r"^\[[^\]]+\]:\s*\S+.*$", re.M), ""), (re.compile(r"\{[{%].*?[%}]\}"), ""), (re.compile(r"</?[a-zA-Z][^>]*>"), " "),
    (re.compile(r"(?<!\w)(\*\*|__|[*_`])(?=\S)(.+?)(?<=\S)\1(?!\w)"), r"\2"), (re.compile(r"^>\s?", re.M), ""),
    (re.compile(r"\{:.*?\}"), ""),
)  # fmt: skip


def _markdown(text: str) -> Extracted:
    text = _FRONT.sub(_front_heading, text.replace("\r\n", "\n"))
    for pattern, stand_in in _MARKUP:
        text = pattern.sub(stand_in, text)
    return _headed(_markdown_lines(text))


def _front_heading(found: re.Match[str]) -> str:
    if not re.match(r"[\w-]+:", found.group(1)):
        return found.group(0)  # two rulers, and text between them
    title = re.search(r"^title:\s*[\"']?(.+?)[\"']?\s*$", found.group(1), re.M)
    return f"\n# {title.group(1)}\n" if title else ""


def _markdown_lines(text: str) -> Iterator[tuple[int, str]]:
    """(level, heading) or (0, paragraph)."""
    for block in re.split(r"\n\s*\n", text):
        paragraph: list[str] = []
        for line in block.splitlines():
            heading = _HEADING.match(line)
            if heading and paragraph:
                yield 0, "\n".join(paragraph)
                paragraph = []
            if heading:
                yield len(heading.group(1)), heading.group(2)
            elif line.strip():
                paragraph.append(_SPACES.sub(" ", line).strip())
        if paragraph:
            yield 0, "\n".join(paragraph)


def _plain(text: str) -> Extracted:
    blocks = [_SPACES.sub(" ", each).strip() for each in re.split(r"\n\s*\n", text.replace("\r\n", "\n"))]
    lines = ((2 if "\n" not in each and is_heading(each) else 0, each) for each in blocks if each)
    return _headed(lines)


def _docx(content: bytes) -> Extracted:
    from docx import Document

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            if any(each.flag_bits & 1 for each in parts.infolist()):
                raise Refused(Finding("guideline.encrypted", "file"))
            if sum(each.file_size for each in parts.infolist()) > MOST_UNPACKED:
                raise Refused(
                    Finding("guideline.too_large", "file", params={"most": MOST_UNPACKED // 1024**2})
                )
        document = Document(io.BytesIO(content))
        found = _headed(_docx_lines(document))
    except Refused:
        raise
    except zipfile.BadZipFile as error:
        # an encrypted DOCX is an OLE container and no zip at all
        code = "encrypted" if content[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" else "broken"
        raise Refused(Finding(f"guideline.{code}", "file", params={"reason": "zip"})) from error
    except (ValueError, KeyError, TypeError, AttributeError, SyntaxError, OSError) as error:
        raise Refused(Finding("guideline.broken", "file", params={"reason": type(error).__name__})) from error
    found.title = (document.core_properties.title or found.title)[:200]
    return found


def _docx_lines(document: Any) -> Iterator[tuple[int, str]]:
    from docx.table import Table

    for block in document.iter_inner_content():
        if isinstance(block, Table):
            for row in block.rows:
                yield 0, " | ".join(dict.fromkeys(cell.text.strip() for cell in row.cells))
            continue
        text, style = _SPACES.sub(" ", block.text).strip(), str(getattr(block.style, "name", "") or "")
        level = re.match(r"(?:Heading|Title)\s*(\d*)", style)
        if text:
            yield (int(level.group(1) or 1) if level else 0), text


def _headed(lines: Iterator[tuple[int, str]]) -> Extracted:
    """Headings become pieces, too: what stands in them is part of the text."""
    path: list[tuple[int, str]] = []
    pieces: list[Piece] = []
    for level, text in lines:
        if level:
            path = [each for each in path if each[0] < level] + [(level, text)]
        if text.strip():
            pieces.append(Piece(text, None, " › ".join(name for _level, name in path)[:300]))
    title = next((name for level, name in path[:1] if level == 1), "")
    tops = {each.section.partition(" › ")[0] for each in pieces}
    return Extracted(title if len(tops) == 1 else "", pieces)
