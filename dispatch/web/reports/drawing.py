"""A drawing of rectangles, lines and words that becomes an SVG or a PNG: no script, no style, no outside font."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from markupsafe import escape
from PIL import Image, ImageDraw, ImageFont
from pylopdf_fonts_zh_cn import sans_path

INK = "#1d2427"
SOFT = "#4c585d"
LINE = "#cfd5d7"
PAPER = "#ffffff"
ACCENT = "#1c5d6b"
SIGNALS = ("#1c5d6b", "#7a4b00", "#1f5f36", "#9b0f3c")
FACES = "PingFang SC, Microsoft YaHei, Noto Sans CJK SC, WenQuanYi Micro Hei, sans-serif"
SHARPER = 2
ANCHORS = {"start": "la", "middle": "ma", "end": "ra"}
ASCENT = 0.86
"""Where the base line of a line of text lies, in sizes from its top."""


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    fill: str


@dataclass(frozen=True, slots=True)
class Path:
    """A line through points; dashes as lengths on and off."""

    points: Sequence[tuple[float, float]]
    stroke: str = LINE
    width: float = 1
    dashes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """A line of text; `y` is its base line."""

    x: float
    y: float
    text: str
    size: float = 13
    anchor: str = "start"
    fill: str = INK


Shape = Rectangle | Path | Words


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture with its name for whoever cannot see it."""

    width: int
    height: int
    title: str
    shapes: Sequence[Shape]


def svg_of(drawing: Drawing) -> str:
    """The picture as SVG: attributes only, so that a strict policy lets it through."""
    body = "".join(svg_shape(shape) for shape in drawing.shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {drawing.width} {drawing.height}" '
        f'width="{drawing.width}" height="{drawing.height}" role="img" font-family="{FACES}">'
        f"<title>{escape(drawing.title)}</title>"
        f'<rect width="{drawing.width}" height="{drawing.height}" fill="{PAPER}"/>{body}</svg>'
    )


def svg_shape(shape: Shape) -> str:
    """One shape as SVG."""
    if isinstance(shape, Rectangle):
        return (
            f'<rect x="{shape.x:.1f}" y="{shape.y:.1f}" width="{shape.width:.1f}" height="{shape.height:.1f}" '
            f'fill="{shape.fill}"/>'
        )
    if isinstance(shape, Path):
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape.points)
        dashes = f' stroke-dasharray="{" ".join(map(str, shape.dashes))}"' if shape.dashes else ""
        return f'<polyline points="{points}" fill="none" stroke="{shape.stroke}" stroke-width="{shape.width}"{dashes}/>'
    return (
        f'<text x="{shape.x:.1f}" y="{shape.y:.1f}" font-size="{shape.size}" text-anchor="{shape.anchor}" '
        f'fill="{shape.fill}">{escape(shape.text)}</text>'
    )


def png_of(drawing: Drawing) -> bytes:
    """The picture as PNG, twice as fine."""
    image = Image.new("RGB", (drawing.width * SHARPER, drawing.height * SHARPER), PAPER)
    brush = ImageDraw.Draw(image)
    for shape in drawing.shapes:
        paint(brush, shape)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def paint(brush: ImageDraw.ImageDraw, shape: Shape) -> None:
    """One shape on the PNG; dashes are drawn whole."""
    if isinstance(shape, Rectangle):
        corners = (shape.x, shape.y, shape.x + shape.width, shape.y + shape.height)
        brush.rectangle([value * SHARPER for value in corners], fill=shape.fill)
    elif isinstance(shape, Path):
        points = [(x * SHARPER, y * SHARPER) for x, y in shape.points]
        brush.line(points, fill=shape.stroke, width=max(1, round(shape.width * SHARPER)))
    else:
        top = (shape.x * SHARPER, (shape.y - shape.size * ASCENT) * SHARPER)
        brush.text(top, shape.text, font=font(shape.size), fill=shape.fill, anchor=ANCHORS[shape.anchor])


@cache
def font(size: float) -> ImageFont.FreeTypeFont:
    """The font of PNGs in a size."""
    return ImageFont.truetype(str(sans_path()), round(size * SHARPER))


def shade(share: float) -> tuple[str, str]:
    """The colour of a cell of a heat grid, from paper to accent, and that of the figure in it."""
    mixed = [round(255 + (end - 255) * min(max(share, 0), 1)) for end in (0x1C, 0x5D, 0x6B)]
    return "#" + "".join(f"{one:02x}" for one in mixed), PAPER if share > 0.55 else INK  # noqa: PLR2004 - where white is read better
