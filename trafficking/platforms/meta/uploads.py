"""Bytes of a file as a multipart form: small ones at once, big ones read while they are sent."""

from __future__ import annotations

import io
import os
import uuid
from collections.abc import Mapping
from typing import BinaryIO

_AT_ONCE = 4 * 1024 * 1024  # bytes


class Multipart:
    """A `multipart/form-data` body with one file (RFC 7578), readable like a file; its length is known."""

    def __init__(
        self, fields: Mapping[str, str], name: str, file_name: str, content_type: str, file: BinaryIO
    ) -> None:
        self.boundary = uuid.uuid4().hex
        head = "".join(
            f'--{self.boundary}\r\nContent-Disposition: form-data; name="{_quoted(key)}"\r\n\r\n{value}\r\n'
            for key, value in fields.items()
        )
        head += (
            f'--{self.boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}";'
            f' filename="{_quoted(file_name)}"\r\nContent-Type: {content_type}\r\n\r\n'
        )
        self._file = file
        self._file_size = file.seek(0, os.SEEK_END)
        file.seek(0)
        self._parts: list[BinaryIO] = [
            io.BytesIO(head.encode()), file, io.BytesIO(f"\r\n--{self.boundary}--\r\n".encode()),
        ]  # fmt: skip
        self._length = len(head.encode()) + self._file_size + len(self.boundary) + 8

    @property
    def content_type(self) -> str:
        return f"multipart/form-data; boundary={self.boundary}"

    def __len__(self) -> int:
        return self._length

    def read(self, size: int = -1) -> bytes:
        read = b""
        while self._parts and (size < 0 or len(read) < size):
            more = self._parts[0].read(-1 if size < 0 else size - len(read))
            if not more:
                self._parts.pop(0)
            read += more
        return read

    def body(self) -> bytes | Multipart:
        """What to hand to `requests`."""
        return self.read() if self._file_size <= _AT_ONCE else self


def _quoted(text: str) -> str:
    """RFC 7578 by way of the URL standard: quotes and line breaks percent-encoded."""
    return text.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
