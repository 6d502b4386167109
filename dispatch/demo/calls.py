"""A day of calls as people make them, with the truth beside each: what it is, and where."""

from dataclasses import dataclass, replace
from random import Random

from config.seed import ServiceKind
from dispatch.demo.community import Community
from dispatch.demo.identifiers import Phones
from dispatch.demo.names import staff_name
from dispatch.demo.people import Resident
from dispatch.demo.phrases import OPENERS, PHRASES, TAILS
from dispatch.demo.spellings import Door, say

MINUTES_OF_DAY = 1_440
# Calls by the hour of the day: a peak in the morning, a second after the midday rest, few at night.
HOURLY = (2, 1, 1, 1, 1, 3, 8, 20, 48, 52, 46, 36, 20, 18, 36, 40, 36, 32, 26, 20, 16, 10, 6, 3)
WORKING_MINUTES = ((510, 720), (840, 1_050))
# How far the address text of a call leads, by share; what is left says its stairwell.
LEVELS = {"nothing": 0.05, "area": 0.04, "building": 0.12}
DUPLICATES = 0.06
LONGEST_ECHO_MINUTES = 150
STRANGERS = 0.12
WITHHELD = 0.04
BOOKED_HOURS_AHEAD = (2, 72)
YOUNGEST_CALLER = 16


@dataclass(frozen=True, slots=True)
class DraftCall:
    """A call before anybody has answered it.

    `minute` counts from the midnight on which the day begins, in the community's time. What the operator
    types is `address_text`, `description`, `answers` (question code, value's key). `caller_phone` is None
    where withheld. The truth, for measuring: `kind_code`, `stairwell_code`, `area_code`; `place_level` is how
    far the address text leads (stairwell, building, area, nothing, or `caller`: only with the caller's
    record). `duplicate_of` is the number of an earlier call about the same trouble.
    """

    number: int
    minute: int
    caller_name: str
    caller_phone: str | None
    resident_code: str | None
    address_text: str
    address_style: str
    place_level: str
    description: str
    answers: tuple[tuple[str, str], ...]
    wanted_in_hours: int | None
    kind_code: str
    stairwell_code: str
    area_code: str
    duplicate_of: int | None
    is_emergency: bool
    is_outside_hours: bool


def draft_calls(random: Random, count: int, community: Community) -> tuple[DraftCall, ...]:
    """`count` calls of one day in the order of their minutes, numbered from 1.

    From five calls on there is at least one of each: an address that cannot be found, a duplicate, an
    emergency, a call outside working hours. Same random state and community → the same calls. Raises
    ValueError below 0.
    """
    if count < 0:
        raise ValueError("a day cannot have fewer than no calls")
    caller = Caller(random, community)
    duplicates = _share(DUPLICATES, count)
    levels = [level for level, share in LEVELS.items() for _ in range(_share(share, count))]
    originals = max(count - duplicates, 0)
    levels = (levels + ["stairwell"] * originals)[:originals]
    calls = [caller.call(level) for level in levels]
    calls = _with_an_emergency_and_a_late_call(caller, calls)
    known = [place for place, call in enumerate(calls) if call.place_level in {"stairwell", "caller"}]
    # An echo points at its original by its place in the list until the numbers are given.
    echoes = [random.choice(known) for _ in range(duplicates)]
    joined: list[tuple[DraftCall, int | None]] = [(call, None) for call in calls]
    joined += [(caller.again(calls[place]), place) for place in echoes]
    return _numbered(joined)


class Caller:
    """Makes calls one after the other."""

    def __init__(self, random: Random, community: Community) -> None:
        self.random = random
        self.community = community
        grid = community.grid
        self.kinds = {kind.code: kind for kind in community.services}
        self.buildings = {one.code: one for one in grid.buildings}
        self.stairwells = {one.code: one for one in grid.stairwells}
        self.households = {one.code: one for one in community.register.households}
        grown_up = community.today.replace(year=community.today.year - YOUNGEST_CALLER, day=1)
        self.with_phone = [one for one in community.register.residents if one.phone and one.birth_date < grown_up]
        self.neighbours: dict[str, list[Resident]] = {}
        for one in self.with_phone:
            stairwell = self.households[one.household_code].stairwell_code
            self.neighbours.setdefault(stairwell, []).append(one)
        self.strangers = Phones(random, "stranger")

    def call(self, level: str, kind_code: str | None = None) -> DraftCall:
        """A new call; its address text leads as far as `level`."""
        resident = self.random.choice(self.with_phone)
        household = self.households[resident.household_code]
        code = kind_code or self.random.choices(tuple(PHRASES), [share for share, _ in PHRASES.values()])[0]
        return self._told(resident, household.stairwell_code, code, level, minute=self._minute())

    def again(self, earlier: DraftCall) -> DraftCall:
        """A neighbour, or the same caller, about the same trouble some time later, in other words."""
        resident = self.random.choice(self.neighbours[earlier.stairwell_code])
        minute = min(earlier.minute + self.random.randint(2, LONGEST_ECHO_MINUTES), MINUTES_OF_DAY - 1)
        return self._told(resident, earlier.stairwell_code, earlier.kind_code, "stairwell", minute=minute)

    def _told(self, resident: Resident, stairwell_code: str, kind_code: str, level: str, *, minute: int) -> DraftCall:
        random, kind = self.random, self.kinds[kind_code]
        stairwell = self.stairwells[stairwell_code]
        building = self.buildings[stairwell.building_code]
        door = Door(building, stairwell, self.households[resident.household_code].room)
        spoken = say(random, self.community.grid, door, level)
        name, phone, code = self._who(resident, must_be_known=spoken.level == "caller")
        return DraftCall(
            number=0,
            minute=minute,
            caller_name=name,
            caller_phone=phone,
            resident_code=code,
            address_text=spoken.text,
            address_style=spoken.style,
            place_level=spoken.level,
            description=self._description(kind),
            answers=self._answers(kind),
            wanted_in_hours=random.randint(*BOOKED_HOURS_AHEAD) if kind.urgency == "booked" else None,
            kind_code=kind.code,
            stairwell_code=stairwell.code,
            area_code=building.area_code,
            duplicate_of=None,
            is_emergency=kind.urgency == "emergency",
            is_outside_hours=is_outside_hours(minute),
        )

    def _who(self, resident: Resident, *, must_be_known: bool) -> tuple[str, str | None, str | None]:
        chance = self.random.random()
        if must_be_known or chance > STRANGERS + WITHHELD:
            return resident.name, resident.phone, resident.code
        name = f"{staff_name(self.random)[0]}{self.random.choice(('先生', '女士'))}"
        return name, None if chance < WITHHELD else self.strangers.next(), None

    def _description(self, kind: ServiceKind) -> str:
        said = self.random.choice(PHRASES[kind.code][1])
        return f"{self.random.choice(OPENERS)}{said}{self.random.choice(TAILS)}"

    def _answers(self, kind: ServiceKind) -> tuple[tuple[str, str], ...]:
        return tuple((one.code, self.random.choice(one.values)[0]) for one in kind.questions if one.values)

    def _minute(self) -> int:
        return self.random.choices(range(24), HOURLY)[0] * 60 + self.random.randrange(60)


def is_outside_hours(minute: int) -> bool:
    """Whether a minute of a working day lies outside the starting policy's working periods."""
    return not any(start <= minute < end for start, end in WORKING_MINUTES)


def _share(share: float, count: int) -> int:
    return max(round(share * count), 1) if count >= len(LEVELS) + 2 else 0


def _with_an_emergency_and_a_late_call(caller: Caller, calls: list[DraftCall]) -> list[DraftCall]:
    """At least one emergency and one call of the evening, among those who say their stairwell."""
    places = [place for place, call in enumerate(calls) if call.place_level in {"stairwell", "caller"}]
    if not places:
        return calls
    changed = list(calls)
    if not any(call.is_emergency for call in calls):
        emergencies = [code for code in PHRASES if caller.kinds[code].urgency == "emergency"]
        changed[places[0]] = caller.call("stairwell", caller.random.choice(emergencies))
    if not any(call.is_outside_hours for call in changed):
        late = caller.random.randint(WORKING_MINUTES[-1][1], MINUTES_OF_DAY - 1)
        changed[places[-1]] = replace(changed[places[-1]], minute=late, is_outside_hours=True)
    return changed


def _numbered(joined: list[tuple[DraftCall, int | None]]) -> tuple[DraftCall, ...]:
    """Sorted by minute and numbered; an original always comes before its echo."""
    minutes = [(call.minute, original is not None) for call, original in joined]
    order = sorted(range(len(joined)), key=minutes.__getitem__)
    number_of = {place: number for number, place in enumerate(order, start=1)}
    numbered: list[DraftCall] = []
    for place in order:
        call, original = joined[place]
        earlier = None if original is None else number_of[original]
        numbered.append(replace(call, number=number_of[place], duplicate_of=earlier))
    return tuple(numbered)
