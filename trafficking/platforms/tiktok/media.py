"""Files of ours: what TikTok takes, how they are uploaded, and which are in its library already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from governance.findings import Finding
from trafficking.platforms.base import (
    AdSetSnapshot,
    AdSnapshot,
    Card,
    File,
    Held,
    Media,
    Operation,
    PlannedObject,
    TicketSnapshot,
    stand_in,
)
from trafficking.platforms.tiktok import doors, reference
from trafficking.platforms.tiktok.draft import Notes

FILE_NAME = 100  # characters of a name in the library; it must be unique there
MEGABYTE = 1024 * 1024


# ------------------------------------------------------------------------------------------- checks


def check_files(ad: AdSnapshot, at: str, notes: Notes) -> None:
    """Every file of the ad against TikTok's limits (reference, `media`), before anything is sent."""
    for kind, file in ad.files:
        _check_file(file, kind, f"{at}.cards" if kind == "CARD" else f"{at}.media", notes)
    covers = [file for kind, file in ad.files if kind == "THUMBNAIL"]
    videos = [file for kind, file in ad.files if kind == "VIDEO"]
    if covers and videos and not _alike(covers[0], videos[0]):
        notes.block("media.cover_ratio", f"{at}.media", cover=_size(covers[0]), video=_size(videos[0]))


def file_findings(file: File, kind: str) -> list[Finding]:
    """What TikTok would refuse of one file used so."""
    notes = Notes()
    _check_file(file, kind, "", notes)
    return notes.found


def _check_file(file: File, kind: str, where: str, notes: Notes) -> None:
    if kind == "VIDEO":
        _check_video(file, where, notes)
    elif kind != "YOUTUBE_VIDEO":
        _check_image(file, where, notes)


def _check_video(file: File, where: str, notes: Notes) -> None:
    limits = reference.MEDIA["video"]
    _check_type_and_size(file, limits, where, notes)
    _check_ratio(file, limits["ratios"], where, notes)
    shortest, longest = limits["duration_s"]
    if file.duration_s is None:
        return
    if not shortest <= file.duration_s <= longest:
        notes.warn("media.duration", where, file=file.name, seconds=str(file.duration_s), shortest=shortest,
                   longest=longest)  # fmt: skip
    if file.duration_s > 0 and file.size * 8 / file.duration_s < limits["min_bits_per_s"]:
        notes.warn("media.bit_rate", where, file=file.name, kbps=int(file.size * 8 / file.duration_s / 1000),
                   least=limits["min_bits_per_s"] // 1000)  # fmt: skip


def _check_image(file: File, where: str, notes: Notes) -> None:
    limits = reference.MEDIA["image"]
    _check_type_and_size(file, limits, where, notes)
    if file.width * file.height > limits["max_pixels"]:
        notes.block("media.pixels", where, file=file.name, size=_size(file), most=limits["max_pixels"])


def _check_type_and_size(file: File, limits: Mapping[str, Any], where: str, notes: Notes) -> None:
    if file.content_type not in limits["content_types"]:
        notes.block(
            "media.type", where, file=file.name, type=file.content_type, known=limits["content_types"]
        )
    if file.size > limits["max_bytes"]:
        notes.block("media.too_large", where, file=file.name, megabytes=round(file.size / MEGABYTE, 1),
                    most=limits["max_bytes"] // MEGABYTE)  # fmt: skip


def _check_ratio(file: File, ratios: Mapping[str, Sequence[int]], where: str, notes: Notes) -> None:
    """One of TikTok's three shapes, and not smaller than it wants that shape."""
    for width, height in ratios.values():
        if _near(file.width * height, file.height * width):
            if file.width < width or file.height < height:
                least = f"{width} x {height}"
                notes.block("media.too_small", where, file=file.name, size=_size(file), least=least)
            return
    notes.block("media.ratio", where, file=file.name, size=_size(file), ratios=list(ratios))


def _alike(one: File, other: File) -> bool:
    return _near(one.width * other.height, one.height * other.width)


def _near(one: int, other: int) -> bool:
    """Two cross products of sides: the same shape, give or take a hundredth."""
    return abs(one - other) <= max(one, other) * Decimal(reference.MEDIA["video"]["ratio_tolerance"])


def _size(file: File) -> str:
    return f"{file.width} x {file.height}"


# ------------------------------------------------------------------------------------------ uploads


def file_bindings(body: Any, ad: AdSnapshot, pointer: str = "") -> dict[str, str]:
    """JSON pointers of a body at which files of the ad are named -> the refs of their uploads."""
    names = {stand_in(file.ref): file.ref for _kind, file in ad.files}
    return dict(_stand_ins(body, names, pointer))


def _stand_ins(value: Any, names: Mapping[str, str], pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str) and value in names:
        yield pointer, names[value]
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _stand_ins(each, names, f"{pointer}/{key}")
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _stand_ins(each, names, f"{pointer}/{index}")


def upload_operations(ticket: TicketSnapshot, operations: Sequence[Operation]) -> list[Operation]:
    """One upload for each file that these operations name, then a wait for each video."""
    needed = {ref for each in operations for ref in each.parents}
    files: dict[str, tuple[File, str]] = {}
    for i, ad_set in enumerate(ticket.ad_sets):
        for j, ad in enumerate(ad_set.ads):
            for kind, file in ad.files:
                where = f"ad_sets[{i}].ads[{j}].{'cards' if kind == 'CARD' else 'media'}"
                files.setdefault(file.ref, (file, where))
    chosen = [(file, where) for ref, (file, where) in files.items() if ref in needed]
    advertiser = ticket.account.external_id
    uploads = [_upload(file, advertiser, where) for file, where in chosen]
    return uploads + [_await(file, advertiser) for file, _where in chosen if file.is_video]


def _upload(file: File, advertiser: str, where: str) -> Operation:
    """`sha256` stands for the bytes: the client opens them and adds TikTok's own signature, their MD5."""
    name = library_name(file)
    return Operation(
        ref=file.ref,
        action="upload",
        object_type="media",
        method="POST",
        path=doors.VIDEO_UPLOAD if file.is_video else doors.IMAGE_UPLOAD,
        body={
            "advertiser_id": advertiser,
            "upload_type": "UPLOAD_BY_FILE",
            "file_name": name,
            "sha256": file.sha256,
        },
        objects=(PlannedObject(file.ref, "media", name),),
        sources={"/advertiser_id": "account.external_id", "/sha256": where},
    )


def _await(file: File, advertiser: str) -> Operation:
    ref = f"await:{file.ref}"
    return Operation(
        ref=ref,
        action="await",
        object_type="media",
        method="GET",
        path=doors.VIDEO_INFO,
        body={"advertiser_id": advertiser, "video_ids": [stand_in(file.ref)]},
        objects=(PlannedObject(ref, "media", library_name(file)),),
        bindings={"/video_ids/0": file.ref},
    )


def library_name(file: File) -> str:
    """Unique in the account's library and the same for the same content: it is found again by this name."""
    start = f"{file.sha256[:16]}_"
    return start + file.name[-(FILE_NAME - len(start)) :]


# ------------------------------------------------------------------------------------- what is there


def with_uploaded(ticket: TicketSnapshot, held: Sequence[Held]) -> TicketSnapshot:
    """The ticket with the ids of files that an earlier plan has uploaded (held objects of type "media")."""
    ids = {each.ref: each.external_id for each in held if each.type == "media" and each.external_id}
    return replace(ticket, ad_sets=tuple(_ad_set(each, ids) for each in ticket.ad_sets)) if ids else ticket


def _ad_set(ad_set: AdSetSnapshot, ids: Mapping[str, str]) -> AdSetSnapshot:
    return replace(ad_set, ads=tuple(_ad(each, ids) for each in ad_set.ads))


def _ad(ad: AdSnapshot, ids: Mapping[str, str]) -> AdSnapshot:
    return replace(
        ad,
        media=tuple(_media(each, ids) for each in ad.media),
        cards=tuple(_card(each, ids) for each in ad.cards),
    )


def _media(media: Media, ids: Mapping[str, str]) -> Media:
    found = ids.get(media.file.ref) if media.file else None
    return replace(media, id=found, file=None) if found else media


def _card(card: Card, ids: Mapping[str, str]) -> Card:
    found = ids.get(card.file.ref) if card.file else None
    return replace(card, media_id=found, file=None) if found else card
