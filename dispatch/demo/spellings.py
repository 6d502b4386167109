"""How callers say an address: one place in many spellings, and how far each can be understood."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from dispatch.demo.grid import Building, Grid, Stairwell
from dispatch.demo.phrases import VAGUE_PLACES

DIGITS = "零一二三四五六七八九"
FULL_WIDTH = str.maketrans("0123456789-", "".join(chr(ord(sign) + 0xFEE0) for sign in "0123456789-"))
TEN = 10
HUNDRED = 100
SLIPS = {"后庆": "后青", "大洋": "大杨", "城中": "成中", "丽青": "丽清", "白云": "白芸", "花园": "花圆"}


@dataclass(frozen=True, slots=True)
class Door:
    """A room of a stairwell of a building: where the caller truly is."""

    building: Building
    stairwell: Stairwell
    room: str


@dataclass(frozen=True, slots=True)
class SpokenPlace:
    """An address as said. `level` is how far the text alone leads: stairwell, building, area or nothing.

    The level is `caller` where the text names no estate and only the caller's own record completes it.
    """

    text: str
    style: str
    level: str


def number_in_words(number: int) -> str:
    """A whole number from 0 to 999 in Chinese: 12 is 十二, 205 is 二百零五, 110 is 一百一十."""
    if number >= HUNDRED:
        hundreds, rest = divmod(number, HUNDRED)
        tail = "" if rest == 0 else f"零{DIGITS[rest]}" if rest < TEN else _tens(rest)
        return f"{DIGITS[hundreds]}百{tail}"
    if number >= 2 * TEN:
        return _tens(number)
    if number >= TEN:
        return _tens(number)[1:]
    return DIGITS[number]


def digits_in_words(text: str) -> str:
    """Digits read one by one: 501 is 五零一."""
    return "".join(DIGITS[int(sign)] if sign.isdigit() else sign for sign in text)


def _tens(number: int) -> str:
    tens, ones = divmod(number, TEN)
    return f"{DIGITS[tens]}十{DIGITS[ones] if ones else ''}"


def _words(number: str) -> str:
    return number_in_words(int(number)) if number.isdigit() else number


def _name(door: Door) -> str:
    """The estate, or road and number of a house of its own."""
    one = door.building
    return one.estate or f"{one.road}{one.road_number}号"


def _house(door: Door, word: str = "幢") -> str:
    one = door.building
    return f"{one.estate}{one.number}{word}" if one.estate else _name(door)


def _full(door: Door) -> str:
    return f"{door.stairwell.address}{door.room}室"


def _short(door: Door) -> str:
    return f"{_house(door)}{door.stairwell.number}单元{door.room}"


def _in_words(door: Door) -> str:
    one = door.building
    unit = _words(door.stairwell.number)
    room = digits_in_words(door.room)
    if one.estate:
        return f"{one.estate}{_words(one.number)}幢{unit}单元{room}"
    return f"{one.road}{number_in_words(int(one.road_number))}号{unit}单元{room}"


def _colloquial(door: Door) -> str:
    one = door.building
    start = f"{one.estate}{_words(one.number)}号楼" if one.estate else _name(door)
    return f"{start}{_words(door.stairwell.number)}单元{door.room}"


def _dashes(door: Door) -> str:
    one = door.building
    start = f"{one.estate}{one.number}" if one.estate else _name(door)
    return f"{start}-{door.stairwell.number}-{door.room}"


def _blocks(door: Door) -> str:
    return f"{_house(door, '栋')}{door.stairwell.number}单元{door.room}室"


def _official(door: Door) -> str:
    return f"丽水市莲都区白云街道{_house(door)}{door.stairwell.number}单元{door.room}室"


def _spaced(door: Door) -> str:
    house = f"{door.building.estate} {door.building.number}幢" if door.building.estate else _name(door)
    return f"{house} {door.stairwell.number}单元 {door.room}"


def _wide(door: Door) -> str:
    return _short(door).translate(FULL_WIDTH)


def _by_road(door: Door) -> str:
    one = door.building
    inside = f"{one.number}幢" if one.estate else ""
    return f"{one.road}{one.road_number}号{inside}{door.stairwell.number}单元{door.room}"


def _floor(door: Door) -> str:
    storey = number_in_words(int(door.room[:-2]))
    return f"{_house(door)}{door.stairwell.number}单元{storey}楼"


STYLES: dict[str, Callable[[Door], str]] = {
    "full": _full,
    "short": _short,
    "in_words": _in_words,
    "colloquial": _colloquial,
    "dashes": _dashes,
    "blocks": _blocks,
    "official": _official,
    "spaced": _spaced,
    "full_width": _wide,
    "by_road": _by_road,
    "floor": _floor,
}
RARE_STYLE = 0.07
NICKNAME_STYLE = 0.5


def say(random: Random, grid: Grid, door: Door, level: str) -> SpokenPlace:
    """The door's address as somebody says it, leading as far as `level` (stairwell, building, area, nothing).

    A call for the level stairwell is sometimes without its estate: then the level of the answer is `caller`.
    """
    if level == "nothing":
        return SpokenPlace(random.choice(VAGUE_PLACES), "vague", level)
    if level == "area":
        return _say_area(random, grid, door.building.area_code)
    if level == "building":
        return _say_building(random, door)
    return _say_stairwell(random, door)


def _say_area(random: Random, grid: Grid, area_code: str) -> SpokenPlace:
    estates = sorted({one.estate for one in grid.buildings if one.area_code == area_code and one.estate})
    where = random.choice(("里面", "大门口", "篮球场那里"))
    return SpokenPlace(f"{random.choice(estates)}{where}", "estate", "area")


def _say_building(random: Random, door: Door) -> SpokenPlace:
    if door.building.nicknames:
        return SpokenPlace(random.choice(door.building.nicknames), "nickname", "building")
    return SpokenPlace(_house(door, random.choice(("幢", "栋", "号楼"))), "house", "building")


def _say_stairwell(random: Random, door: Door) -> SpokenPlace:
    one, unit, chance = door.building, door.stairwell.number, random.random()
    if one.nicknames and chance < NICKNAME_STYLE:
        return SpokenPlace(f"{one.nicknames[0]}{unit}单元{door.room}", "nickname", "stairwell")
    if one.estate and chance < RARE_STYLE:
        text = f"{_words(one.number)}号楼{_words(unit)}单元{door.room}"
        return SpokenPlace(text, "bare", "caller")
    start = one.estate[:2]
    if start in SLIPS and chance < 2 * RARE_STYLE:
        return SpokenPlace(_short(door).replace(start, SLIPS[start], 1), "slip", "stairwell")
    style = random.choice(tuple(STYLES))
    return SpokenPlace(STYLES[style](door), style, "stairwell")
