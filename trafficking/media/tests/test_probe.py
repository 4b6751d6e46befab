"""What a file is, is read from its content."""

from __future__ import annotations

import struct
import zlib
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from trafficking.media.probe import Measured, Unfit, kind_of, measure
from trafficking.media.tests.made import image, video

PIXELS = 4_000_000


def measured(tmp_path: Path, content: bytes, **options) -> Measured:
    path = tmp_path / "anything.txt"
    path.write_bytes(content)
    return measure(path, most_pixels=PIXELS, **options)


def refusal(tmp_path: Path, content: bytes) -> str:
    with pytest.raises(Unfit) as refused:
        measured(tmp_path, content)
    return refused.value.code


@pytest.mark.parametrize(("kind", "content_type"), [
    ("PNG", "image/png"), ("JPEG", "image/jpeg"), ("GIF", "image/gif"), ("WEBP", "image/webp"),
])  # fmt: skip
def test_an_image_is_known_by_its_content(tmp_path, kind, content_type):
    assert measured(tmp_path, image(640, 480, kind)) == Measured(content_type, 640, 480)


@pytest.mark.parametrize(("options", "content_type", "codec"), [
    ({}, "video/mp4", "AVC"), ({"codec": b"hvc1"}, "video/mp4", "HEVC"), ({"brand": b"qt  "}, "video/quicktime", "AVC"),
    ({"brand": b"3gp4"}, "video/3gpp", "AVC"),
])  # fmt: skip
def test_a_video_is_known_by_its_content(tmp_path, options, content_type, codec):
    found = measured(tmp_path, video(720, 1280, 15.5, **options))
    assert found == Measured(content_type, 720, 1280, Decimal("15.500"), codec)


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_an_animated_image_tells_how_long_one_round_takes(tmp_path, kind):
    assert measured(tmp_path, image(64, 64, kind, frames=3)).duration_s >= Decimal("0.2")


def test_a_picture_taken_sideways_is_measured_as_it_is_shown(tmp_path):
    made = Image.new("RGB", (400, 300))
    exif = made.getexif()
    exif[274] = 6
    made.save(tmp_path / "x", "JPEG", exif=exif)
    found = measure(tmp_path / "x", most_pixels=PIXELS, thumbnail=tmp_path / "small")
    assert (found.width, found.height) == (300, 400)
    with Image.open(tmp_path / "small") as small:
        assert small.size == (240, 320)


def test_a_thumbnail_is_a_small_jpeg_of_our_own(tmp_path):
    measured(tmp_path, image(1600, 800) + b"<script>", thumbnail=tmp_path / "small")
    with Image.open(tmp_path / "small") as small:
        assert (small.format, small.size) == ("JPEG", (320, 160))
    assert b"<script>" not in (tmp_path / "small").read_bytes()


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header claims a size that its few bytes unpack to."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">2I5B", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((width // 8 + 1) * height))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_a_decompression_bomb_is_refused_unread(tmp_path):
    bomb = png_claiming(20_000, 20_000)
    assert len(bomb) < 100_000
    assert refusal(tmp_path, bomb) == "media.too_many_pixels"
    assert measured(tmp_path, png_claiming(64, 64)).width == 64


def test_a_small_file_with_endless_frames_is_refused(tmp_path):
    assert refusal(tmp_path, image(1000, 1000, "GIF", frames=45)) == "media.too_many_pixels"


@pytest.mark.parametrize("frames", [1, 2])
def test_a_frame_larger_than_its_picture_is_refused_unread(tmp_path, frames):
    whole = image(40, 30, "GIF", frames=frames)
    at = whole.rindex(struct.pack("<B4H", 0x2C, 0, 0, 40, 30))
    assert (
        refusal(tmp_path, whole[: at + 5] + b"\xff\xff\xff\xff" + whole[at + 9 :]) == "media.too_many_pixels"
    )


@pytest.mark.parametrize("content", [
    image(300, 300, "PNG")[:-200], image(300, 300, "JPEG")[:900], image(300, 300, "GIF", frames=3)[:-300],
    image(300, 300, "WEBP")[:60], video()[:4000], b"\x89PNG\r\n\x1a\n" + b"x" * 50, b"GIF89a" + b"\0" * 40,
], ids=["png", "jpeg", "gif", "webp", "mp4", "no png", "no gif"])  # fmt: skip
def test_a_broken_file_is_refused(tmp_path, content):
    assert refusal(tmp_path, content) == "media.broken"


@pytest.mark.parametrize("content", [
    b"", b"MZ", b"%PDF-1.7 and more of it", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<html><body>Sign in</body></html>",
    b"BM" + bytes(60), b"II*\0" + bytes(60), b"\x1a\x45\xdf\xa3" + bytes(100),
], ids=["empty", "exe", "pdf", "svg", "html", "bmp", "tiff", "matroska"])  # fmt: skip
def test_what_is_neither_image_nor_video_is_refused(tmp_path, content):
    assert refusal(tmp_path, content) == "media.unknown_type"


def test_a_video_without_length_is_refused(tmp_path):
    assert refusal(tmp_path, video(seconds=0)) == "media.no_duration"


@settings(max_examples=150, deadline=None)
@given(at=st.integers(0, 10_000), junk=st.binary(min_size=1, max_size=40), which=st.integers(0, 4))
def test_damage_is_measured_or_refused_and_never_anything_else(tmp_path_factory, at, junk, which):
    whole = [
        image(80, 60, "PNG"), image(80, 60, "JPEG"), image(40, 30, "GIF", frames=2), image(80, 60, "WEBP"), video(size=400),
    ][which]  # fmt: skip
    at %= len(whole)
    path = tmp_path_factory.mktemp("damaged") / "x"
    path.write_bytes(whole[:at] + junk + whole[at + len(junk) :])
    try:
        found = measure(path, most_pixels=PIXELS)
    except Unfit as refused:
        assert refused.code.startswith("media.")
    else:
        assert (
            found.width > 0 and found.height > 0 and found.width * found.height <= PIXELS
        ) or found.is_video


@given(st.binary(max_size=32))
def test_the_first_bytes_say_image_video_or_nothing(head):
    assert kind_of(head) in ("image", "video", "")
