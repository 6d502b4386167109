"""Pictures: told by their content, bounded before decoding, made anew without what they carried."""

import struct
import zlib
from contextlib import suppress
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dispatch.errors import Invalid
from dispatch.rules.access.images import LONGEST_SIDE, MOST_BYTES, clean_image

PLACE = b"119.92E 28.45N"


def picture(kind: str = "JPEG", size: tuple[int, int] = (60, 40), mode: str = "RGB", **options: object) -> bytes:
    target = BytesIO()
    Image.new(mode, size, "red").save(target, format=kind, **options)
    return target.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A small file that says it is a huge picture."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    packed = zlib.compress(b"")
    data = b"IDAT" + packed
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + chunk
        + struct.pack(">I", zlib.crc32(chunk))
        + struct.pack(">I", len(packed))
        + data
        + struct.pack(">I", zlib.crc32(data))
    )


def refused(data: bytes, purpose: str = "photo") -> Invalid:
    with pytest.raises(Invalid) as caught:
        clean_image(data, purpose)
    return caught.value


@pytest.mark.parametrize(("kind", "media_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")])
def test_the_three_formats_are_kept(kind: str, media_type: str) -> None:
    cleaned = clean_image(picture(kind), "photo")
    assert (cleaned.media_type, cleaned.width, cleaned.height) == (media_type, 60, 40)
    with Image.open(BytesIO(cleaned.content)) as again:
        assert again.format == kind


def test_metadata_is_left_behind_and_the_picture_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = PLACE.decode()
    sent = picture("JPEG", exif=exif, comment=PLACE)
    assert PLACE in sent
    cleaned = clean_image(sent, "photo")
    assert PLACE not in cleaned.content
    assert (cleaned.width, cleaned.height) == (40, 60)
    with Image.open(BytesIO(cleaned.content)) as again:
        assert not again.getexif()


def test_a_large_photo_is_made_smaller() -> None:
    cleaned = clean_image(picture(size=(4000, 3000)), "photo")
    assert max(cleaned.width, cleaned.height) == LONGEST_SIDE


def test_transparent_becomes_white() -> None:
    target = BytesIO()
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(target, format="PNG")
    with Image.open(BytesIO(clean_image(target.getvalue(), "signature").content)) as again:
        assert again.getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no picture at all",
        b"\xff\xd8\xff\xe0",
        b"GIF89a" + bytes(40),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    ],
)
def test_what_is_no_picture_is_refused_by_field(data: bytes) -> None:
    assert refused(data).field == "photos"


def test_other_formats_are_refused_whatever_they_are_called() -> None:
    for kind in ("GIF", "BMP", "TIFF"):
        assert refused(picture(kind)).field == "photos"


@pytest.mark.parametrize("size", [(40_001, 1_000), (9_000, 9_000), (65_000, 65_000), (2_147_483_647, 1)])
def test_a_huge_picture_is_refused_by_its_header_before_anything_is_decoded(size: tuple[int, int]) -> None:
    assert refused(png_header(*size)).field == "photos"


def test_too_many_bytes_are_refused_unread() -> None:
    assert refused(bytes(MOST_BYTES + 1)).facts["most"] == 10_240


def test_a_picture_cut_short_is_refused() -> None:
    whole = picture(size=(400, 400))
    assert refused(whole[: len(whole) // 2]).field == "photos"


def test_a_signature_is_a_small_png() -> None:
    assert clean_image(picture("PNG", (300, 150)), "signature").media_type == "image/png"
    assert refused(picture("JPEG"), "signature").field == "signature"
    assert refused(picture("PNG", (3000, 1000)), "signature").field == "signature"


@settings(max_examples=60)
@given(st.data())
def test_a_damaged_picture_is_cleaned_or_refused_and_nothing_else(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["JPEG", "PNG", "WEBP"]))
    damaged = bytearray(picture(kind))
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with suppress(Invalid):
        assert clean_image(bytes(damaged), "photo").media_type == f"image/{kind.lower()}"
