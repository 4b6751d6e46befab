"""What a file is, by its content: type, pixels, seconds, codec. Nothing is believed that a name or header claims.

Parsers of files that strangers made run in a process of their own (`python -m trafficking.media.probe FILE [THUMBNAIL]`, started
by measuring.py): it has little memory and time, no Django, no database, and what crashes it crashes nothing else.
"""

from __future__ import annotations

import json
import sys
import warnings
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

IMAGE_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "WEBP": "image/webp"}
#: MediaInfo's container format -> type. "MPEG-4" is split by its brand: see `_video_type`.
VIDEO_TYPES = {
    "MPEG-4": "video/mp4",
    "QuickTime": "video/quicktime",
    "WebM": "video/webm",
    "AVI": "video/x-msvideo",
}
KNOWN = ("JPEG", "PNG", "GIF", "WebP", "MP4", "MOV", "WebM", "AVI")
THUMBNAIL_PX = 320
#: EXIF orientations that exchange width and height.
_ON_ITS_SIDE = (5, 6, 7, 8)


@dataclass(frozen=True, slots=True)
class Measured:
    """`duration_s` is of videos; of an image it says that it is animated, and how long one round takes."""

    content_type: str
    width: int
    height: int
    duration_s: Decimal | None = None
    codec: str = ""

    @property
    def is_video(self) -> bool:
        return self.content_type.startswith("video/")


class Unfit(Exception):
    """The file is not what ads are made of: the code of a finding and its parameters."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code, self.params = code, params


def kind_of(head: bytes) -> str:
    """`image`, `video` or "" by the first bytes (16 are enough)."""
    if head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")):
        return "image"
    if head[:4] == b"RIFF":
        return {b"WEBP": "image", b"AVI ": "video"}.get(head[8:12], "")
    if head[:4] == b"\x1a\x45\xdf\xa3" or head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return "video"
    return ""


def measure(path: Path, *, most_pixels: int, thumbnail: Path | None = None) -> Measured:
    """Read the whole image, or a video's structure. Raises Unfit. A thumbnail is made of images only."""
    with path.open("rb") as file:
        kind = kind_of(file.read(16))
    if kind == "image":
        return _image(path, most_pixels, thumbnail)
    if kind == "video":
        return _video(path)
    raise Unfit("media.unknown_type", known=list(KNOWN))


# ------------------------------------------------------------------------------------------ images


def _image(path: Path, most_pixels: int, thumbnail: Path | None) -> Measured:
    from PIL import ExifTags, Image

    Image.MAX_IMAGE_PIXELS = None  # a header that claims too much is refused below, with its own figures
    try:
        with Image.open(path, formats=list(IMAGE_TYPES)) as image:
            _refuse_bomb(image.size, most_pixels)
            turned = image.getexif().get(ExifTags.Base.Orientation, 1) in _ON_ITS_SIDE
            seconds = _unpacked(image, most_pixels)
        if thumbnail is not None:
            _write_thumbnail(path, thumbnail)
    except (Unfit, MemoryError):
        raise
    except Exception as error:  # Pillow lets out whatever it stumbles over: OSError, SyntaxError, IndexError, struct.error, …
        raise Unfit("media.broken", problem=str(error).replace(str(path), "").strip()[:120]) from error
    width, height = reversed(image.size) if turned else image.size
    return Measured(IMAGE_TYPES[str(image.format)], width, height, seconds)


def _refuse_bomb(size: tuple[int, int], most_pixels: int) -> None:
    width, height = size
    if width * height > most_pixels:
        limit = most_pixels // 1_000_000
        raise Unfit("media.too_many_pixels", width=width, height=height, limit=limit)


def _unpacked(image: Any, most_pixels: int) -> Decimal | None:
    """Read every frame to its end; seconds of one round where there are several.

    All frames together may have as many pixels as ten largest images: a small file can hold thousands of frames.
    """
    frames = getattr(image, "n_frames", 1)
    width, height = image.size
    if frames * width * height > 10 * most_pixels:
        raise Unfit(
            "media.too_many_pixels", width=width, height=height * frames, limit=10 * most_pixels // 1_000_000
        )
    milliseconds = Decimal(0)
    for number in range(frames):
        _seek(image, number, most_pixels)
        image.load()
        milliseconds += Decimal(str(image.info.get("duration") or 0))
    return (milliseconds / 1000).quantize(Decimal("0.001")) if frames > 1 else None


def _seek(image: Any, number: int, most_pixels: int) -> None:
    """A GIF's frame may be larger than its header says, and Pillow then grows the canvas: up to 17 GB of it."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = most_pixels // 2  # Pillow warns from here on and refuses from twice as many
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image.seek(number)
    except Image.DecompressionBombError:
        _refuse_bomb(image.size, most_pixels)
        raise


def _write_thumbnail(path: Path, thumbnail: Path) -> None:
    """Made anew, so that what browsers get is ours. Transparency becomes white; the camera's rotation is applied."""
    from PIL import Image, ImageOps

    with Image.open(path, formats=list(IMAGE_TYPES)) as image:
        image.draft("RGB", (THUMBNAIL_PX, THUMBNAIL_PX))
        small = ImageOps.exif_transpose(image).convert("RGBA")
        small.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
        ground = Image.new("RGB", small.size, "white")
        ground.paste(small, mask=small.getchannel("A"))
        ground.save(thumbnail, "JPEG", quality=80)


# ------------------------------------------------------------------------------------------ videos


def _video(path: Path) -> Measured:
    from pymediainfo import MediaInfo

    read = MediaInfo.parse(str(path), parse_speed=0.5)
    tracks = {track.track_type: track for track in reversed(read.tracks)}  # the first of each type
    general, picture = tracks.get("General"), tracks.get("Video")
    content_type = _video_type(general.to_data() if general else {})
    if general is None or general.istruncated == "Yes":
        raise Unfit("media.broken", problem="it is cut off")
    if picture is None or not picture.width or not picture.height:
        raise Unfit("media.no_picture")
    milliseconds = Decimal(str(picture.duration or general.duration or 0))
    if milliseconds <= 0:
        raise Unfit("media.no_duration")
    width, height = _upright(int(picture.width), int(picture.height), picture.rotation)
    seconds = (milliseconds / 1000).quantize(Decimal("0.001"))
    return Measured(content_type, width, height, seconds, str(picture.format or "")[:20])


def _video_type(general: dict[str, Any]) -> str:
    """QuickTime and 3GP are MPEG-4 containers of another brand."""
    found = VIDEO_TYPES.get(str(general.get("format")))
    if found is None:
        raise Unfit("media.unknown_type", known=list(KNOWN))
    brand = str(general.get("codec_id") or "").strip().lower()
    if found == "video/mp4" and (brand == "qt" or general.get("format_profile") == "QuickTime"):
        return "video/quicktime"
    return "video/3gpp" if found == "video/mp4" and brand.startswith("3g") else found


def _upright(width: int, height: int, rotation: Any) -> tuple[int, int]:
    """As it is shown: phones store portrait videos lying on their side."""
    turned = round(float(rotation or 0)) % 180 == 90
    return (height, width) if turned else (width, height)


# ------------------------------------------------------------------------------ in its own process


def _limit_process() -> None:
    """Little memory, for a bomb that got past the checks; no core dumps, no big files."""
    import resource

    for what, most in (
        (resource.RLIMIT_AS, 2 * 1024**3),
        (resource.RLIMIT_CPU, 30),
        (resource.RLIMIT_FSIZE, 50 * 1024**2),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            resource.setrlimit(what, (most, most))
        except (OSError, ValueError):
            continue  # macOS knows no limit of address space; the time limit of the parent remains


def main(arguments: list[str]) -> int:
    """One JSON line: {"measured": …} or {"unfit": …}."""
    _limit_process()
    path, most_pixels, *rest = arguments
    try:
        made = measure(Path(path), most_pixels=int(most_pixels), thumbnail=Path(rest[0]) if rest else None)
        said: dict[str, Any] = {"measured": asdict(made)}
    except Unfit as unfit:
        said = {"unfit": {"code": unfit.code, "params": unfit.params}}
    sys.stdout.write(json.dumps(said, default=str) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
