"""What people look at: vouchers with what is left, a person's statement, lists that wait, what a firm took."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from dispatch.errors import NotFound
from dispatch.models.care import (
    Enrolment,
    Programme,
    Voucher,
    VoucherCard,
    VoucherGrant,
    VoucherRedemption,
    VoucherRefund,
)
from dispatch.models.catalogue import Performer
from dispatch.models.funds import Entry, Fund
from dispatch.models.grid import Building, Household, Resident, Stairwell
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Actor
from dispatch.rules.care.terms import Programme as Kind
from dispatch.rules.care.vouchers import VoucherState, month_of
from dispatch.rules.grid.identity import mask_name
from dispatch.services.access.reach import visible
from dispatch.services.care.vouchers.finding import LEFT, find_voucher

MOST_LISTED = 200


@dataclass(frozen=True, slots=True)
class VoucherRow:
    """A voucher with part of the name and what is left."""

    voucher: Voucher
    name: str
    left: int


@dataclass(frozen=True, slots=True)
class GrantRow:
    """A list of persons that was asked for, with the fund's name, how many are on it, and who asked and decided."""

    grant: VoucherGrant
    fund: str
    people: int


@dataclass(frozen=True, slots=True)
class RedemptionRow:
    """A redemption with what firm and order are called, the voucher's number and how its refund stands."""

    redemption: VoucherRedemption
    firm: str
    order_number: str | None
    voucher_number: int
    refund: VoucherRefund | None


@dataclass(frozen=True, slots=True)
class StatementLine:
    """A line of a person's statement: granted, taken, refunded or lapsed on a day, and what was left after it."""

    day: date
    kind: str
    what: str
    firm: str
    fen: int
    left: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who is enrolled for vouchers, with part of the name, the home, and whether there is one for the year."""

    resident_id: int
    name: str
    home: str
    has_voucher: bool


def list_vouchers(
    session: Session,
    *,
    actor: Actor,
    grant_id: int | None = None,
    voucher_id: int | None = None,
    before: int | None = None,
    limit: int,
) -> list[VoucherRow]:
    """The newest vouchers in reach (of one list), those that were not approved only of their list. One query."""
    query = (
        select(Voucher, Resident.name, LEFT)
        .join(Resident, Resident.id == Voucher.resident_id)
        .where(visible(Voucher, actor))
        .order_by(Voucher.id.desc())
        .limit(limit)
    )
    if grant_id is not None:
        query = query.where(Voucher.grant_id == grant_id)
    elif voucher_id is not None:
        query = query.where(Voucher.id == voucher_id)
    else:
        query = query.where(Voucher.state.not_in([str(VoucherState.ASKED), str(VoucherState.VOID)]))
    if before is not None:
        query = query.where(Voucher.id < before)
    return [VoucherRow(one, mask_name(name), left or 0) for one, name, left in session.execute(query)]


def list_grants(
    session: Session, *, actor: Actor, grant_id: int | None = None, before: int | None = None, limit: int
) -> list[GrantRow]:
    """The newest lists in reach; one query."""
    people = select(func.count()).where(Voucher.grant_id == VoucherGrant.id).scalar_subquery()
    query = (
        select(VoucherGrant, Fund.name, people)
        .join(Fund, Fund.id == VoucherGrant.fund_id)
        .where(visible(VoucherGrant, actor))
        .order_by(VoucherGrant.id.desc())
        .limit(limit)
    )
    if grant_id is not None:
        query = query.where(VoucherGrant.id == grant_id)
    if before is not None:
        query = query.where(VoucherGrant.id < before)
    return [GrantRow(*row) for row in session.execute(query)]


def candidates(session: Session, year: int, today: date, *, actor: Actor) -> list[Candidate]:
    """Who is enrolled for vouchers in reach, by name; one query."""
    has = (
        select(Voucher.id)
        .where(Voucher.resident_id == Resident.id, Voucher.year == year, Voucher.state != str(VoucherState.VOID))
        .exists()
    )
    rows = session.execute(
        select(Resident.id, Resident.name, func.concat_ws("-", Building.number, Stairwell.number, Household.room), has)
        .join(Enrolment, Enrolment.resident_id == Resident.id)
        .outerjoin(Household, Household.id == Resident.household_id)
        .outerjoin(Stairwell, Stairwell.id == Household.stairwell_id)
        .outerjoin(Building, Building.id == Stairwell.building_id)
        .join(Programme, Programme.id == Enrolment.programme_id)
        .where(
            visible(Enrolment, actor),
            Programme.kind == str(Kind.VOUCHER),
            Resident.left_at.is_(None),
            Enrolment.starts_on <= today,
            or_(Enrolment.ends_on.is_(None), Enrolment.ends_on > today),
        )
        .order_by(Resident.name_key, Resident.id)
        .limit(MOST_LISTED)
    )
    return [Candidate(resident_id, mask_name(name), home, has_one) for resident_id, name, home, has_one in rows]


def redemptions() -> Select[VoucherRedemption, str, str | None, int | None, VoucherRefund | None]:
    """Redemptions with what belongs to them; a refund that was refused or withdrawn is none."""
    return (
        select(VoucherRedemption, Performer.name, Order.number, Voucher.number, VoucherRefund)
        .join(Performer, Performer.id == VoucherRedemption.performer_id)
        .join(Voucher, Voucher.id == VoucherRedemption.voucher_id)
        .outerjoin(Order, Order.id == VoucherRedemption.order_id)
        .outerjoin(
            VoucherRefund,
            (VoucherRefund.redemption_id == VoucherRedemption.id) & VoucherRefund.state.in_(["asked", "done"]),
        )
    )


def redemptions_where(session: Session, actor: Actor, *conditions: object, limit: int) -> list[RedemptionRow]:
    """The newest redemptions in reach for which the conditions hold; one query."""
    query = redemptions().where(visible(VoucherRedemption, actor), *conditions)  # type: ignore[arg-type]
    rows = session.execute(query.order_by(VoucherRedemption.id.desc()).limit(limit))
    return [RedemptionRow(one, firm, order, number or 0, refund) for one, firm, order, number, refund in rows]


def view_redemption(session: Session, redemption_id: int, *, actor: Actor) -> RedemptionRow:
    """One redemption in reach; raises NotFound."""
    found = redemptions_where(session, actor, VoucherRedemption.id == redemption_id, limit=1)
    if not found:
        raise NotFound
    return found[0]


def redemptions_of_voucher(session: Session, voucher_id: int, *, actor: Actor) -> list[RedemptionRow]:
    """What was taken of a voucher, the newest first."""
    return redemptions_where(session, actor, VoucherRedemption.voucher_id == voucher_id, limit=MOST_LISTED)


def redemptions_of_firm(
    session: Session, performer_id: int, *, actor: Actor, before: int | None = None, limit: int
) -> list[RedemptionRow]:
    """What a firm took, the newest first."""
    older = [] if before is None else [VoucherRedemption.id < before]
    return redemptions_where(session, actor, VoucherRedemption.performer_id == performer_id, *older, limit=limit)


def redemptions_of_month(session: Session, performer_id: int, month: str, *, actor: Actor) -> list[RedemptionRow]:
    """What a firm took in a month and did not give back, in that order; raises Invalid("month")."""
    first, last = month_of(month)
    conditions = (
        VoucherRedemption.performer_id == performer_id,
        VoucherRedemption.redeemed_on.between(first, last),
        VoucherRedemption.refunded_at.is_(None),
    )
    return redemptions_where(session, actor, *conditions, limit=10 * MOST_LISTED)[::-1]


def redemptions_of_settlement(session: Session, settlement_id: int, *, actor: Actor) -> list[RedemptionRow]:
    """What stands in a settlement, in the order in which it was taken."""
    found = redemptions_where(session, actor, VoucherRedemption.settlement_id == settlement_id, limit=10 * MOST_LISTED)
    return found[::-1]


def refunds_waiting(session: Session, *, actor: Actor) -> list[RedemptionRow]:
    """The redemptions whose refund somebody asked for and nobody has decided."""
    return redemptions_where(session, actor, VoucherRefund.state == "asked", limit=MOST_LISTED)


def statement(session: Session, voucher_id: int, *, actor: Actor) -> list[StatementLine]:
    """A person's statement, the oldest line first; its last line is what is left. Four queries. Raises NotFound."""
    voucher = find_voucher(session, voucher_id, actor=actor)
    rows = redemptions_of_voucher(session, voucher.id, actor=actor)[::-1]
    days = days_of(session, voucher, rows)
    lines = [(days[voucher.entry_id], "granted", "", "", voucher.fen)] if voucher.entry_id is not None else []
    for row in rows:
        taken = row.redemption
        lines.append((taken.redeemed_on, "taken", taken.what, row.firm, -taken.fen))
        if row.refund is not None and row.refund.entry_id is not None:
            lines.append((days[row.refund.entry_id], "refunded", taken.what, row.firm, taken.fen))
    if voucher.lapse_entry_id is not None:
        lines.append((days[voucher.lapse_entry_id], "lapsed", "", "", -sum(fen for *_, fen in lines)))
    left, told = 0, []
    for day, kind, what, firm, fen in sorted(lines, key=lambda line: line[0]):
        left += fen
        told.append(StatementLine(day, kind, what, firm, fen, left))
    return told


def in_month(lines: Sequence[StatementLine], month: str) -> tuple[int, list[StatementLine]]:
    """What was left at the beginning of a month, and the lines of it; raises Invalid("month")."""
    first, last = month_of(month)
    before = [line.left for line in lines if line.day < first]
    return before[-1] if before else 0, [line for line in lines if first <= line.day <= last]


def days_of(session: Session, voucher: Voucher, rows: Iterable[RedemptionRow]) -> dict[int, date]:
    """On which days the entries of a statement were posted, by their ids."""
    ids = {voucher.entry_id, voucher.lapse_entry_id, *(row.refund.entry_id for row in rows if row.refund is not None)}
    found = session.execute(select(Entry.id, Entry.posted_on).where(Entry.id.in_(ids - {None})))
    return {row.id: row.posted_on for row in found}


def cards_of(session: Session, voucher_id: int, *, actor: Actor) -> Sequence[VoucherCard]:
    """The cards of a voucher, the newest first."""
    query = select(VoucherCard).where(VoucherCard.voucher_id == voucher_id, visible(VoucherCard, actor))
    return session.scalars(query.order_by(VoucherCard.id.desc()).limit(MOST_LISTED)).all()
