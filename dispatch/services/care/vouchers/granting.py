"""Granting vouchers: a list of enrolled persons, asked by one and granted by another, each with an account."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from dispatch import clock, queue
from dispatch.errors import Invalid
from dispatch.models.care import Enrolment, Programme, Voucher, VoucherGrant
from dispatch.models.funds import Fund
from dispatch.models.grid import Resident
from dispatch.rules.access.roles import Actor
from dispatch.rules.care.terms import Programme as Kind
from dispatch.rules.care.vouchers import GrantState, VoucherState, check_grant, said
from dispatch.rules.funds.claims import EarmarkKind
from dispatch.rules.funds.draft import Dimension, Draft, Maker, at
from dispatch.rules.funds.terms import EntryKind, Purpose
from dispatch.rules.queue import Lane
from dispatch.services import funds
from dispatch.services.care.vouchers.deciding import asked, decidable, decide, given_reason, own

ORIGIN = "care.voucher"


@dataclass(frozen=True, slots=True)
class NewGrant:
    """What is asked for: so many fen for each of these persons, for a year, from a fund (and wish) at a holding."""

    year: int
    fund_id: int
    holding_id: int
    fen: int
    expires_on: date
    residents: tuple[int, ...]
    earmark_id: int | None = None


def ask_grant(session: Session, wanted: NewGrant, *, actor: Actor, now: datetime) -> VoucherGrant:
    """Ask for vouchers; whoever may approve is alarmed. Raises Invalid naming the field."""
    fund = funds.find_open_fund(session, wanted.fund_id, actor=actor)
    today = clock.today(now)
    people = sorted(set(wanted.residents))
    check_grant(wanted.fen, len(people), wanted.expires_on, today)
    enrolled = enrolments_of(session, fund.community_id, people, today)
    if set(people) - enrolled.keys():
        raise Invalid("people", "有人不在居家养老服务券的名单里，请先登记")
    if has_voucher(session, people, wanted.year):
        raise Invalid("people", "有人这一年已经发过服务券，不能重复发放")
    made = VoucherGrant(
        community_id=fund.community_id,
        year=wanted.year,
        fund_id=fund.id,
        earmark_id=wanted.earmark_id,
        holding_id=wanted.holding_id,
        fen=wanted.fen,
        expires_on=wanted.expires_on,
        asked_by=actor.user_id,
        asked_by_key=actor.key_alone,
        asked_at=now,
    )
    asked(session, made, said(made.fen * len(people)), actor=actor)
    session.add_all(voucher_of(made, resident_id, enrolled[resident_id]) for resident_id in people)
    session.flush()
    return made


def voucher_of(grant: VoucherGrant, resident_id: int, enrolment_id: int) -> Voucher:
    """The account that is asked for."""
    return Voucher(
        community_id=grant.community_id,
        grant_id=grant.id,
        enrolment_id=enrolment_id,
        resident_id=resident_id,
        year=grant.year,
        fen=grant.fen,
        expires_on=grant.expires_on,
    )


def enrolments_of(session: Session, community_id: int, residents: Sequence[int], today: date) -> dict[int, int]:
    """The enrolments for vouchers that are under way, by resident; those who have left the community have none."""
    rows = session.execute(
        select(Enrolment.resident_id, Enrolment.id)
        .join(Programme, Programme.id == Enrolment.programme_id)
        .join(Resident, Resident.id == Enrolment.resident_id)
        .where(
            Enrolment.community_id == community_id,
            Programme.kind == str(Kind.VOUCHER),
            Enrolment.resident_id.in_(residents),
            Resident.left_at.is_(None),
            Enrolment.starts_on <= today,
            or_(Enrolment.ends_on.is_(None), Enrolment.ends_on > today),
        )
    )
    return {row.resident_id: row.id for row in rows}


def has_voucher(session: Session, residents: Sequence[int], year: int) -> bool:
    """Whether somebody has one of that year, or is on a list for it."""
    query = select(Voucher.id).where(
        Voucher.resident_id.in_(residents), Voucher.year == year, Voucher.state != str(VoucherState.VOID)
    )
    return session.execute(query.limit(1)).first() is not None


def approve_grant(session: Session, grant_id: int, *, actor: Actor, now: datetime) -> VoucherGrant:
    """Grant what another asked for, to each person in an entry of its own; who has left meanwhile is granted none.

    Raises NotFound, OwnRequest, RequestDecided, Invalid("expires_on") when its days are over, Invalid("people") when
    all have left, what funds.post raises.
    """
    grant = decidable(session, VoucherGrant, grant_id, actor=actor)
    fund = funds.find_open_fund(session, grant.fund_id, actor=actor)
    today = clock.today(now)
    accounts = still_enrolled(session, grant, today)
    check_grant(grant.fen, len(accounts), grant.expires_on, today)
    decide(session, grant, GrantState.GRANTED, actor=actor, now=now)
    funds.lock_head(session, grant.community_id)
    last = session.scalars(select(func.max(Voucher.number)).where(Voucher.community_id == grant.community_id)).one()
    for number, account in enumerate(accounts, (last or 0) + 1):
        open_account(session, fund, grant, account, number, actor=actor, now=now)
    session.flush()
    return grant


def still_enrolled(session: Session, grant: VoucherGrant, today: date) -> Sequence[Voucher]:
    """The accounts on a list whose persons are there still; the others are void.

    Waits for a death that is being recorded. Raises Invalid("people") when all have left.
    """
    accounts = vouchers_of(session, grant)
    people = [one.resident_id for one in accounts]
    session.execute(select(Resident.id).where(Resident.id.in_(people)).order_by(Resident.id).with_for_update(read=True))
    enrolled = enrolments_of(session, grant.community_id, people, today)
    if not enrolled:
        raise Invalid("people", "这份名单上的人都已不在服务对象里，请不批准这份申请")
    for account in accounts:
        if account.resident_id not in enrolled:
            account.state = str(VoucherState.VOID)
    return [one for one in accounts if one.resident_id in enrolled]


def open_account(
    session: Session, fund: Fund, grant: VoucherGrant, account: Voucher, number: int, *, actor: Actor, now: datetime
) -> None:
    """The person's account in the journal, and the entry that fills it; the supermarket is told."""
    named = funds.add_earmark(
        session,
        fund,
        name=f"服务券 {number:06d}",
        purposes=[Purpose.VOUCHER],
        kind=EarmarkKind.VOUCHER,
        actor=actor,
        now=now,
    )
    lines = (
        *at(Dimension(fund.id, earmark_id=grant.earmark_id), grant.holding_id, -grant.fen),
        *at(Dimension(fund.id, earmark_id=named.id), grant.holding_id, grant.fen),
    )
    draft = Draft(
        grant.community_id,
        EntryKind.GRANT,
        lines,
        purpose=Purpose.VOUCHER,
        origin=ORIGIN,
        origin_id=account.id,
        facts={"voucher": number, "year": grant.year},
        approved_by=actor.user_id,
        maker=Maker(grant.asked_by, grant.asked_by_key),
    )
    entry = funds.post(session, draft, actor=actor, now=now)
    account.number, account.earmark_id, account.entry_id = number, named.id, entry.id
    account.state = str(VoucherState.OPEN)
    tell_market(session, account, clock.today(now))


def tell_market(session: Session, account: Voucher, day: date) -> None:
    """The love supermarket hears what the household was given, so that its counter knows (a job of that domain)."""
    household_id = session.get_one(Resident, account.resident_id).household_id
    if household_id is not None:
        queue.enqueue(
            session,
            "market.voucher_given",
            lane=Lane.PERIODIC,
            reference=account.id,
            community_id=account.community_id,
            household_id=household_id,
            given_on=day.isoformat(),
        )


def refuse_grant(session: Session, grant_id: int, *, reason: str, actor: Actor, now: datetime) -> VoucherGrant:
    """Refuse what another asked for, with a reason; raises NotFound, OwnRequest, RequestDecided, Invalid("reason")."""
    grant = decidable(session, VoucherGrant, grant_id, actor=actor)
    grant.reason = given_reason(reason)
    return leave_off(session, grant, GrantState.REFUSED, actor=actor, now=now)


def withdraw_grant(session: Session, grant_id: int, *, actor: Actor, now: datetime) -> VoucherGrant:
    """Take back what one asked for oneself; raises NotFound, NotAllowed, RequestDecided."""
    grant = own(session, VoucherGrant, grant_id, actor=actor)
    return leave_off(session, grant, GrantState.WITHDRAWN, actor=actor, now=now)


def leave_off(session: Session, grant: VoucherGrant, state: GrantState, *, actor: Actor, now: datetime) -> VoucherGrant:
    """Nothing comes of it: its accounts are void."""
    decide(session, grant, state, actor=actor, now=now)
    for account in vouchers_of(session, grant):
        account.state = str(VoucherState.VOID)
    session.flush()
    return grant


def vouchers_of(session: Session, grant: VoucherGrant) -> Sequence[Voucher]:
    """The accounts on a list, by person."""
    query = select(Voucher).where(Voucher.grant_id == grant.id).order_by(Voucher.resident_id)
    return session.scalars(query.with_for_update()).all()
