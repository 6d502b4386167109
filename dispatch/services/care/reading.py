"""The care calendar to be read: who is enrolled, one elder's history, a month's visits."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import case as when
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.models.care import Contact, Duty, DutyPeriod, Enrolment, PairedHelper, Programme
from dispatch.models.catalogue import Performer
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.care.figures import VisitRate, visit_rate
from dispatch.rules.care.terms import DutyKind, PeriodState
from dispatch.services.access import audit, vault
from dispatch.services.care import cases, part
from dispatch.services.care.cases import Case
from dispatch.services.care.enrolling import find_enrolment

READ = "care.read_words"
MOST_LISTED = 300
MOST_PERIODS = 60
MOST_CONTACTS = 30
WHO = when((DutyPeriod.contact_id.is_not(None), Contact.performer_id), else_=DutyPeriod.helper_id)
"""Who came, where somebody came (unknown, where nobody said); else who is asked."""
SEALED_WORDS = ("complaint", "difficulty", "note")


@dataclass(frozen=True, slots=True)
class PeriodRow:
    """A period with the kind of its duty, the name of who came or is to come, and the number of its order."""

    kind: DutyKind
    period: DutyPeriod
    helper: str | None
    order: str | None = None


@dataclass(frozen=True, slots=True)
class EnrolledRow:
    """Somebody enrolled: who, where, what is due next, with whom they are paired."""

    case: Case
    next: PeriodRow | None
    helpers: tuple[str, ...]
    missed: int

    @property
    def names(self) -> str:
        """Who they are."""
        return "、".join(one.name for one in self.case.people) or "—"

    @property
    def address(self) -> str:
        """Where they live."""
        return self.case.home.address if self.case.home is not None else ""


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A contact with who came and, for who may read them, the words that were said."""

    contact: Contact
    helper: str | None
    words: Mapping[str, str] = field(repr=False)
    difficulty_order: str | None = None


@dataclass(frozen=True, slots=True)
class ElderPage:
    """One enrolment: whom it is about, its helpers, its periods and contacts, newest first."""

    row: EnrolledRow
    programme: Programme
    paired: Sequence[tuple[PairedHelper, str]]
    periods: Sequence[PeriodRow]
    contacts: Sequence[ContactRow]


@dataclass(frozen=True, slots=True)
class Month:
    """The monthly visits of a month: the figure, what was counted, and what was left out."""

    name: str
    rate: VisitRate
    rows: Sequence[tuple[EnrolledRow, PeriodRow]]


def list_enrolled(session: Session, *, actor: Actor, programme: str | None = None) -> list[EnrolledRow]:
    """Who is enrolled in reach, of one programme or of all, by programme and day; at most three hundred."""
    query = (
        select(Enrolment.id)
        .join(Programme, Programme.id == Enrolment.programme_id)
        .where(part.visible(Enrolment, actor), Enrolment.ends_on.is_(None))
        .order_by(Programme.id, Enrolment.starts_on, Enrolment.id)
        .limit(MOST_LISTED)
    )
    if programme is not None:
        query = query.where(Programme.kind == programme)
    return rows_of(session, list(session.scalars(query)))


def rows_of(session: Session, enrolment_ids: Sequence[int]) -> list[EnrolledRow]:
    """Enrolments as a list shows them, in the order of the ids."""
    found = {case.enrolment.id: case for case in cases.load(session, enrolment_ids)}
    helper_ids = {one.performer_id for case in found.values() for one in case.paired}
    names = names_of(session, helper_ids | {p.helper_id for case in found.values() for _, p in case.due()})
    rows = []
    for case in (found[one] for one in enrolment_ids if one in found):
        due = sorted(case.due(), key=lambda one: (one[1].planned_on, one[1].id))
        following = PeriodRow(due[0][0], due[0][1], names.get(due[0][1].helper_id or 0)) if due else None
        helpers = tuple(names.get(one.performer_id, "") for one in case.paired)
        rows.append(EnrolledRow(case, following, helpers, missed_of(case)))
    return rows


def names_of(session: Session, performer_ids: Iterable[int | None]) -> dict[int, str]:
    """Names of helpers by id."""
    wanted = {one for one in performer_ids if one is not None}
    rows = session.execute(select(Performer.id, Performer.name).where(Performer.id.in_(wanted)))
    return {row.id: row.name for row in rows}


def missed_of(case: Case) -> int:
    """How many of its duties were missed the last time."""
    return sum(1 for rows in case.periods.values() for one in rows if one.state == PeriodState.MISSED)


def elder_page(session: Session, enrolment_id: int, *, actor: Actor) -> ElderPage:
    """The page of one enrolment; raises NotFound."""
    enrolment = find_enrolment(session, enrolment_id, actor=actor)
    row = rows_of(session, [enrolment_id])[0]
    names = names_of(session, [one.performer_id for one in row.case.paired])
    return ElderPage(
        row=row,
        programme=session.get_one(Programme, enrolment.programme_id),
        paired=[(one, names.get(one.performer_id, "")) for one in row.case.paired],
        periods=periods_of(session, enrolment_id),
        contacts=contacts_at(session, row.case, actor=actor),
    )


def periods_of(session: Session, enrolment_id: int) -> list[PeriodRow]:
    """The newest periods of an enrolment, newest first."""
    rows = session.execute(
        select(DutyPeriod, Duty.kind, Performer.name)
        .join(Duty, Duty.id == DutyPeriod.duty_id)
        .outerjoin(Contact, Contact.id == DutyPeriod.contact_id)
        .outerjoin(Performer, Performer.id == WHO)
        .where(Duty.enrolment_id == enrolment_id)
        .order_by(DutyPeriod.planned_on.desc(), DutyPeriod.id.desc())
        .limit(MOST_PERIODS)
    )
    return [PeriodRow(DutyKind(kind), period, name) for period, kind, name in rows]


def contacts_at(session: Session, case: Case, *, actor: Actor) -> list[ContactRow]:
    """The newest visits and calls at a home; words are for who plans visits."""
    if case.home is None:
        return []
    rows = session.execute(
        select(Contact, Performer.name, Order.number)
        .outerjoin(Performer, Performer.id == Contact.performer_id)
        .outerjoin(Order, Order.id == Contact.difficulty_order_id)
        .where(Contact.household_id == case.home.household_id)
        .order_by(Contact.happened_at.desc(), Contact.id.desc())
        .limit(MOST_CONTACTS)
    ).all()
    read = words_read(session, [one for one, _, _ in rows], actor=actor)
    return [ContactRow(one, name, read.get(one.id, {}), number) for one, name, number in rows]


def words_read(session: Session, contacts: Sequence[Contact], *, actor: Actor) -> dict[int, dict[str, str]]:
    """What was said in contacts, by id, for who plans visits; that it was read is recorded, once for a community."""
    if not actor.may(Right.VISITS_PLAN):
        return {}
    found = {one.id: words for one in contacts if (words := words_of(one))}
    for community_id in {one.community_id for one in contacts if one.id in found}:
        ids = ",".join(str(one.id) for one in contacts if one.id in found and one.community_id == community_id)
        audit.record(session, READ, "contacts", None, actor=actor, community_id=community_id, fields={"ids": ids})
    return found


def words_of(contact: Contact) -> dict[str, str]:
    """What was said, by column."""
    sealed = {name: getattr(contact, name) for name in SEALED_WORDS}
    return {
        name: vault.open_sealed(f"contacts.{name}.{contact.uid}", value)
        for name, value in sealed.items()
        if value is not None
    }


def excuse_words(period: DutyPeriod) -> str:
    """Why an exemption was asked."""
    if period.excuse_words is None:
        return ""
    return vault.open_sealed(f"duty_periods.excuse_words.{period.uid}", period.excuse_words)


def month_of(session: Session, name: str, *, actor: Actor) -> Month:
    """月探访率 of a month (2026-02) with all that it is made of; raises Invalid("month")."""
    check_month(name)
    rows = session.execute(
        select(DutyPeriod, Duty.enrolment_id, Performer.name)
        .join(Duty, Duty.id == DutyPeriod.duty_id)
        .outerjoin(Contact, Contact.id == DutyPeriod.contact_id)
        .outerjoin(Performer, Performer.id == WHO)
        .where(part.visible(DutyPeriod, actor), DutyPeriod.name == name, Duty.kind == DutyKind.MONTHLY_VISIT)
        .order_by(DutyPeriod.planned_on, DutyPeriod.id)
    ).all()
    enrolled = {row.case.enrolment.id: row for row in rows_of(session, [one.enrolment_id for one in rows])}
    return Month(
        name=name,
        rate=visit_rate(PeriodState(period.state) for period, _, _ in rows),
        rows=[
            (enrolled[enrolment_id], PeriodRow(DutyKind.MONTHLY_VISIT, period, helper))
            for period, enrolment_id, helper in rows
        ],
    )


def check_month(name: str) -> None:
    """Refuse what is no month; raises Invalid("month")."""
    try:
        date.fromisoformat(f"{name}-01")
    except ValueError as error:
        raise Invalid("month", "月份请写成2026-02的样子") from error
