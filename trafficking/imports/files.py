"""Files that a creative sheet names: found in the brand's media library, or fetched before anything is written.

Addresses are fetched ahead of the import's transaction, which would hold the database for as long; what was fetched goes to
the libraries within it, and is taken away again where the import is refused or was a check only.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from django.conf import settings

from governance.findings import Finding
from governance.models import Brand
from governance.tables import Refused
from trafficking.imports.creatives import CreativeRow, CreativeSheet, FileWish
from trafficking.media.fetch import Network
from trafficking.media.library import Received, discard, keep, received_url
from trafficking.models import MediaFile

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(slots=True)
class SheetFiles:
    """What was fetched, by address: the file, or why there is none."""

    fetched: dict[str, Received | list[Finding]] = field(default_factory=dict)
    _wanted: dict[tuple[int, str], Brand] = field(default_factory=dict)
    _kept: list[MediaFile] = field(default_factory=list)

    def resolve(self, sheet: CreativeSheet, brands: Mapping[str, Brand]) -> list[Finding]:
        """Put each file's content in its place in the rows of lines whose brand is known; what can't be found."""
        libraries = _libraries({brand.pk for key, brand in brands.items() if _names(sheet.rows.get(key, ()))})
        return [
            finding
            for key, rows in sheet.rows.items()
            for row in rows
            for wish in row.files
            for finding in self._resolve(row, wish, brands.get(key), libraries)
        ]

    def _resolve(
        self, row: CreativeRow, wish: FileWish, brand: Brand | None, libraries: Mapping[int, Library]
    ) -> list[Finding]:
        if wish.is_url:
            return self._from_address(row, wish, brand)
        return libraries[brand.pk].resolve(row, wish, brand) if brand is not None else []

    def _from_address(self, row: CreativeRow, wish: FileWish, brand: Brand | None) -> list[Finding]:
        found = self.fetched.get(wish.text)
        if isinstance(found, list):
            return [row.place.moved(each, wish.column) for each in found]
        if found is not None and brand is not None:
            wish.is_found(found.sha256, found.measured.is_video)
            self._wanted[brand.pk, wish.text] = brand
        return []

    def keep(self, by: Any) -> None:
        """Put what was fetched into the libraries; within the import's transaction."""
        for (_brand_id, url), brand in self._wanted.items():
            received = self.fetched[url]
            assert isinstance(received, Received)
            added = keep(received, brand=brand, by=by)
            if added.created:
                self._kept.append(added.row)

    def undo(self) -> None:
        """After the transaction: where it was rolled back, the bytes go, too."""
        stand = set(
            MediaFile.objects.filter(pk__in=[row.pk for row in self._kept]).values_list(
                "public_id", flat=True
            )
        )
        discard(row for row in self._kept if row.public_id not in stand)
        self._kept = []


@contextmanager
def fetched_files(
    sheet: CreativeSheet | None, known: Mapping[tuple[str, str], str], network: Network | None = None
) -> Iterator[SheetFiles]:
    """Fetch every address of the sheet's rows once; not of rows that were imported just so before.

    `known` maps (line, ad) to the digest of the row as it was imported last.
    """
    files, ends_at = SheetFiles(), time.monotonic() + settings.MEDIA_FETCH_IMPORT_SECONDS
    with ExitStack() as stack:
        for url in _addresses(sheet, known):
            files.fetched[url] = _received(stack, url, ends_at, network)
        yield files


def _addresses(sheet: CreativeSheet | None, known: Mapping[tuple[str, str], str]) -> list[str]:
    rows = [row for each in (sheet.rows if sheet else {}).values() for row in each]
    news = [row for row in rows if known.get((row.line, row.ad)) != row.digest]
    return list(dict.fromkeys(wish.text for row in news for wish in row.files if wish.is_url))


def _received(
    stack: ExitStack, url: str, ends_at: float, network: Network | None
) -> Received | list[Finding]:
    if time.monotonic() > ends_at:
        limit = f"{settings.MEDIA_FETCH_IMPORT_SECONDS:g}"
        return [Finding("creatives.fetch_time", params={"seconds": limit})]
    try:
        return stack.enter_context(received_url(url, network))
    except Refused as refused:
        return refused.findings


# -------------------------------------------------------------------------------------- by name


@dataclass(slots=True)
class Library:
    """A brand's files by name, compared without case, and by content."""

    by_name: dict[str, list[tuple[str, bool]]] = field(default_factory=lambda: defaultdict(list))
    by_content: dict[str, bool] = field(default_factory=dict)

    def resolve(self, row: CreativeRow, wish: FileWish, brand: Brand) -> list[Finding]:
        hits = self._hits(wish.text)
        if len(hits) == 1:
            wish.is_found(*hits[0])
            return []
        params: dict[str, Any] = {"brand": brand.code, "text": wish.text}
        if hits:
            hashes = [sha256 for sha256, _is_video in hits]
            return [row.place.block("media.name_twice", wish.column, hashes=hashes, **params)]
        near = get_close_matches(wish.text.casefold(), list(self.by_name), n=1)
        suggestion = f" Perhaps {near[0]}." if near else ""
        return [row.place.block("media.no_such_name", wish.column, suggestion=suggestion, **params)]

    def _hits(self, text: str) -> list[tuple[str, bool]]:
        if _SHA256.match(text):
            return [(text, self.by_content[text])] if text in self.by_content else []
        return self.by_name.get(text.casefold(), [])


def _names(rows: Iterable[CreativeRow]) -> bool:
    return any(not wish.is_url for row in rows for wish in row.files)


def _libraries(brands: Collection[int]) -> dict[int, Library]:
    """The libraries of these brands, in one query; none where no file is named."""
    found = {brand: Library() for brand in brands}
    if not found:
        return found
    rows = MediaFile.objects.filter(brand_id__in=found, archived_at__isnull=True)
    for brand, name, sha256, content_type in rows.values_list("brand_id", "name", "sha256", "content_type"):
        is_video = content_type.startswith("video/")
        found[brand].by_name[name.casefold()].append((sha256, is_video))
        found[brand].by_content[sha256] = is_video
    return found
