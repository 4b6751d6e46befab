"""Files of ours on their way into Meta's library: what Meta takes, and the operations that bring them there.

An image's upload answers a hash, a video's an id; a video is then processed, which is awaited. Bodies of uploads hold
everything but the bytes, which the client adds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from governance.findings import Finding
from trafficking.platforms.base import (
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
from trafficking.platforms.meta.noted import Noted
from trafficking.platforms.meta.reference import API_VERSION, MEDIA

_VIDEO_KINDS = ("VIDEO",)
_TITLE_LENGTH = 100


# ------------------------------------------------------------------------------------- what is taken


def check_files(noted: Noted, ad: AdSnapshot, path: str) -> None:
    """Every file of an ad against Meta's limits for what it is used as."""
    for number, media in enumerate(ad.media):
        if media.file is not None:
            _check(noted, media.kind, media.file, f"{path}.media[{number}]")
    for number, card in enumerate(ad.cards):
        if card.file is not None:
            _check(noted, "CARD", card.file, f"{path}.cards[{number}]")


def file_findings(file: File, kind: str) -> list[Finding]:
    """What Meta would refuse of one file used so."""
    noted = Noted()
    _check(noted, kind, file, "")
    return noted.findings


def _check(noted: Noted, kind: str, file: File, field: str) -> None:
    if kind != "CARD" and file.is_video != (kind in _VIDEO_KINDS):
        noted.block("media.kind", field, file=file.name, kind=kind, content_type=file.content_type)
        return
    limits = MEDIA["video" if file.is_video else "image"]
    _check_content(noted, file, limits, field)
    _check_frame(noted, kind, file, limits, field)
    if file.is_video:
        _check_duration(noted, file, limits, field)


def _check_content(noted: Noted, file: File, limits: Mapping[str, Any], field: str) -> None:
    if file.content_type not in limits["content_types"]:
        noted.block(
            "media.format",
            field,
            file=file.name,
            content_type=file.content_type,
            known=limits["content_types"],
        )
    if file.size > limits["bytes_max"]:
        noted.block("media.too_big", field, file=file.name, size=file.size, most=limits["bytes_max"])
    if file.size < limits["bytes_min"]:
        noted.block("media.too_small", field, file=file.name, size=file.size, least=limits["bytes_min"])
    if file.codec and file.is_video and file.codec not in limits["codecs"]:
        noted.warn("media.codec", field, file=file.name, codec=file.codec, known=limits["codecs"])


def _check_frame(noted: Noted, kind: str, file: File, limits: Mapping[str, Any], field: str) -> None:
    """Pixels and ratio. A thumbnail takes its frame from the video."""
    if file.width < 1 or file.height < 1:
        noted.block("media.unmeasured", field, file=file.name)
        return
    size = {"file": file.name, "width": file.width, "height": file.height}
    if kind == "THUMBNAIL":
        return
    if file.width < limits["width_min"] or file.height < limits["height_min"]:
        least = {"width_min": limits["width_min"], "height_min": limits["height_min"]}
        noted.block("media.few_pixels", field, **size, **least)
    ratio, spare = file.width / file.height, 1 + float(MEDIA["ratio_tolerance"])
    narrowest, widest = (_ratio(each) for each in limits["ratios"])
    if not narrowest / spare <= ratio <= widest * spare:
        noted.block("media.ratio", field, **size, narrowest=limits["ratios"][0], widest=limits["ratios"][1])
    elif kind == "CARD" and not 1 / spare <= ratio <= spare:
        noted.warn("media.card_not_square", field, **size)


def _check_duration(noted: Noted, file: File, limits: Mapping[str, Any], field: str) -> None:
    if file.duration_s is None:
        noted.block("media.unmeasured", field, file=file.name)
    elif not limits["seconds_min"] <= file.duration_s <= limits["seconds_max"]:
        noted.block(
            "media.duration", field, file=file.name, seconds=str(file.duration_s), least=limits["seconds_min"],
            most=limits["seconds_max"],
        )  # fmt: skip


def _ratio(text: str) -> float:
    width, height = text.split(":")
    return float(width) / float(height)


# --------------------------------------------------------------------------------- what is there already


def with_uploaded(ticket: TicketSnapshot, held: Sequence[Held]) -> TicketSnapshot:
    """The ticket with the platform's ids in place of files that its library has already."""
    known = {each.ref: each.external_id for each in held if each.type == "media" and each.external_id}
    if not known:
        return ticket
    sets = tuple(replace(each, ads=tuple(_known_ad(ad, known) for ad in each.ads)) for each in ticket.ad_sets)
    return replace(ticket, ad_sets=sets)


def _known_ad(ad: AdSnapshot, known: Mapping[str, str]) -> AdSnapshot:
    media = tuple(_known_media(each, known) for each in ad.media)
    cards = tuple(_known_card(each, known) for each in ad.cards)
    videos = [card for card in ad.cards if card.file and card.file.is_video and card.file.ref in known]
    # a card's video is told from an image by standing among the ad's videos
    extra = tuple(Media("VIDEO", known[card.file.ref]) for card in videos if card.file)
    return replace(ad, media=(*media, *(each for each in extra if each not in media)), cards=cards)


def _known_media(media: Media, known: Mapping[str, str]) -> Media:
    return Media(media.kind, known[media.file.ref]) if media.file and media.file.ref in known else media


def _known_card(card: Card, known: Mapping[str, str]) -> Card:
    if card.file is None or card.file.ref not in known:
        return card
    return replace(card, media_id=known[card.file.ref], file=None)


# ------------------------------------------------------------------------------------------ operations


def stand_ins(body: Any, files: Mapping[str, File], pointer: str = "") -> Iterator[tuple[str, str]]:
    """(pointer, ref of the upload) for every place of a body that waits for a file's id."""
    if isinstance(body, str) and body in files:
        yield pointer, files[body].ref
    elif isinstance(body, Mapping):
        for key, inner in body.items():
            yield from stand_ins(inner, files, f"{pointer}/{key}")
    elif isinstance(body, list):
        for number, inner in enumerate(body):
            yield from stand_ins(inner, files, f"{pointer}/{number}")


def files_by_stand_in(ticket: TicketSnapshot) -> dict[str, File]:
    return {
        stand_in(file.ref): file for ad_set in ticket.ad_sets for ad in ad_set.ads for _kind, file in ad.files
    }


def uploads(account_path: str, files: Sequence[File]) -> Iterator[Operation]:
    """Each file once, and after a video the wait until it is ready."""
    for file in dict.fromkeys(files):
        yield _upload(account_path, file)
        if file.is_video:
            yield _wait(file)


def _upload(account_path: str, file: File) -> Operation:
    body: dict[str, Any] = {"filename": file.name, "content_type": file.content_type, "sha256": file.sha256}
    if file.is_video:
        body["title"] = video_title(file)
    return Operation(
        ref=file.ref,
        action="upload",
        object_type="media",
        method="POST",
        path=f"{account_path}/{'advideos' if file.is_video else 'adimages'}",
        body=body,
        objects=(PlannedObject(file.ref, "media", file.name),),
    )


def video_title(file: File) -> str:
    """Its title in the library: the content's hash makes it findable after a lost answer."""
    return f"{file.sha256[:24]} {file.name}"[:_TITLE_LENGTH]


def _wait(file: File) -> Operation:
    ref = f"await:{file.ref}"
    return Operation(
        ref=ref,
        action="await",
        object_type="media",
        method="GET",
        path=f"/{API_VERSION}/{stand_in(file.ref)}",
        body={"video_id": stand_in(file.ref)},
        objects=(PlannedObject(ref, "media", file.name),),
        bindings={"/video_id": file.ref},
    )
