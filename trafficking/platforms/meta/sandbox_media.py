"""The library of images and videos, as the sandbox keeps it: content is looked at, not what is said of it.

Subcodes 1363022 and 1363023 (too small, too large a video) are those of Meta's page "Video API error codes"; the
others are stand-ins. An image's hash is the MD5 of its bytes, as practice has it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from trafficking.platforms.meta.sandbox_rules import Refusal
from trafficking.platforms.sandbox_base import Request

Json = dict[str, Any]

MULTIPART = "multipart/form-data"
_IMAGE_STARTS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"BM")
_MOST_IMAGE, _LEAST_VIDEO, _MOST_VIDEO = 30 * 1024**2, 1024, 1024**3


@dataclass(frozen=True, slots=True)
class Upload:
    field: str
    name: str
    content: bytes


def multipart(request: Request) -> tuple[dict[str, str], Upload]:
    """The form's fields, and its one file."""
    head = f"Content-Type: {request.headers.get('content-type', '')}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + request.body)
    fields: dict[str, str] = {}
    files: list[Upload] = []
    for part in message.iter_parts() if message.is_multipart() else ():
        name = str(part.get_param("name", "", header="content-disposition"))
        content = part.get_payload(decode=True) or b""
        if part.get_filename() is not None:
            files.append(Upload(name, str(part.get_filename()), bytes(content)))  # type: ignore[arg-type]
        else:
            fields[name] = bytes(content).decode("utf-8", "replace")  # type: ignore[arg-type]
    if len(files) != 1:
        raise Refusal("(#100) Exactly one file is needed", blame=[["filename"]])
    return fields, files[0]


def uploaded_image(account: str, file: Upload) -> Json:
    if not file.content.startswith(_IMAGE_STARTS):
        raise _unusable("The image could not be read.", file.field, 1487411)
    if len(file.content) > _MOST_IMAGE:
        raise _unusable("The image is larger than 30 MB.", file.field, 1487242)
    digest = hashlib.md5(file.content, usedforsecurity=False).hexdigest()
    return {
        "id": f"{account.removeprefix('act_')}:{digest}",
        "hash": digest,
        "name": file.name,
        "url": f"https://scontent.example/{digest}",
        "status": "ACTIVE",
    }


def uploaded_video(fields: Json, file: Upload) -> Json:
    if file.field != "source":
        raise Refusal("(#100) The parameter source is required", blame=[["source"]])
    if len(file.content) < _LEAST_VIDEO:
        raise _unusable("The minimum size for a video is 1 KB.", "source", 1363022)
    if len(file.content) > _MOST_VIDEO:
        raise _unusable("The video you tried to upload is too large.", "source", 1363023)
    if file.content[4:8] != b"ftyp":
        raise _unusable("The video file has a format that isn't supported.", "source", 1363024)
    return {"title": str(fields.get("title") or file.name), "size": len(file.content)}


def _unusable(words: str, field: str, subcode: int) -> Refusal:
    return Refusal(
        "Invalid parameter", subcode=subcode, title="Upload problem", advice=words, blame=[[field]]
    )


def not_processed(video_id: str) -> Refusal:
    return Refusal(
        "Invalid parameter",
        subcode=1885252,
        title="Video not ready",
        advice=f"The video {video_id} is still being processed, or could not be.",
        blame=[["object_story_spec", "video_data", "video_id"]],
    )


def video_ids(spec: Any) -> Iterator[str]:
    """Ids of all videos in a story, wherever they stand."""
    if isinstance(spec, dict):
        for key, value in spec.items():
            if key == "video_id":
                yield str(value)
            else:
                yield from video_ids(value)
    elif isinstance(spec, list):
        for each in spec:
            yield from video_ids(each)
