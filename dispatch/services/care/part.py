"""Which elders a narrowed actor sees: those of their areas, of their teams' helpers, their own; everybody else all.

Source: decision 0010, 14; rules/access/roles (NARROW_ROLES). What was asked about a home is seen as the home is.
"""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, or_, select
from sqlalchemy.orm import Session

from dispatch.db import Base
from dispatch.errors import Invalid
from dispatch.models.care import (
    Absence,
    Contact,
    Duty,
    DutyPeriod,
    Enrolment,
    LifeEvent,
    PairedHelper,
    VisitSchedule,
)
from dispatch.models.catalogue import Performer
from dispatch.models.grid import Building, Household, Resident, Stairwell
from dispatch.rules.access.roles import Actor
from dispatch.services.access import reach

OF_HOUSEHOLDS = (Enrolment, Contact, LifeEvent)
OF_RESIDENTS = (Enrolment, LifeEvent, Absence, VisitSchedule)


def visible(model: type[Base], actor: Actor) -> ColumnElement[bool]:
    """The rows of a table of care that the actor may see: within the reach, a narrowed actor's own part of it."""
    reached = reach.visible(model, actor)
    return and_(reached, own(model, actor)) if actor.narrowed else reached


def check_resident(session: Session, resident: Resident, *, actor: Actor) -> None:
    """Whether a narrowed actor may begin something for a resident in reach; raises Invalid("resident_id")."""
    query = select(Resident.id).where(Resident.id == resident.id, visible(Resident, actor))
    if session.scalars(query).one_or_none() is None:
        raise Invalid("resident_id", "这位居民不在您负责的片区,请由社区来登记")


def own(model: type[Base], actor: Actor) -> ColumnElement[bool]:
    """The part of a narrowed actor, as a condition on one of the tables of care."""
    columns = model.__table__.c
    if model is DutyPeriod:
        enrolled = select(Duty.id).join(Enrolment, Enrolment.id == Duty.enrolment_id)
        return or_(columns.duty_id.in_(enrolled.where(own(Enrolment, actor))), columns.helper_id.in_(people(actor)))
    if model is PairedHelper:
        return columns.enrolment_id.in_(select(Enrolment.id).where(own(Enrolment, actor)))
    parts: list[ColumnElement[bool]] = []
    if model in {Household, Resident}:
        parts.append((columns.id if model is Household else columns.household_id).in_(homes(actor)))
    if model in OF_HOUSEHOLDS:
        parts.append(columns.household_id.in_(homes(actor)))
    if model in OF_RESIDENTS:
        parts.append(columns.resident_id.in_(select(Resident.id).where(Resident.household_id.in_(homes(actor)))))
    if model is Enrolment:
        parts.append(columns.id.in_(given_to(actor)))
    return or_(false(), *parts)


def people(actor: Actor) -> Select[Any]:
    """The helpers of a narrowed actor: who they are themselves, and who is of their teams."""
    columns = Performer.__table__.c
    of_teams = reach.among(columns.team_id, actor.teams)
    return select(columns.id).where(or_(columns.id == (actor.performer_id or 0), of_teams))


def homes(actor: Actor) -> Select[Any]:
    """The homes of a narrowed actor's areas."""
    query = select(Household.id).join(Stairwell, Stairwell.id == Household.stairwell_id)
    query = query.join(Building, Building.id == Stairwell.building_id)
    return query.where(reach.among(Building.__table__.c.area_id, actor.areas))


def given_to(actor: Actor) -> Select[Any]:
    """The enrolments with which a narrowed actor's helpers are paired now, or for which one of them is asked."""
    paired = select(PairedHelper.enrolment_id).where(
        PairedHelper.performer_id.in_(people(actor)), PairedHelper.ends_on.is_(None)
    )
    asked = select(Duty.enrolment_id).join(DutyPeriod, DutyPeriod.duty_id == Duty.id)
    return select(Enrolment.id).where(
        or_(
            Enrolment.id.in_(paired),
            Enrolment.id.in_(asked.where(DutyPeriod.helper_id.in_(people(actor)), DutyPeriod.state == "due")),
        )
    )
