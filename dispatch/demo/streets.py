"""Estates, roads and nicknames that the demo grid is built from: the shape of the place, as data."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Estate:
    """Buildings that share one gate number, or (name empty) a row of houses with numbers of their own.

    `lettered` buildings are A幢, B幢 …; others 1幢, 2幢 …. A row of houses counts its numbers up in twos
    from `first_number`. `nicknames` is by the place of the building in the estate, counted from 0.
    """

    name: str
    road: str
    first_number: int
    buildings: int
    floors: tuple[int, int]
    dwellings_per_floor: int
    lettered: bool
    nicknames: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Quarter:
    """One area (片区) before it has codes: its middle in WGS84 degrees and its estates."""

    name: str
    latitude: float
    longitude: float
    estates: tuple[Estate, ...]


def _estate(
    name: str,
    road: str,
    number: int,
    buildings: int,
    nicknames: dict[int, str],
    *,
    floors: tuple[int, int] = (6, 7),
    dwellings: int = 2,
    lettered: bool = False,
) -> Estate:
    return Estate(name, road, number, buildings, floors, dwellings, lettered, tuple(nicknames.items()))


QUARTERS = (
    Quarter(
        "后庆片区",
        28.4590,
        119.9120,
        (
            _estate("后庆小区", "大洋路", 128, 17, {0: "红楼", 6: "老供销社"}),
            _estate("后庆家园", "大洋路", 160, 6, {2: "水塔边"}, floors=(11, 18), dwellings=4, lettered=True),
            _estate("", "大洋路", 101, 4, {1: "老粮站"}, floors=(4, 5)),
        ),
    ),
    Quarter(
        "大洋片区",
        28.4590,
        119.9180,
        (
            _estate("大洋新村", "大洋路", 266, 14, {3: "幼儿园后面", 9: "黄楼"}),
            _estate("大洋公寓", "大洋路", 298, 6, {0: "双子楼"}, floors=(11, 18), dwellings=4, lettered=True),
            _estate("", "丽阳街", 402, 6, {2: "邮电局宿舍"}, floors=(5, 6)),
        ),
    ),
    Quarter(
        "城中片区",
        28.4548,
        119.9150,
        (
            _estate("城中苑", "中山街", 315, 12, {4: "菜场楼上"}),
            _estate("供销社宿舍", "解放街", 186, 4, {1: "供销大楼"}, floors=(5, 6)),
            _estate("", "解放街", 201, 10, {0: "老百货", 5: "钟楼旁"}, floors=(4, 6)),
        ),
    ),
    Quarter(
        "丽青片区",
        28.4505,
        119.9120,
        (
            _estate("丽青小区", "丽青路", 88, 15, {7: "白楼", 11: "锅炉房边"}),
            _estate("电影公司宿舍", "灯塔街", 57, 3, {0: "电影院后面"}, floors=(5, 6)),
            _estate("", "灯塔街", 61, 9, {3: "老茶厂"}, floors=(4, 6)),
        ),
    ),
    Quarter(
        "白云片区",
        28.4505,
        119.9180,
        (
            _estate("白云小区", "白云路", 45, 13, {5: "凉亭边"}),
            _estate("花园新村", "花园路", 19, 8, {2: "花鸟市场楼上"}, floors=(6, 7)),
            _estate("", "继光街", 72, 5, {4: "老车站"}, floors=(4, 5)),
        ),
    ),
)
