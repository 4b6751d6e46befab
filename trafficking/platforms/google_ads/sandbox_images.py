"""Bytes of an image as the sandboxed Google keeps them: measured, and known by their content."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Any

#: How a file begins -> MimeType (v26).
BEGINNINGS = {
    b"\xff\xd8\xff": "IMAGE_JPEG", b"\x89PNG\r\n\x1a\n": "IMAGE_PNG", b"GIF8": "IMAGE_GIF", b"RIFF": "IMAGE_WEBP",
}  # fmt: skip


def as_stored(info: Mapping[str, Any]) -> dict[str, Any]:
    """`imageAsset` with size, type and digest of its data; none of them where the data are no base64."""
    try:
        data = base64.b64decode(str(info.get("data", "")), validate=True)
    except (ValueError, binascii.Error):
        data = b""
    if not data:
        return {}
    kind = next((mime for start, mime in BEGINNINGS.items() if data.startswith(start)), "UNKNOWN")
    return {"fileSize": str(len(data)), "mimeType": kind, "digest": hashlib.sha256(data).hexdigest()}
