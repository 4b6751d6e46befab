"""Images and videos made on the spot, so that no binary lies in the repository."""

from __future__ import annotations

import io
import struct

from PIL import Image


def image(
    width: int = 1080, height: int = 1080, kind: str = "PNG", colour: str = "teal", *, frames: int = 1
) -> bytes:
    """An image of one colour; with several frames an animated GIF or WebP of 100 ms each."""
    made = [Image.new("RGB", (width, height), colour) for _ in range(frames)]
    for number, frame in enumerate(made):  # frames that are alike would be kept as one
        frame.putpixel((number, 0), (255, number, 0))
    out = io.BytesIO()
    more = {"save_all": True, "append_images": made[1:], "duration": 100} if frames > 1 else {}
    made[0].save(out, kind, **more)
    return out.getvalue()


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box of ISO/IEC 14496-12."""
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full(kind: bytes, *parts: bytes) -> bytes:
    return box(kind, bytes(4), *parts)


_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def video(
    width: int = 1080,
    height: int = 1920,
    seconds: float = 15,
    codec: bytes = b"avc1",
    *,
    brand: bytes = b"isom",
    picture: bool = True,
    size: int = 5000,
) -> bytes:
    """An MP4 (brand `qt  `: a MOV) with a true index and `size` bytes of nothing for a picture."""
    ticks = round(seconds * 1000)
    head = box(b"ftyp", brand, bytes(4), brand)
    mvhd = full(b"mvhd", struct.pack(">4I", 0, 0, 1000, ticks), struct.pack(">IH10x", 0x10000, 0x100), _MATRIX,
                bytes(24), struct.pack(">I", 2))  # fmt: skip
    tkhd = box(b"tkhd", struct.pack(">I5I", 7, 0, 0, 1, 0, ticks), bytes(16), _MATRIX,
               struct.pack(">2I", width << 16, height << 16))  # fmt: skip
    mdhd = full(b"mdhd", struct.pack(">4I2H", 0, 0, 1000, ticks, 0x55C4, 0))
    hdlr = full(b"hdlr", bytes(4), b"vide" if picture else b"text", bytes(12), b"Handler\0")
    entry = box(codec, bytes(6), struct.pack(">H", 1), bytes(16), struct.pack(">2H", width, height),
                struct.pack(">2I4xH", 0x480000, 0x480000, 1), bytes(32), struct.pack(">2H", 24, 0xFFFF))  # fmt: skip
    stsd = full(b"stsd", struct.pack(">I", 1), entry)
    stbl = box(
        b"stbl",
        stsd,
        full(b"stts", struct.pack(">3I", 1, 1, ticks)),
        full(b"stsc", struct.pack(">4I", 1, 1, 1, 1)),
        full(b"stsz", struct.pack(">3I", 0, 1, size)),
        full(b"stco", struct.pack(">2I", 1, len(head) + 8)),
    )
    dinf = box(b"dinf", full(b"dref", struct.pack(">I", 1), box(b"url ", struct.pack(">I", 1))))
    minf = box(b"minf", box(b"vmhd", struct.pack(">I", 1), bytes(8)), dinf, stbl)
    trak = box(b"trak", tkhd, box(b"mdia", mdhd, hdlr, minf))
    return head + box(b"mdat", bytes(size)) + box(b"moov", mvhd, trak)
