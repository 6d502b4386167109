"""Pictures that people send: judged by their header, decoded within bounds, made anew without metadata.

Source: promise.md §13 (JPEG, PNG, WebP; ≤ 10 MB; ≤ 40 Mpx; 5 per order; re-encoded, metadata stripped).
"""

import struct
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageOps, UnidentifiedImageError

from dispatch.errors import Invalid

MOST_BYTES = 10 * 1024 * 1024
MOST_PIXELS = 40_000_000
MOST_PER_SUBJECT = 5
LONGEST_SIDE = 2_560
QUALITY = 85
SIGNATURE = "signature"
SCAN = "scan"
MOST_SIGNATURE_BYTES = 256 * 1024
MOST_SIGNATURE_PIXELS = 2_000_000
FIELD_OF_PURPOSE = {"photo": "photos", SIGNATURE: "signature", SCAN: "scan"}
BROKEN = (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, struct.error, IndexError)
BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)

Image.MAX_IMAGE_PIXELS = MOST_PIXELS


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture made anew: bytes of `media_type`, at most 2,560 pixels a side."""

    media_type: str
    width: int
    height: int
    content: bytes


def clean_image(data: bytes, purpose: str) -> Picture:
    """Decode and make a picture anew; raises Invalid naming the field of the purpose (photos, signature, scan).

    The format is told by the content, never by a name; the size is read from the header before anything is
    decoded. Photos keep their format and are turned upright; a signature is a PNG of black on white.
    """
    field = FIELD_OF_PURPOSE.get(purpose, "file")
    is_signature = purpose == SIGNATURE
    check_size(data, field, MOST_SIGNATURE_BYTES if is_signature else MOST_BYTES)
    formats = ("PNG",) if is_signature else ("JPEG", "PNG", "WEBP")
    try:
        with Image.open(BytesIO(data), formats=formats) as image:
            check_pixels(image, field, MOST_SIGNATURE_PIXELS if is_signature else MOST_PIXELS)
            kind = image.format or formats[0]
            return encoded(upright(image), kind)
    except BOMBS as error:
        raise Invalid(field, "图片尺寸太大，请压缩到 4000 万像素以内") from error
    except BROKEN as error:
        raise Invalid(field, unreadable(formats)) from error


def check_size(data: bytes, field: str, most: int) -> None:
    """Refuse nothing at all and too many bytes."""
    if not data:
        raise Invalid(field, "图片是空的，请重新拍摄")
    if len(data) > most:
        raise Invalid(field, "图片太大，不能超过 %(most)s kB", most=most // 1024)


def check_pixels(image: Image.Image, field: str, most: int) -> None:
    """Refuse by the header alone what would take too much to decode."""
    width, height = image.size
    if width < 1 or height < 1 or width * height > most:
        raise Invalid(field, "图片尺寸太大，请压缩到 %(most)s 万像素以内", most=most // 10_000)


def upright(image: Image.Image) -> Image.Image:
    """Decoded, at most 2,560 pixels a side, turned as it was held, on white where it was transparent."""
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    turned = ImageOps.exif_transpose(image)
    if turned.mode in {"RGBA", "LA", "PA"} or "transparency" in turned.info:
        layered = turned.convert("RGBA")
        white = Image.new("RGBA", layered.size, "white")
        turned = Image.alpha_composite(white, layered)
    plain = turned.convert("RGB")
    plain.info.clear()
    return plain


def encoded(image: Image.Image, kind: str) -> Picture:
    """Written anew, without what the sender's file carried beside its pixels."""
    target = BytesIO()
    image.save(target, format=kind, quality=QUALITY)
    return Picture(f"image/{kind.lower()}", image.width, image.height, target.getvalue())


def unreadable(formats: tuple[str, ...]) -> str:
    """What to send instead."""
    return "无法读取图片，请使用 PNG 格式" if formats == ("PNG",) else "无法读取图片，请使用 JPEG、PNG 或 WebP 格式"
