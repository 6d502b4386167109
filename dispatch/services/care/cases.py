"""An enrolment with all that its duties need at hand: read for many at once, in as many queries as for one."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from dispatch.models.care import Absence, Duty, DutyPeriod, Enrolment, PairedHelper, Programme
from dispatch.models.grid import Building, Household, Resident, Stairwell
from dispatch.rules.care.excuses import Stay
from dispatch.rules.care.terms import DutyKind, PeriodState
from dispatch.rules.care.terms import Programme as Kind


@dataclass(frozen=True, slots=True)
class Home:
    """Where somebody lives, as far as it is needed to go there."""

    household_id: int
    stairwell_id: int
    building_id: int
    area_id: int
    room: str
    point: tuple[float, float]
    address: str


@dataclass(slots=True)
class Case:
    """An enrolment with its home, its people, its duties and their periods (the due ones and the newest).

    `paired` are its own helpers, `known` those of any enrolment of its home: one person comes for all of them.
    """

    enrolment: Enrolment
    kind: Kind
    home: Home | None = None
    people: list[Resident] = field(default_factory=list)
    duties: dict[int, Duty] = field(default_factory=dict)
    periods: dict[int, list[DutyPeriod]] = field(default_factory=lambda: defaultdict(list))
    paired: list[PairedHelper] = field(default_factory=list)
    known: set[int] = field(default_factory=set)
    absences: dict[int, list[Absence]] = field(default_factory=lambda: defaultdict(list))

    def due(self) -> list[tuple[DutyKind, DutyPeriod]]:
        """The periods that are due, with the kind of their duty."""
        return [
            (DutyKind(duty.kind), one)
            for duty in self.duties.values()
            for one in self.periods[duty.id]
            if one.state == PeriodState.DUE
        ]

    def kind_of(self, period: DutyPeriod) -> DutyKind:
        """The kind of a period's duty."""
        return DutyKind(self.duties[period.duty_id].kind)

    def stays(self) -> list[list[Stay]]:
        """The hospital stays of each of its people."""
        return [
            [Stay(one.id, one.starts_on, one.until) for one in self.absences[person.id] if one.kind == "hospital"]
            for person in self.people
        ]

    def is_away(self, day: date) -> bool:
        """Whether nobody of it can be visited on a day."""
        return bool(self.people) and all(
            any(one.starts_on <= day and (one.until is None or day <= one.until) for one in self.absences[person.id])
            for person in self.people
        )


def load(session: Session, enrolment_ids: Collection[int], *, locked: bool = False) -> list[Case]:
    """The cases of some enrolments, by id; `locked`: nobody else changes their periods until the transaction ends."""
    query = select(Enrolment).where(Enrolment.id.in_(sorted(enrolment_ids))).order_by(Enrolment.id)
    if locked:
        query = query.with_for_update().execution_options(populate_existing=True)
    enrolments = session.scalars(query).all()
    programmes = select(Programme.id, Programme.kind).where(Programme.id.in_({one.programme_id for one in enrolments}))
    kinds = {programme_id: Kind(kind) for programme_id, kind in session.execute(programmes)}
    cases = [Case(one, kinds[one.programme_id]) for one in enrolments]
    if cases:
        add_duties(session, cases)
        add_people(session, cases)
        add_helpers(session, cases)
    return cases


def add_duties(session: Session, cases: Sequence[Case]) -> None:
    """Their duties with the due periods and the newest of each, oldest first."""
    by_id = {case.enrolment.id: case for case in cases}
    case_of: dict[int, Case] = {}
    for duty in session.scalars(select(Duty).where(Duty.enrolment_id.in_(by_id)).order_by(Duty.id)):
        case_of[duty.id] = by_id[duty.enrolment_id]
        case_of[duty.id].duties[duty.id] = duty
    newest = select(func.max(DutyPeriod.id)).where(DutyPeriod.duty_id.in_(case_of)).group_by(DutyPeriod.duty_id)
    periods = (
        select(DutyPeriod)
        .where(DutyPeriod.duty_id.in_(case_of), or_(DutyPeriod.state == PeriodState.DUE, DutyPeriod.id.in_(newest)))
        .order_by(DutyPeriod.number)
        .execution_options(populate_existing=True)
    )
    for period in session.scalars(periods):
        case_of[period.duty_id].periods[period.duty_id].append(period)


def add_people(session: Session, cases: Sequence[Case]) -> None:
    """Who they are about, where those live, and when they are away."""
    own = {case.enrolment.resident_id for case in cases if case.enrolment.resident_id is not None}
    shared = {case.enrolment.household_id for case in cases if case.enrolment.household_id is not None}
    people = session.scalars(
        select(Resident)
        .where(or_(Resident.id.in_(own), Resident.household_id.in_(shared)))
        .order_by(Resident.birth_date, Resident.id)
    ).all()
    for case in cases:
        case.people = [one for one in people if belongs(one, case.enrolment)]
    homes = homes_of(session, shared | {one.household_id for one in people if one.household_id is not None})
    absences = session.scalars(
        select(Absence).where(Absence.resident_id.in_([one.id for one in people])).order_by(Absence.starts_on)
    ).all()
    for case in cases:
        case.home = homes.get(household_of(case) or 0)
        for absence in absences:
            case.absences[absence.resident_id].append(absence)


def belongs(person: Resident, enrolment: Enrolment) -> bool:
    """Whether an enrolment is about somebody who is still there."""
    if enrolment.resident_id is not None:
        return person.id == enrolment.resident_id
    return person.household_id == enrolment.household_id and person.left_at is None


def household_of(case: Case) -> int | None:
    """The household: of the enrolment, or the one in which its person lives."""
    if case.enrolment.household_id is not None:
        return case.enrolment.household_id
    return case.people[0].household_id if case.people else None


def homes_of(session: Session, household_ids: Iterable[int]) -> dict[int, Home]:
    """Where households live."""
    rows = session.execute(
        select(Household, Stairwell, Building)
        .join(Stairwell, Stairwell.id == Household.stairwell_id)
        .join(Building, Building.id == Stairwell.building_id)
        .where(Household.id.in_(set(household_ids)))
    )
    return {
        household.id: Home(
            household.id,
            stairwell.id,
            building.id,
            building.area_id,
            household.room,
            (building.latitude, building.longitude),
            f"{building.address}{stairwell.number}单元{household.room}",
        )
        for household, stairwell, building in rows
    }


def add_helpers(session: Session, cases: Sequence[Case]) -> None:
    """Who is paired with them now, and with their homes by whatever programme."""
    homes = {case.home.household_id for case in cases if case.home is not None}
    people = select(Resident.id).where(Resident.household_id.in_(homes), Resident.left_at.is_(None))
    rows = session.execute(
        select(PairedHelper, func.coalesce(Enrolment.household_id, Resident.household_id))
        .join(Enrolment, Enrolment.id == PairedHelper.enrolment_id)
        .outerjoin(Resident, Resident.id == Enrolment.resident_id)
        .where(PairedHelper.ends_on.is_(None))
        .where(
            or_(
                PairedHelper.enrolment_id.in_([case.enrolment.id for case in cases]),
                Enrolment.household_id.in_(homes),
                Enrolment.resident_id.in_(people),
            )
        )
        .order_by(PairedHelper.id)
    ).all()
    for case in cases:
        home_id = case.home.household_id if case.home is not None else None
        case.paired = [one for one, _ in rows if one.enrolment_id == case.enrolment.id]
        case.known = {one.performer_id for one, at in rows if at == home_id or one in case.paired}


def enrolments_at(session: Session, household_id: int, *, open_only: bool = True) -> list[int]:
    """The enrolments that a visit to a home is about: of the household and of each who lives in it, by id."""
    residents = select(Resident.id).where(Resident.household_id == household_id)
    query = select(Enrolment.id).where(
        or_(Enrolment.household_id == household_id, Enrolment.resident_id.in_(residents))
    )
    if open_only:
        query = query.where(Enrolment.ends_on.is_(None))
    return list(session.scalars(query.order_by(Enrolment.id)))


def same_home(session: Session, enrolment: Enrolment) -> list[int]:
    """The open enrolments of the home of one, itself among them, by id."""
    home_id = enrolment.household_id
    if home_id is None:
        home_id = session.scalars(select(Resident.household_id).where(Resident.id == enrolment.resident_id)).one()
    return [enrolment.id] if home_id is None else enrolments_at(session, home_id)


def births_at_home(session: Session, found: Sequence[Case]) -> dict[int, list[date | None]]:
    """The birth dates of everybody in the home of each case, by enrolment."""
    homes = {case.enrolment.id: case.home.household_id for case in found if case.home is not None}
    rows = session.execute(
        select(Resident.household_id, Resident.birth_date)
        .where(Resident.household_id.in_(set(homes.values())), Resident.left_at.is_(None))
        .order_by(Resident.id)
    ).all()
    return {
        case.enrolment.id: [birth for home, birth in rows if home == homes.get(case.enrolment.id)] for case in found
    }
