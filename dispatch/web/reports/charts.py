"""Bars with a line, lines of rates, bars by group, and heat grids, as drawings."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from dispatch.web.reports.drawing import ACCENT, INK, SIGNALS, SOFT, Drawing, Path, Rectangle, Shape, Words, shade

WIDTH = 960
NARROW = 340
HEIGHT = 300
LEFT = 48
RIGHT = 16
TOP = 40
BOTTOM = 34
MOST_LABELS = 12
DASHES: tuple[tuple[int, ...], ...] = ((), (8, 4), (2, 4), (12, 4, 2, 4))
BAR_HEIGHT = 26
STACKED_HEIGHT = 46
NAME_WIDTH = 200
CELL = 30
CELL_HEIGHT = 30
TILE = 66
TILES_IN_A_ROW = 13


def axis_top(most: float) -> int:
    """A round number not below the highest value: 1, 2 or 5 times a power of ten."""
    power = 1
    while power * 10 < most:
        power *= 10
    return next((step * power for step in (1, 2, 5, 10) if step * power >= most), 1)


def frame(top: float, unit: str) -> Iterator[Shape]:
    """Horizontal lines with their numbers."""
    for quarter in range(5):
        y = TOP + (HEIGHT - TOP - BOTTOM) * (1 - quarter / 4)
        yield Path([(LEFT, y), (WIDTH - RIGHT, y)])
        yield Words(LEFT - 6, y + 4, f"{top * quarter / 4:g}{unit}", 12, "end", SOFT)


def height_of(value: float, top: float) -> float:
    """Where a value lies."""
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top)


def centre_of(index: int, count: int) -> float:
    """Where a step lies."""
    return LEFT + (WIDTH - LEFT - RIGHT) * (index + 0.5) / count


def labels(words: Sequence[str]) -> Iterator[Shape]:
    """The names of the steps, as many as can be read."""
    every = -(-len(words) // MOST_LABELS)
    for index in range(0, len(words), every):
        yield Words(centre_of(index, len(words)), HEIGHT - BOTTOM + 18, words[index], 12, "middle", SOFT)


def legend(names: Sequence[str]) -> Iterator[Shape]:
    """What the lines are: each has its own dashes beside its colour."""
    for number, name in enumerate(names):
        x = LEFT + number * 150
        yield Path([(x, 20), (x + 28, 20)], SIGNALS[number], 3, DASHES[number])
        yield Words(x + 34, 24, name)


def bars_and_line(
    title: str, steps: Sequence[str], bars: Sequence[int], line: Sequence[int], names: tuple[str, str]
) -> Drawing:
    """A bar and a point of a line for each step."""
    top = axis_top(max([*bars, *line, 1]))
    shapes: list[Shape] = list(frame(top, ""))
    width = min(40.0, (WIDTH - LEFT - RIGHT) / max(len(steps), 1) * 0.7)
    for index, value in enumerate(bars):
        y = height_of(value, top)
        shapes.append(Rectangle(centre_of(index, len(bars)) - width / 2, y, width, HEIGHT - BOTTOM - y, "#a9c9cf"))
    points = [(centre_of(index, len(line)), height_of(value, top)) for index, value in enumerate(line)]
    shapes += [Path(points, ACCENT, 2.5), *dots(points, ACCENT), *labels(steps)]
    shapes += [Rectangle(LEFT, 12, 14, 14, "#a9c9cf"), Words(LEFT + 20, 24, names[0])]
    shapes += [Path([(LEFT + 130, 20), (LEFT + 158, 20)], ACCENT, 3), Words(LEFT + 164, 24, names[1])]
    return Drawing(WIDTH, HEIGHT, title, shapes)


def dots(points: Sequence[tuple[float, float]], colour: str) -> Iterator[Shape]:
    """A mark on each point."""
    return (Rectangle(x - 3, y - 3, 6, 6, colour) for x, y in points)


def lines(title: str, steps: Sequence[str], series: Sequence[tuple[str, Sequence[Decimal | None]]]) -> Drawing:
    """Rates in per cent over the steps; a step without data breaks the line."""
    shapes: list[Shape] = [*frame(100, "%"), *labels(steps), *legend([name for name, _ in series])]
    for number, (_, values) in enumerate(series):
        run: list[tuple[float, float]] = []
        for index, value in enumerate([*values, None]):
            if value is not None:
                run.append((centre_of(index, len(values)), height_of(float(value), 100)))
                continue
            if len(run) > 1:
                shapes.append(Path(run, SIGNALS[number], 2.5, DASHES[number]))
            shapes += dots(run, SIGNALS[number])
            run = []
    return Drawing(WIDTH, HEIGHT, title, shapes)


def group_bars(title: str, rows: Sequence[tuple[str, int, str]]) -> Drawing:
    """A bar for each group with its number and a word behind it."""
    most = max([count for _, count, _ in rows] or [1]) or 1
    room = WIDTH - NAME_WIDTH - 220
    shapes: list[Shape] = []
    for index, (name, count, word) in enumerate(rows):
        y = TOP / 2 + index * BAR_HEIGHT
        shapes.append(Words(NAME_WIDTH - 8, y + 15, name[:14], 13, "end"))
        shapes.append(Rectangle(NAME_WIDTH, y, room * count / most, BAR_HEIGHT - 8, ACCENT))
        shapes.append(Words(NAME_WIDTH + room * count / most + 8, y + 15, f"{count}  {word}", 13, "start", INK))
    return Drawing(WIDTH, round(TOP + len(rows) * BAR_HEIGHT), title, shapes)


def stacked_bars(title: str, rows: Sequence[tuple[str, int, str]]) -> Drawing:
    """A bar under the name and the amount in words of each group, narrow enough for a phone."""
    most = max([amount for _, amount, _ in rows] or [1]) or 1
    shapes: list[Shape] = []
    for index, (name, amount, word) in enumerate(rows):
        y = index * STACKED_HEIGHT
        shapes.append(Words(0, y + 16, name, 15))
        shapes.append(Words(NARROW, y + 16, word, 15, "end"))
        shapes.append(Rectangle(0, y + 23, NARROW * amount / most, 12, ACCENT))
    return Drawing(NARROW, max(len(rows), 1) * STACKED_HEIGHT, title, shapes)


def grid(title: str, columns: Sequence[str], rows: Sequence[tuple[str, Sequence[int]]]) -> Drawing:
    """A heat grid: a row for each name, a cell for each column, the number in the cell."""
    most = max([value for _, values in rows for value in values] or [0]) or 1
    width = min(44.0, (WIDTH - 110) / max(len(columns), 1))
    every = -(-len(columns) // (24 if width >= CELL else MOST_LABELS))
    shapes: list[Shape] = [
        Words(104 + index * width + width / 2, 18, columns[index], 11, "middle", SOFT)
        for index in range(0, len(columns), every)
    ]
    for number, (name, values) in enumerate(rows):
        y = 26 + number * CELL_HEIGHT
        shapes.append(Words(98, y + 19, name[:7], 13, "end"))
        for index, value in enumerate(values):
            fill, ink = shade(value / most)
            shapes.append(Rectangle(104 + index * width, y, width - 2, CELL_HEIGHT - 2, fill if value else "#f4f5f5"))
            if value:
                shapes.append(Words(103 + index * width + width / 2, y + 18, str(value), 11, "middle", ink))
    return Drawing(WIDTH, 36 + len(rows) * CELL_HEIGHT, title, shapes)


def tiles(title: str, blocks: Sequence[tuple[str, Sequence[tuple[str, int]]]]) -> Drawing:
    """Named blocks of tiles (an area with its buildings): a short name and a number in each, shaded by the number."""
    most = max([value for _, block in blocks for _, value in block] or [0]) or 1
    shapes: list[Shape] = []
    y = 8
    for name, block in blocks:
        shapes.append(Words(8, y + 15, name, 13))
        y += 24
        for index, (short, value) in enumerate(block):
            row, column = divmod(index, TILES_IN_A_ROW)
            x, top = 8 + column * (TILE + 4), y + row * 38
            fill, ink = shade(value / most)
            shapes.append(Rectangle(x, top, TILE, 34, fill if value else "#eceff0"))
            shapes.append(Words(x + TILE / 2, top + 14, short, 11, "middle", ink if value else SOFT))
            shapes.append(Words(x + TILE / 2, top + 28, str(value), 12, "middle", ink if value else SOFT))
        y += -(-len(block) // TILES_IN_A_ROW) * 38 + 8
    return Drawing(WIDTH, max(y, 40), title, shapes)
