"""The sandbox's asset library: uploads by file, processing of videos, searches."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from trafficking.platforms.sandbox_base import Request, Store
from trafficking.platforms.tiktok import sandbox_rules as rules
from trafficking.platforms.tiktok.sandbox_rules import Refused, wrong

FIELDS = {"advertiser_id", "upload_type", "file_name"}
MAGIC = {"image": (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")}
#: how the ids of this library begin: others are taken to be in the real one
OWN_ID = {"video": "v10033g50000sandbox", "image": "ad-site-i18n-sg/2026sandbox"}
MOST = {"video": 500 * 1024 * 1024, "image": 50 * 1024 * 1024}


def form_of(request: Request) -> dict[str, bytes]:
    """A multipart body by its field names (RFC 7578), byte for byte."""
    kind, _, rest = request.headers.get("content-type", "").partition(";")
    boundary = re.search(r'boundary="?([^";]+)', rest)
    if kind.strip() != "multipart/form-data" or not boundary:
        raise Refused(40000, "Content-Type must be multipart/form-data when upload_type is UPLOAD_BY_FILE.")
    found: dict[str, bytes] = {}
    for part in request.body.split(b"--" + boundary[1].encode())[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        name = re.search(rb'name="([^"]+)"', head)
        if name:
            found[name[1].decode()] = content.removesuffix(b"\r\n")
    return found


def upload(store: Store, word: str, request: Request, now: float) -> Any:
    """Refuses unknown fields, false signatures, taken names, too much and (images) other formats."""
    form = form_of(request)
    for field in form.keys() - FIELDS - {f"{word}_file", f"{word}_signature"}:
        raise wrong(f"{field}: Unknown field.")
    text = {key: value.decode() for key, value in form.items() if key != f"{word}_file"}
    advertiser, content = rules.advertiser(text), form.get(f"{word}_file", b"")
    if text.get("upload_type") != "UPLOAD_BY_FILE" or not content:
        raise wrong(f"{word}_file: Missing data for required field.")
    signature = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if text.get(f"{word}_signature") != signature:
        raise wrong(f"{word}_signature: The signature does not match the file.")
    _check(word, text.get("file_name", ""), content)
    if store.find(word, advertiser, name=text["file_name"]):
        raise wrong("file_name: Duplicated file name. Please rename the file.")
    record = {
        "file_name": text["file_name"],
        "name": text["file_name"],
        "signature": signature,
        "size": len(content),
    }
    row = store.add(word, advertiser, "", text["file_name"], record, lambda n: _id(word, n), now)
    return [{"video_id": row["id"]}] if word == "video" else _image(row)


def _check(word: str, name: str, content: bytes) -> None:
    if not 1 <= len(name) <= 100:
        raise wrong("file_name: Length must be between 1 and 100.")
    if len(content) > MOST[word]:
        raise wrong(f"{word}_file: The file is too large.")
    if word in MAGIC and not content.startswith(MAGIC[word]):
        raise wrong(f"{word}_file: Only JPG and PNG are supported.")


def _id(word: str, number: int) -> str:
    return f"{OWN_ID[word]}{number:08d}"


def _image(row: Mapping[str, Any]) -> dict[str, Any]:
    shown = {key: row[key] for key in ("file_name", "signature", "size")}
    return {**shown, "image_id": row["id"], "displayable": True, "is_carousel_usable": True}


def video_of(row: Mapping[str, Any], ready: bool) -> dict[str, Any]:
    """Only its id while it is processed; a file named REJECTME can't be shown in the end."""
    if not ready:
        return {"video_id": row["id"], "file_name": row["file_name"]}
    shown = {key: row[key] for key in ("file_name", "signature", "size")}
    good = "REJECTME" not in row["file_name"]
    return {
        **shown,
        "video_id": row["id"],
        "displayable": good,
        "duration": 15.0,
        "width": 720,
        "height": 1280,
    }


def image_of(row: Mapping[str, Any]) -> dict[str, Any]:
    return _image(row)
