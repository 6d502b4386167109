"""The demo grid: 5 areas, 132 buildings, 610 stairwells, with addresses, coordinates and nicknames."""

from dataclasses import dataclass
from random import Random

from dispatch.demo.streets import QUARTERS, Estate, Quarter

STAIRWELLS = 610
MOST_UNITS = 8
TALLEST_WITHOUT_LIFT = 7
METRES_PER_DEGREE_LATITUDE = 111_000
METRES_PER_DEGREE_LONGITUDE = 97_600  # at 28.455° north
ROW_METRES = 32
COLUMN_METRES = 62
ESTATE_METRES = 20
COLUMNS = 5
LETTERS = "ABCDEFGHJKLMN"


@dataclass(frozen=True, slots=True)
class Area:
    """A 片区: `outline` is its rectangle of (latitude, longitude), `principles` the reasons of its cut."""

    code: str
    number: int
    name: str
    latitude: float
    longitude: float
    outline: tuple[tuple[float, float], ...]
    principles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Building:
    """A 楼幢: `address` is road, road_number, estate and number, as in 大洋路128号后庆小区3幢.

    A house of its own has an empty estate, and its road number is its number. Coordinates are WGS84 degrees.
    `nicknames` are what neighbours call it.
    """

    code: str
    area_code: str
    estate: str
    road: str
    road_number: str
    number: str
    address: str
    latitude: float
    longitude: float
    floors: int
    dwellings_per_floor: int
    nicknames: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stairwell:
    """A 楼道: one entrance of a building. `rooms` are its doors (101, 102, 201 …)."""

    code: str
    building_code: str
    number: str
    address: str
    rooms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """Areas, buildings and stairwells, each in the order of their codes."""

    areas: tuple[Area, ...]
    buildings: tuple[Building, ...]
    stairwells: tuple[Stairwell, ...]


def make_grid(random: Random) -> Grid:
    """The whole grid; the numbers of units per building are drawn, their sum is exact."""
    areas: list[Area] = []
    buildings: list[Building] = []
    for index, quarter in enumerate(QUARTERS, start=1):
        own = _buildings_of(random, f"A{index}", quarter, first=len(buildings) + 1)
        buildings.extend(own)
        areas.append(_area(index, quarter, own))
    counts = _units_per_building(random, buildings)
    stairwells = [
        _stairwell(building, unit)
        for building, count in zip(buildings, counts, strict=True)
        for unit in range(1, count + 1)
    ]
    return Grid(tuple(areas), tuple(buildings), tuple(stairwells))


def _area(number: int, quarter: Quarter, buildings: list[Building]) -> Area:
    south = round(min(one.latitude for one in buildings) - 0.0002, 6)
    north = round(max(one.latitude for one in buildings) + 0.0002, 6)
    west = round(min(one.longitude for one in buildings) - 0.0003, 6)
    east = round(max(one.longitude for one in buildings) + 0.0003, 6)
    outline = ((south, west), (south, east), (north, east), (north, west))
    principles = ("地缘相近", "人文相联", "居住相邻", "便于管理")
    return Area(f"A{number}", number, quarter.name, quarter.latitude, quarter.longitude, outline, principles)


def _buildings_of(random: Random, area_code: str, quarter: Quarter, first: int) -> list[Building]:
    buildings: list[Building] = []
    north_metres = 140.0
    for estate in quarter.estates:
        for place in range(estate.buildings):
            row, column = divmod(place, COLUMNS)
            metres = (north_metres - row * ROW_METRES, (column - (COLUMNS - 1) / 2) * COLUMN_METRES)
            point = _point(random, quarter, metres)
            code = f"B{first + len(buildings):03}"
            floors = random.randint(*estate.floors)
            buildings.append(_building(code, area_code, estate, place, point=point, floors=floors))
        north_metres -= -(-estate.buildings // COLUMNS) * ROW_METRES + ESTATE_METRES
    return buildings


def _point(random: Random, quarter: Quarter, metres: tuple[float, float]) -> tuple[float, float]:
    north, east = metres
    latitude = quarter.latitude + (north + random.uniform(-4, 4)) / METRES_PER_DEGREE_LATITUDE
    longitude = quarter.longitude + (east + random.uniform(-6, 6)) / METRES_PER_DEGREE_LONGITUDE
    return round(latitude, 6), round(longitude, 6)


def _building(
    code: str, area_code: str, estate: Estate, place: int, *, point: tuple[float, float], floors: int
) -> Building:
    road_number = str(estate.first_number if estate.name else estate.first_number + 2 * place)
    number = road_number
    if estate.name:
        number = LETTERS[place] if estate.lettered else str(place + 1)
    inside = f"{estate.name}{number}幢" if estate.name else ""
    return Building(
        code=code,
        area_code=area_code,
        estate=estate.name,
        road=estate.road,
        road_number=road_number,
        number=number,
        address=f"{estate.road}{road_number}号{inside}",
        latitude=point[0],
        longitude=point[1],
        floors=floors,
        dwellings_per_floor=estate.dwellings_per_floor,
        nicknames=tuple(name for at, name in estate.nicknames if at == place),
    )


def _units_per_building(random: Random, buildings: list[Building]) -> list[int]:
    """Units of each building: fewer in towers and houses of their own, and 610 in all."""
    most = [2 if one.floors > TALLEST_WITHOUT_LIFT else 4 if not one.estate else MOST_UNITS for one in buildings]
    counts = [random.randint((limit + 1) // 2, limit) for limit in most]
    while sum(counts) != STAIRWELLS:
        step = 1 if sum(counts) < STAIRWELLS else -1
        at = random.randrange(len(counts))
        if 1 <= counts[at] + step <= most[at]:
            counts[at] += step
    return counts


def _stairwell(building: Building, unit: int) -> Stairwell:
    rooms = tuple(
        f"{floor}{door:02}"
        for floor in range(1, building.floors + 1)
        for door in range(1, building.dwellings_per_floor + 1)
    )
    return Stairwell(
        code=f"{building.code}-{unit}",
        building_code=building.code,
        number=str(unit),
        address=f"{building.address}{unit}单元",
        rooms=rooms,
    )
