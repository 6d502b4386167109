"""Who is given something, as lists and pages show it: names masked, grounds never; who stands behind a card."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true
from sqlalchemy.orm import Session, aliased

from dispatch import clock
from dispatch.errors import Invalid, NotFound
from dispatch.models.grid import Building, Household, Resident, Stairwell
from dispatch.models.market.people import AidApplication, Beneficiary, Card
from dispatch.rules.access.roles import Actor
from dispatch.rules.grid.identity import mask_name
from dispatch.rules.market.cards import CardEnd, PrintedCard, read_card
from dispatch.rules.market.eligibility import WAITING, Standing, is_valid
from dispatch.services.access import policies, reach, tokens
from dispatch.services.market import cards

MOST_AT_ONCE = 51
LONGEST_QUERY = 100
WARNING_DAYS = "market.recheck_warning_days"


class Shown(StrEnum):
    """What a list of beneficiaries is narrowed to."""

    WAITING = "waiting"
    HOLDING = "holding"
    RECHECK = "recheck"
    OVER = "over"


class CardUnknown(NotFound):
    """没有这张爱心卡"""


class CardLost(cards.CardOver):
    """这张卡已经挂失,请收下并让领取人用新卡"""


class NotHeldToday(cards.NotEligible):
    """这张卡的救助资格今天无效(没有批准、已到期或已终止),不能领取"""


class HolderAway(cards.NotEligible):
    """领取人已不在本社区登记,不能领取"""


@dataclass(frozen=True, slots=True)
class BeneficiaryRow:
    """A beneficiary in a list: whose name (masked; None of a household), where, how its newest application stands."""

    id: int
    name: str | None
    address: str | None
    application: AidApplication
    card_number: int | None


@dataclass(frozen=True, slots=True)
class Holder:
    """Who stands behind a card at the counter: for a household no name; how many live there."""

    card: Card
    beneficiary: Beneficiary
    application: AidApplication
    household_id: int
    name: str | None
    address: str | None
    persons: int


def list_beneficiaries(
    session: Session,
    *,
    query: str = "",
    shown: Shown | None = None,
    after: int | None = None,
    limit: int = MOST_AT_ONCE,
    actor: Actor,
    now: datetime,
) -> list[BeneficiaryRow]:
    """The beneficiaries in reach by their newest application, newest first; one query. Raises Invalid("q")."""
    if len(query) > LONGEST_QUERY:
        raise Invalid("q", "查询内容过长,请缩短后再试")
    newest = newest_applications()
    found = (
        select(Beneficiary, Resident, AidApplication, Card.number, Household.room, Stairwell.number, Building.address)
        .join(AidApplication, AidApplication.beneficiary_id == Beneficiary.id)
        .outerjoin(Resident, Resident.id == Beneficiary.resident_id)
        .outerjoin(Household, Household.id == func.coalesce(Resident.household_id, Beneficiary.household_id))
        .outerjoin(Stairwell, Stairwell.id == Household.stairwell_id)
        .outerjoin(Building, Building.id == Stairwell.building_id)
        .outerjoin(Card, and_(Card.beneficiary_id == Beneficiary.id, Card.ended_at.is_(None)))
        .where(reach.visible(Beneficiary, actor), AidApplication.id.in_(newest))
        .where(fits(query.strip()), narrowed(session, shown, actor, clock.today(now)))
        .order_by(AidApplication.id.desc())
        .limit(min(limit, MOST_AT_ONCE))
    )
    if after is not None:
        found = found.where(AidApplication.id < after)
    return [row_of(row) for row in session.execute(found)]


def newest_applications() -> Select[int]:
    """The newest application of each beneficiary."""
    return select(func.max(AidApplication.id)).group_by(AidApplication.beneficiary_id)


def fits(query: str) -> ColumnElement[bool]:
    """The condition that a beneficiary fits what was typed: a name's beginning, an address, a card's number."""
    if not query:
        return true()
    conditions: list[ColumnElement[bool]] = [
        Resident.name.startswith(query, autoescape=True),
        func.replace(Resident.name_key, "-", "").startswith(query.lower(), autoescape=True),
        Building.address.contains(query, autoescape=True),
    ]
    if query.isascii() and query.isdigit():
        conditions.append(Card.number == int(query[:9]))
    return or_(*conditions)


def narrowed(session: Session, shown: Shown | None, actor: Actor, today: date) -> ColumnElement[bool]:
    """The condition of a list's narrowing."""
    if shown is None:
        return true()
    if shown is Shown.WAITING:
        return AidApplication.standing.in_([str(one) for one in WAITING])
    approved = AidApplication.standing == str(Standing.APPROVED)
    if shown is Shown.HOLDING:
        return and_(approved, AidApplication.valid_until >= today)
    if shown is Shown.RECHECK:
        return and_(approved, AidApplication.valid_until <= today + warning(session, actor))
    return or_(~approved, AidApplication.valid_until < today) & AidApplication.standing.not_in(
        [str(one) for one in WAITING]
    )


def warning(session: Session, actor: Actor) -> timedelta:
    """How long before its end a re-check is due, where the actor stands."""
    if actor.organisation_id is None:
        return timedelta(0)
    return timedelta(days=int(policies.policy(session, actor.organisation_id, WARNING_DAYS)))


def row_of(row: Any) -> BeneficiaryRow:
    """A row as a list shows it."""
    beneficiary, resident, application, card_number, room, stairwell, address = row
    return BeneficiaryRow(
        id=beneficiary.id,
        name=None if resident is None else mask_name(resident.name),
        address=None if address is None else f"{address}{stairwell}单元{room}室",
        application=application,
        card_number=card_number,
    )


def find_row(session: Session, beneficiary_id: int, *, actor: Actor, now: datetime) -> BeneficiaryRow:
    """One beneficiary as a list shows it; raises NotFound."""
    cards.find_beneficiary(session, beneficiary_id, actor=actor)
    one = aliased(AidApplication)
    newest = session.scalars(select(func.max(one.id)).where(one.beneficiary_id == beneficiary_id)).one()
    found = [] if newest is None else list_beneficiaries(session, after=newest + 1, limit=1, actor=actor, now=now)
    if not found or found[0].id != beneficiary_id:
        raise NotFound
    return found[0]


def applications_of(session: Session, beneficiary_id: int) -> Sequence[AidApplication]:
    """All that was ever asked for a beneficiary, the newest first."""
    return session.scalars(
        select(AidApplication).where(AidApplication.beneficiary_id == beneficiary_id).order_by(AidApplication.id.desc())
    ).all()


def cards_of(session: Session, beneficiary_id: int) -> Sequence[Card]:
    """All cards that were ever issued to a beneficiary, the newest first."""
    return session.scalars(select(Card).where(Card.beneficiary_id == beneficiary_id).order_by(Card.id.desc())).all()


def scan(session: Session, said: str, *, actor: Actor, now: datetime) -> Holder:
    """Who stands behind what a scanner read; audited. One card is one hand-out's beginning, nothing is opened offline.

    Raises Invalid("card"), CardUnknown (also out of reach), CardLost, CardOver, NotHeldToday, HolderAway.
    """
    printed: PrintedCard = read_card(said)
    card = session.scalars(
        select(Card).where(Card.token_hash == tokens.hash_of(printed.token), reach.visible(Card, actor))
    ).one_or_none()
    if card is None:
        raise CardUnknown
    cards.note(session, card, "scan_card", actor=actor)
    if card.ended_at is not None:
        raise CardLost if card.ended_as == CardEnd.LOST else cards.CardOver
    return holder_of(session, card, now=now)


def holder_of(session: Session, card: Card, *, now: datetime) -> Holder:
    """Who holds a good card, where the approval holds today and they still live here."""
    approval = cards.approval_of(session, card.beneficiary_id)
    today = clock.today(now)
    if approval is None or not is_valid(Standing(approval.standing), approval.valid_from, approval.valid_until, today):
        raise NotHeldToday
    row: Any = session.execute(
        select(Beneficiary, Resident, Household, Stairwell.number, Building.address)
        .outerjoin(Resident, Resident.id == Beneficiary.resident_id)
        .outerjoin(Household, Household.id == func.coalesce(Resident.household_id, Beneficiary.household_id))
        .outerjoin(Stairwell, Stairwell.id == Household.stairwell_id)
        .outerjoin(Building, Building.id == Stairwell.building_id)
        .where(Beneficiary.id == card.beneficiary_id)
    ).one()
    beneficiary, resident, household, stairwell, address = row
    if household is None or (resident is not None and resident.left_at is not None):
        raise HolderAway
    return Holder(
        card=card,
        beneficiary=beneficiary,
        application=approval,
        household_id=household.id,
        name=None if resident is None else resident.name,
        address=None if address is None else f"{address}{stairwell}单元{household.room}室",
        persons=persons_in(session, household.id),
    )


def persons_in(session: Session, household_id: int) -> int:
    """How many people of the register live in a household."""
    living = select(func.count(Resident.id)).where(Resident.household_id == household_id, Resident.left_at.is_(None))
    return session.scalars(living).one()
