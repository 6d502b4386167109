"""The register of residents of the demo: households in their rooms, and who lives in them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from dispatch.demo.grid import Grid
from dispatch.demo.identifiers import Phones, ResidentIds, Sex
from dispatch.demo.names import given_name, surname

# Kinds of household and how many of each: 1,500 households, 4,010 residents.
HOUSEHOLDS = {
    "elder_alone": 150,
    "elder_couple": 70,
    "single": 200,
    "couple": 250,
    "one_child": 450,
    "two_children": 230,
    "three_generations": 150,
}
ELDER_AGE = 70
ADULT_AGE = 18
PHONE_AGE = 12
PARTY_MEMBERS_OF_ADULTS = 0.09
RETIRED_AGE = {"male": 60, "female": 55}
WITHOUT_PHONE = {"elder": 0.08, "adult": 0.02, "child": 0.55}


@dataclass(frozen=True, slots=True)
class Household:
    """A 户: the people of one room. `kind` is a key of HOUSEHOLDS; `since` is when they moved in."""

    code: str
    stairwell_code: str
    room: str
    kind: str
    since: date


@dataclass(frozen=True, slots=True)
class Resident:
    """A resident. `relation` is to the head of the household; `phone` is None for those without one.

    `lives_alone` marks empty-nest elders over 70 who live alone.
    """

    code: str
    household_code: str
    name: str
    sex: Sex
    birth_date: date
    id_number: str
    phone: str | None
    relation: str
    party_member: bool
    retired: bool
    lives_alone: bool


@dataclass(frozen=True, slots=True)
class Register:
    """Households and residents in the order of their codes."""

    households: tuple[Household, ...]
    residents: tuple[Resident, ...]


@dataclass(frozen=True, slots=True)
class _Member:
    relation: str
    sex: Sex
    age: int
    surname: str


class _Writer:
    """Gives members their birth dates, numbers and phones."""

    def __init__(self, random: Random, today: date) -> None:
        self.random = random
        self.today = today
        self.ids = ResidentIds()
        self.phones = Phones(random, "resident")

    def resident(self, code: str, household: Household, member: _Member) -> Resident:
        random = self.random
        birth = birth_date(random, self.today, member.age)
        group = "elder" if member.age > ELDER_AGE else "adult" if member.age >= ADULT_AGE else "child"
        silent = member.age < PHONE_AGE or random.random() < WITHOUT_PHONE[group]
        adult = member.age >= ADULT_AGE
        return Resident(
            code=code,
            household_code=household.code,
            name=member.surname + given_name(random, member.sex, birth.year),
            sex=member.sex,
            birth_date=birth,
            id_number=self.ids.next(birth, member.sex),
            phone=None if silent else self.phones.next(),
            relation=member.relation,
            party_member=adult and random.random() < PARTY_MEMBERS_OF_ADULTS,
            retired=member.age >= RETIRED_AGE[member.sex],
            lives_alone=household.kind == "elder_alone",
        )


def make_register(random: Random, grid: Grid, today: date) -> Register:
    """Households in distinct rooms, at least one on each stairwell, and their residents as of `today`."""
    writer = _Writer(random, today)
    households: list[Household] = []
    residents: list[Resident] = []
    kinds = [kind for kind, count in HOUSEHOLDS.items() for _ in range(count)]
    random.shuffle(kinds)
    for kind, (stairwell_code, room) in zip(kinds, _rooms(random, grid, len(kinds)), strict=True):
        since = today - timedelta(days=random.randint(90, 9_000))
        household = Household(f"H{len(households) + 1:04}", stairwell_code, room, kind, since)
        households.append(household)
        for member in _members(random, kind):
            residents.append(writer.resident(f"R{len(residents) + 1:04}", household, member))
    return Register(tuple(households), tuple(residents))


def birth_date(random: Random, today: date, age: int) -> date:
    """A date on which somebody of this age today was born."""
    latest = _years_before(today, age)
    earliest = _years_before(today, age + 1) + timedelta(days=1)
    return earliest + timedelta(days=random.randint(0, (latest - earliest).days))


def _years_before(day: date, years: int) -> date:
    last = 28 if (day.month, day.day) == (2, 29) else day.day
    return date(day.year - years, day.month, last)


def _rooms(random: Random, grid: Grid, count: int) -> list[tuple[str, str]]:
    firsts: list[tuple[str, str]] = []
    rest: list[tuple[str, str]] = []
    for stairwell in grid.stairwells:
        rooms = list(stairwell.rooms)
        random.shuffle(rooms)
        firsts.append((stairwell.code, rooms[0]))
        rest.extend((stairwell.code, room) for room in rooms[1:])
    return sorted(firsts + random.sample(rest, count - len(firsts)))


def _members(random: Random, kind: str) -> Iterator[_Member]:
    name = surname(random)
    if kind in ("elder_alone", "single"):
        age = random.randint(71, 93) if kind == "elder_alone" else random.randint(22, 62)
        yield _Member("户主", random.choice(("male", "female")), age, name)
        return
    if kind == "elder_couple":
        yield from _couple(random, name, random.randint(72, 90))
        return
    age = random.randint(25, 66) if kind == "couple" else random.randint(29, 52)
    yield from _couple(random, name, age)
    if kind != "couple":
        yield from _children(random, name, age, 2 if kind == "two_children" else 1)
    if kind == "three_generations":
        older = age + random.randint(23, 32)
        yield _Member("父亲", "male", older, name)
        yield _Member("母亲", "female", older - random.randint(0, 4), surname(random))


def _couple(random: Random, name: str, age: int) -> Iterator[_Member]:
    yield _Member("户主", "male", age, name)
    yield _Member("配偶", "female", max(age - random.randint(-2, 5), 20), surname(random))


def _children(random: Random, name: str, age: int, count: int) -> Iterator[_Member]:
    eldest = max(age - random.randint(24, 33), 0)
    for place in range(count):
        own = max(eldest - 3 * place, 0)
        if random.choice((True, False)):
            yield _Member("儿子", "male", own, name)
        else:
            yield _Member("女儿", "female", own, name)
