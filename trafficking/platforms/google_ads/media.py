"""Files of ours on their way into the account: images as assets, videos through YouTube.

An image is created as an asset with its bytes in a mutate of its own, ahead of the tree. A video goes to YouTube
through the API's `YouTubeVideoUploadService` (since v23) by the resumable protocol that the SDK speaks
(services/you_tube_video_upload_service/transports/rest_resumable.py), into the channel that Google keeps for the
account, unlisted; YouTube then works on it, which is waited for, and its id becomes an asset of the tree.
Assets made of our files carry the beginning of the file's sha-256 at the end of their names, so that they can be
recognised when they are read back.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from governance.findings import Finding
from trafficking.platforms.base import File, Operation, PlannedObject, stand_in
from trafficking.platforms.google_ads.notes import Notes
from trafficking.platforms.google_ads.reference import API_VERSION, LIMITS

UPLOADS = f"/resumable/upload/{API_VERSION}"
#: Seconds between two questions whether YouTube is done.
AGAIN_S = 30.0
STATES_IN_WORK = ("PENDING", "UPLOADED", "UNSPECIFIED", "UNKNOWN")


def asset_name(file: File) -> str:
    """`shoes.jpg [0123456789abcdef01234567]`, at most 128 characters."""
    return f"{file.name[:100]} [{file.sha256[:24]}]"


def await_ref(file: File) -> str:
    return f"await:{file.ref}"


def check_file(file: File, kind: str, source: str, notes: Notes) -> None:
    """Type, size and shape of a file against what Google takes for its use; all that is wrong."""
    if kind in ("VIDEO", "YOUTUBE_VIDEO"):
        _check_video(file, source, notes)
    else:
        _check_image(file, kind, source, notes)


def file_findings(file: File, kind: str) -> list[Finding]:
    """What Google would refuse of one file used so."""
    notes = Notes()
    check_file(file, kind, "", notes)
    return notes.findings


def _check_image(file: File, kind: str, source: str, notes: Notes) -> None:
    limits = LIMITS["image_files"]
    if file.content_type not in limits["types"]:
        notes.block("media.type", source, name=file.name, type=file.content_type, known=limits["types"])
        return
    _check_bytes(file, limits["bytes"], source, notes)
    shape = limits["shapes"].get(kind)
    if shape is None:
        return
    width, height, across, down = shape
    if file.width < width or file.height < height:
        notes.block(
            "media.too_small", source, name=file.name, width=file.width, height=file.height,
            least=f"{width} × {height}",
        )  # fmt: skip
    if abs(file.width * down - file.height * across) > limits["tolerance"] * file.height * across:
        notes.block(
            "media.ratio", source, name=file.name, width=file.width, height=file.height,
            ratio=f"{across:g}:{down:g}", kind=kind,
        )  # fmt: skip


def _check_video(file: File, source: str, notes: Notes) -> None:
    limits = LIMITS["video_files"]
    if file.content_type not in limits["types"]:
        notes.block("media.type", source, name=file.name, type=file.content_type, known=limits["types"])
    _check_bytes(file, limits["bytes"], source, notes)
    if file.duration_s is not None and file.duration_s > limits["seconds"]:
        notes.block(
            "media.too_long", source, name=file.name, seconds=str(file.duration_s), maximum=limits["seconds"]
        )


def _check_bytes(file: File, most: int, source: str, notes: Notes) -> None:
    if file.size > most:
        notes.block("media.too_large", source, name=file.name, bytes=file.size, maximum=most)


# ------------------------------------------------------------------------------------ operations


def uploads(customer: str, files: Mapping[str, File]) -> Iterator[Operation]:
    """Each file once; a video is followed by the waiting for it."""
    for file in files.values():
        if file.is_video:
            yield _video(customer, file)
            yield _waiting(customer, file)
        else:
            yield _image(customer, file)


def _described(file: File) -> dict[str, Any]:
    """Which bytes the client adds, and takes this away for it."""
    return {"sha256": file.sha256, "size": file.size, "contentType": file.content_type, "name": file.name}


def _image(customer: str, file: File) -> Operation:
    create = {"name": asset_name(file), "imageAsset": {}}
    body = {
        "mutateOperations": [{"assetOperation": {"create": create}}],
        "partialFailure": False,
        "file": _described(file),
    }
    path = f"/{API_VERSION}/customers/{customer}/googleAds:mutate"
    return Operation(file.ref, "upload", "media", "POST", path, body, (_planned(file.ref, file),))


def _video(customer: str, file: File) -> Operation:
    body = {
        "customer_id": customer,
        "you_tube_video_upload": {"video_title": _title(file)},
        "file": _described(file),
    }
    path = f"{UPLOADS}/customers/{customer}/youTubeVideoUploads:create"
    return Operation(file.ref, "upload", "media", "POST", path, body, (_planned(file.ref, file),))


def _waiting(customer: str, file: File) -> Operation:
    body = {"youTubeVideoUpload": stand_in(file.ref)}
    path = f"/{API_VERSION}/customers/{customer}/googleAds:search"
    ref = await_ref(file)
    return Operation(
        ref, "await", "media", "POST", path, body, (_planned(ref, file),), {"/youTubeVideoUpload": file.ref}
    )


def _planned(ref: str, file: File) -> PlannedObject:
    return PlannedObject(ref, "media", file.name)


def _title(file: File) -> str:
    """At most 100 characters, without what YouTube refuses in titles (youtube_video_upload.py, v26)."""
    return re.sub(r"[<>]", "", file.name)[:100] or file.sha256[:24]


# ----------------------------------------------------------------------------------------- bytes


def with_image(body: Mapping[str, Any], opened: BinaryIO) -> dict[str, Any]:
    """The mutate of an image with its bytes, in base64 as protobuf's JSON wants them."""
    ((name, change),) = body["mutateOperations"][0].items()
    data = base64.b64encode(opened.read()).decode("ascii")
    create = {**change["create"], "imageAsset": {"data": data}}
    return {"mutateOperations": [{name: {"create": create}}], "partialFailure": body["partialFailure"]}


def start_headers(file: Mapping[str, Any]) -> dict[str, str]:
    return {
        "X-Goog-Upload-Protocol": "resumable",
        "X-Goog-Upload-Command": "start",
        "X-Goog-Upload-Header-Content-Length": str(file["size"]),
        "X-Goog-Upload-Header-Content-Type": str(file["contentType"]),
    }


FINISH_HEADERS = {"X-Goog-Upload-Command": "upload, finalize", "X-Goog-Upload-Offset": "0"}


def state_query(customer: str, upload: str) -> str:
    name = f"customers/{customer}/{upload}"
    return (
        "SELECT you_tube_video_upload.resource_name, you_tube_video_upload.state, you_tube_video_upload.video_id "  # noqa: S608
        f"FROM you_tube_video_upload WHERE you_tube_video_upload.resource_name = '{name}'"
    )
