"""A brand's media library: bring a file in, find it again, see where it is used, take it out."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files import File as DjangoFile
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from governance.access import reach_of
from governance.actor import acting
from governance.findings import Finding, raise_blocking
from governance.models import Brand
from governance.tables import Refused
from trafficking.media.fetch import Bounds, Network, fetch, read_url
from trafficking.media.measuring import measured
from trafficking.media.probe import KNOWN, Measured, kind_of
from trafficking.models import Ad, MediaFile
from trafficking.platforms import base

_SUFFIXES = {
    "image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "image/webp": ".webp", "video/mp4": ".mp4",
    "video/quicktime": ".mov", "video/webm": ".webm", "video/x-msvideo": ".avi", "video/3gpp": ".3gp",
}  # fmt: skip
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Added:
    """`created` False: the brand had this content already, and `row` is what it had."""

    row: MediaFile
    created: bool


@dataclass(frozen=True, slots=True)
class Received:
    """A file that has been taken in and measured, but is in no library yet. Gone when its block ends."""

    path: Path
    thumbnail: Path
    name: str
    source_url: str
    sha256: str
    size: int
    measured: Measured


# ------------------------------------------------------------------------------------ bringing it in


def add_upload(*, brand: Brand, upload: Any, by: Any, name: str = "") -> Added:
    """`upload` is Django's UploadedFile. ValidationError at `file` says what is wrong with it."""
    _require_reach(by, brand)
    with _at_field("file"), received_upload(upload) as one:
        return keep(one, brand=brand, by=by, name=name)


def add_url(*, brand: Brand, url: str, by: Any, name: str = "", network: Network | None = None) -> Added:
    """Fetch it and keep it. ValidationError at `source_url` says what is wrong with it."""
    _require_reach(by, brand)
    with _at_field("source_url"), received_url(url, network) as one:
        return keep(one, brand=brand, by=by, name=name)


def may_use(user: Any, brand_id: int) -> bool:
    """A library belongs to a brand in all its markets: a grant for the brand in any market opens it."""
    reach = reach_of(user)
    return reach.everything or any(brand in (None, brand_id) for brand, _market in reach.pairs)


def _require_reach(user: Any, brand: Brand) -> None:
    if user is not None and not may_use(user, brand.pk):
        raise PermissionDenied(_("The media library of %(brand)s is not yours.") % {"brand": brand.code})


@contextmanager
def _at_field(name: str) -> Iterator[None]:
    try:
        yield
    except Refused as refused:
        raise_blocking(
            [Finding(each.code, name, params=each.params) for each in refused.findings], MediaFile()
        )


@contextmanager
def received_upload(upload: Any) -> Iterator[Received]:
    """Raises Refused."""
    with tempfile.TemporaryDirectory(dir=_incoming()) as folder, _Spool(Path(folder)) as spool:
        for chunk in upload.chunks():
            spool.write(chunk)
        yield spool.measured(Path(upload.name or "").name, "")


@contextmanager
def received_url(url: str, network: Network | None = None) -> Iterator[Received]:
    """Raises Refused."""
    _require_storable(url)
    bounds = Bounds(seconds=settings.MEDIA_FETCH_SECONDS, http=settings.MEDIA_FETCH_HTTP)
    with tempfile.TemporaryDirectory(dir=_incoming()) as folder, _Spool(Path(folder)) as spool:
        name = fetch(url, spool.write, bounds, network)
        yield spool.measured(name, url)


def _require_storable(url: str) -> None:
    """What the row's own field would refuse is told before it is fetched."""
    field = MediaFile._meta.get_field("source_url")
    try:
        read_url(url, Bounds(seconds=0, http=settings.MEDIA_FETCH_HTTP))
        field.clean(url, None)
    except ValidationError:
        raise Refused(Finding("media.url_malformed", params={"url": url[:200]})) from None


def _incoming() -> Path:
    """Not /tmp, which may be small."""
    folder = Path(settings.FILE_UPLOAD_TEMP_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@dataclass
class _Spool:
    """Writes, hashes and bounds what comes in. What is no image or video by its first bytes is not read on."""

    folder: Path
    size: int = 0
    head: bytes = b""
    digest: Any = field(default_factory=hashlib.sha256)

    def __enter__(self) -> _Spool:
        self.path = self.folder / "content"
        self.file = self.path.open("wb")
        return self

    def __exit__(self, *_error: Any) -> None:
        self.file.close()

    def write(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self.head = self.head + chunk[: 16 - len(self.head)] if len(self.head) < 16 else self.head
        self._refuse_too_big()
        self.digest.update(chunk)
        self.file.write(chunk)

    def _refuse_too_big(self) -> None:
        kind = kind_of(self.head) if len(self.head) >= 16 else "video"  # the first bytes may come one by one
        if not kind:
            raise Refused(Finding("media.unknown_type", params={"known": list(KNOWN)}))
        limit = settings.MEDIA_MAX_VIDEO_BYTES if kind == "video" else settings.MEDIA_MAX_IMAGE_BYTES
        if self.size > limit:
            raise Refused(Finding(f"media.{kind}_too_big", params={"limit": limit // _MEGABYTE}))

    def measured(self, name: str, source_url: str) -> Received:
        self.file.close()
        if not self.size:
            raise Refused(Finding("media.empty"))
        thumbnail = self.folder / "thumbnail"
        found = measured(self.path, thumbnail=thumbnail)
        return Received(self.path, thumbnail, name, source_url, self.digest.hexdigest(), self.size, found)


def keep(one: Received, *, brand: Brand, by: Any, name: str = "") -> Added:
    """Put it into the brand's library, or find that it is there. In an outer transaction the caller undoes: `discard`."""
    known = MediaFile.objects.filter(brand=brand, sha256=one.sha256).first()
    if known is not None:
        return Added(_current(known, by), created=False)
    row = MediaFile(
        brand=brand, name=_name(name or one.name, one), source_url=one.source_url, sha256=one.sha256, size=one.size,
        content_type=one.measured.content_type, width=one.measured.width, height=one.measured.height,
        duration_s=one.measured.duration_s, codec=one.measured.codec, uploaded_by=by,
    )  # fmt: skip
    _store(row, one)
    try:
        with acting(by), transaction.atomic():
            row.save()
    except BaseException as error:
        discard([row])
        first = MediaFile.objects.filter(brand=brand, sha256=one.sha256).first()
        if first is None or not isinstance(error, ValidationError | IntegrityError):
            raise
        return Added(first, created=False)  # somebody added the same in this moment
    return Added(row, created=True)


def _current(row: MediaFile, by: Any) -> MediaFile:
    """One that had been archived comes back."""
    if row.archived_at is not None:
        row.archived_at = None
        with acting(by, reason="added again"):
            row.save()
    return row


def _name(name: str, one: Received) -> str:
    """A name that can be typed: no path, no control characters, at most 200, never empty."""
    last = name.replace("\\", "/").rpartition("/")[2]
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in last).split())
    if len(plain) > 200:
        plain = plain[: 200 - 8].rstrip() + Path(plain).suffix[:8]
    return plain or one.sha256[:12] + _SUFFIXES[one.measured.content_type]


def _store(row: MediaFile, one: Received) -> None:
    """Stored under its content's name: a person's file name never becomes a path."""
    stored = one.sha256[:32] + _SUFFIXES[one.measured.content_type]
    with one.path.open("rb") as file:
        row.file.save(stored, DjangoFile(file), save=False)
    if one.thumbnail.exists():
        row.file.storage.save(thumbnail_name(row), ContentFile(one.thumbnail.read_bytes()))


def thumbnail_name(row: MediaFile) -> str:
    """Beside the file in its storage; only images have one."""
    return f"{row.file.name}.thumbnail.jpg"


def discard(rows: Iterable[MediaFile]) -> None:
    """Take the stored bytes of rows away that were never committed, or are deleted."""
    for row in rows:
        storage, name, small = row.file.storage, row.file.name, thumbnail_name(row)
        for each in (name, small):
            if each and storage.exists(each):
                storage.delete(each)


# ---------------------------------------------------------------------------------------- finding it


def open_by_hash(sha256: str, brand_id: int) -> BinaryIO:
    """The bytes of a file of the brand's library; LookupError where it is gone."""
    row = MediaFile.objects.filter(brand_id=brand_id, sha256=sha256).first()
    if row is None:
        raise LookupError(f"the media library of brand {brand_id} has no file {sha256}")
    try:
        return cast(BinaryIO, row.file.storage.open(row.file.name or "", "rb"))
    except OSError as error:
        raise LookupError(f"the bytes of '{row.name}' ({sha256}) are gone from the storage") from error


def files_of(brand_id: int, hashes: Iterable[str]) -> dict[str, base.File]:
    """Those of the brand's files that it has, by content. One query; none for no hashes."""
    wanted = set(hashes)
    if not wanted:
        return {}
    rows = MediaFile.objects.filter(brand_id=brand_id, sha256__in=wanted)
    return {row.sha256: row.as_file() for row in rows}


def hashes_in(ads: Iterable[Ad]) -> set[str]:
    """Content hashes of all files that ads name in their media and cards."""
    return {each["file"] for ad in ads for each in [*ad.media, *ad.cards] if each.get("file")}


def ads_using(row: MediaFile) -> list[Ad]:
    """Ads of the brand that name the file, newest first."""
    ads = Ad.objects.filter(ad_set__ticket__campaign__brand_id=row.brand_id)
    mentioned = _mentioning(ads, row.sha256).select_related(
        "ad_set__ticket__channel", "ad_set__ticket__campaign"
    )
    return list(mentioned.order_by("-id"))


def _mentioning(ads: QuerySet[Ad], sha256: str) -> QuerySet[Ad]:
    """By the text of the JSON, on every database: nothing else in it has 64 hex digits of this content."""
    texts = ads.annotate(media_text=Cast("media", TextField()), cards_text=Cast("cards", TextField()))
    return texts.filter(Q(media_text__contains=sha256) | Q(cards_text__contains=sha256))


# ------------------------------------------------------------------------------------- taking it out


def delete_file(*, row: MediaFile, by: Any) -> None:
    """Take it out of the library for good; ValidationError where an ad uses it."""
    _require_reach(by, row.brand)
    with acting(by), transaction.atomic():
        if count := len(ads_using(row)):
            raise_blocking([Finding("media.in_use", params={"count": count})], row)
        row.delete()
        transaction.on_commit(lambda: discard([row]))
