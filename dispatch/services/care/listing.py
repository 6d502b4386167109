"""The care calendar by the page, newest first: enrolments, periods of duties, contacts, absences."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVarTuple

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from dispatch.models.care import Absence, Contact, Duty, DutyPeriod, Enrolment, Programme
from dispatch.models.grid import Resident
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Actor
from dispatch.rules.care.periods import span_of
from dispatch.services.care import part
from dispatch.services.care.reading import check_month

Row = TypeVarTuple("Row")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list is narrowed to; None: everything. `month` is written 2026-02; `cursor`: ids before it."""

    programme: str | None = None
    enrolment_id: int | None = None
    resident_id: int | None = None
    household_id: int | None = None
    performer_id: int | None = None
    duty: str | None = None
    state: str | None = None
    month: str | None = None
    ended: bool = False
    cursor: int | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class DutyRow:
    """A period with the kind of its duty and of whom it is."""

    period: DutyPeriod
    kind: str
    enrolment: Enrolment


def month_span(month: str) -> tuple[date, date]:
    """The first and the last day of a month; raises Invalid("month")."""
    check_month(month)
    return span_of(date.fromisoformat(f"{month}-01"), 1)


def among(column: Any, value: object) -> list[ColumnElement[bool]]:
    """The condition of a filter, none for None."""
    return [] if value is None else [column == value]


def of_person(wanted: Wanted) -> list[ColumnElement[bool]]:
    """The enrolments about a person, their household's among them, or about a household, its people's among them."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.resident_id is not None:
        home = select(Resident.household_id).where(Resident.id == wanted.resident_id)
        own = Enrolment.resident_id == wanted.resident_id
        conditions.append(or_(own, Enrolment.household_id == home.scalar_subquery()))
    if wanted.household_id is not None:
        people = select(Resident.id).where(Resident.household_id == wanted.household_id)
        conditions.append(or_(Enrolment.household_id == wanted.household_id, Enrolment.resident_id.in_(people)))
    return conditions


def paged(query: Select[*Row], key: Any, wanted: Wanted) -> Select[*Row]:
    """A page of a query, one row more than asked for, newest first."""
    if wanted.cursor is not None:
        query = query.where(key < wanted.cursor)
    return query.order_by(key.desc()).limit(wanted.limit + 1)


def list_enrolments(session: Session, wanted: Wanted, *, actor: Actor) -> Sequence[tuple[Enrolment, str]]:
    """Who is enrolled in reach, with the programme."""
    query = (
        select(Enrolment, Programme.kind)
        .join(Programme, Programme.id == Enrolment.programme_id)
        .where(part.visible(Enrolment, actor), *of_person(wanted), *among(Programme.kind, wanted.programme))
    )
    if not wanted.ended:
        query = query.where(Enrolment.ends_on.is_(None))
    return [(row[0], row[1]) for row in session.execute(paged(query, Enrolment.id, wanted))]


def list_duties(session: Session, wanted: Wanted, *, actor: Actor) -> list[DutyRow]:
    """The periods in reach that meet the wishes; a month has those that lie in it in part. Raises Invalid("month")."""
    query = (
        select(DutyPeriod, Duty.kind, Enrolment)
        .join(Duty, Duty.id == DutyPeriod.duty_id)
        .join(Enrolment, Enrolment.id == Duty.enrolment_id)
        .where(
            part.visible(DutyPeriod, actor),
            *of_person(wanted),
            *among(Enrolment.id, wanted.enrolment_id),
            *among(DutyPeriod.helper_id, wanted.performer_id),
            *among(DutyPeriod.state, wanted.state),
            *among(Duty.kind, wanted.duty),
        )
    )
    if wanted.month is not None:
        first, last = month_span(wanted.month)
        query = query.where(DutyPeriod.starts_on <= last, DutyPeriod.until >= first)
    return [DutyRow(*row) for row in session.execute(paged(query, DutyPeriod.id, wanted))]


def duty_row(session: Session, period: DutyPeriod) -> DutyRow:
    """One period as a list has it."""
    query = select(Duty.kind, Enrolment).join(Enrolment, Enrolment.id == Duty.enrolment_id)
    return DutyRow(period, *session.execute(query.where(Duty.id == period.duty_id)).one())


def list_contacts(session: Session, wanted: Wanted, *, actor: Actor) -> list[tuple[Contact, str | None]]:
    """Visits and calls in reach, with the number of the order of a difficulty. Raises Invalid("month")."""
    query = (
        select(Contact, Order.number)
        .outerjoin(Order, Order.id == Contact.difficulty_order_id)
        .where(
            part.visible(Contact, actor),
            *among(Contact.household_id, wanted.household_id),
            *among(Contact.resident_id, wanted.resident_id),
            *among(Contact.performer_id, wanted.performer_id),
        )
    )
    if wanted.month is not None:
        query = query.where(Contact.day.between(*month_span(wanted.month)))
    return [(row[0], row[1]) for row in session.execute(paged(query, Contact.id, wanted))]


def list_absences(session: Session, wanted: Wanted, *, actor: Actor) -> Sequence[Absence]:
    """The absences in reach; those that are over only when asked for."""
    query = select(Absence).where(part.visible(Absence, actor), *among(Absence.resident_id, wanted.resident_id))
    if not wanted.ended:
        query = query.where(Absence.until.is_(None))
    return session.scalars(paged(query, Absence.id, wanted)).all()
