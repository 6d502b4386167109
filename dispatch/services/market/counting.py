"""Counting: two people count blind, each for themselves; a third, who is not the keeper, decides about differences."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import queue
from dispatch.db import insert_rows
from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.models.market import Count, CountLine, LotBalance
from dispatch.rules.access.roles import Actor
from dispatch.rules.funds.terms import EntryKind
from dispatch.rules.market.keeping import CountResult, Place, check_three, compare
from dispatch.rules.market.shelf import MoveKind, Spot
from dispatch.rules.orders.intake import check_text
from dispatch.rules.queue import Lane
from dispatch.services.access import audit, reach
from dispatch.services.market import refused_signings
from dispatch.services.market.facilities import find_facility, refuse_keeper
from dispatch.services.market.writing import Piece, Step, write

LONGEST_REASON = 300
MOST_COUNTED = 1_000_000_000


class CountOpen(Conflict):
    """这里已经在盘点"""


class CountOver(Conflict):
    """这次盘点已经结束"""


class CountedAlready(Conflict):
    """两个人都已经盘点过了"""


class NotCounted(Conflict):
    """还没有两个人盘点完"""


class Disputed(Conflict):
    """两个人的盘点结果不一致，请重新盘点这 %(number)s 处"""


def open_count(session: Session, facility_id: int, *, actor: Actor, now: datetime) -> Count:
    """Begin a count: the book is noted, and nothing moves in the facility until it ends. Raises CountOpen.

    Whoever moves something now is waited for; whoever comes later is refused.
    """
    facility = find_facility(session, facility_id, actor=actor, locked=True)
    if open_count_of(session, facility_id) is not None:
        raise CountOpen
    count = Count(community_id=facility.community_id, facility_id=facility_id, opened_by=actor.user_id, opened_at=now)
    session.add(count)
    session.flush()
    rows = session.execute(
        select(LotBalance.lot_id, LotBalance.spot, LotBalance.amount).where(
            LotBalance.facility_id == facility_id, LotBalance.amount > 0
        )
    ).all()
    lines = [
        {
            "count_id": count.id,
            "lot_id": row.lot_id,
            "spot": row.spot,
            "community_id": facility.community_id,
            "book": row.amount,
        }
        for row in rows
    ]
    if lines:
        insert_rows(session, CountLine, lines)
    audit.record(session, "market.open_count", "counts", count.id, actor=actor, community_id=count.community_id)
    return count


def open_count_of(session: Session, facility_id: int) -> Count | None:
    """The count that goes on in a facility."""
    return session.scalars(select(Count).where(Count.facility_id == facility_id, Count.state == "open")).one_or_none()


def find_count(session: Session, count_id: int, *, actor: Actor, locked: bool = False) -> Count:
    """The count within reach; raises NotFound, and CountOver where it is to be locked and is over."""
    query = select(Count).where(Count.id == count_id, reach.visible(Count, actor))
    if locked:
        query = query.with_for_update().execution_options(populate_existing=True)
    count = session.scalars(query).one_or_none()
    if count is None:
        raise NotFound
    if locked and count.state != "open":
        raise CountOver
    return count


def lines_of(session: Session, count_id: int) -> Sequence[CountLine]:
    """The lines of a count, by lot and spot."""
    return session.scalars(
        select(CountLine).where(CountLine.count_id == count_id).order_by(CountLine.lot_id, CountLine.spot)
    ).all()


def submit_count(session: Session, count_id: int, found: Mapping[Place, int], *, actor: Actor, now: datetime) -> Count:
    """One of the two writes down what is there, every line, without having seen the book or the other's figures.

    Where the two differ each counts those lines again, and writes them over. Raises SamePerson, CountedAlready,
    CountOver, Invalid("lines").
    """
    count = find_count(session, count_id, actor=actor, locked=True)
    refuse_keeper(session, count.facility_id, actor=actor, now=now)
    lines = {(line.lot_id, line.spot): line for line in lines_of(session, count_id)}
    mine = place_of(count, actor)
    check_found(found, lines.keys(), is_again=getattr(count, f"{mine}_by") is not None)
    for place, amount in found.items():
        setattr(lines[place], mine, amount)
    setattr(count, f"{mine}_by", actor.user_id)
    setattr(count, f"{mine}_at", now)
    session.flush()
    audit.record(session, "market.submit_count", "counts", count.id, actor=actor, community_id=count.community_id)
    return count


def place_of(count: Count, actor: Actor) -> str:
    """Whether somebody is the first or the second; raises CountedAlready for a third."""
    if count.first_by in {None, actor.user_id}:
        return "first"
    if count.second_by in {None, actor.user_id}:
        return "second"
    raise CountedAlready


def check_found(found: Mapping[Place, int], known: Collection[Place], *, is_again: bool) -> None:
    """Every line is counted the first time, and only lines that are there; raises Invalid("lines")."""
    if found.keys() - set(known) or (not is_again and found.keys() != set(known)):
        raise Invalid("lines", "请把每一处都数过填好")
    if any(not 0 <= amount <= MOST_COUNTED for amount in found.values()):
        raise Invalid("lines", "数量不能小于零")


def result_of(session: Session, count: Count) -> CountResult:
    """What two blind counts say; raises NotCounted before both are in."""
    if count.first_at is None or count.second_at is None:
        raise NotCounted
    lines = lines_of(session, count.id)
    return compare(
        {(line.lot_id, line.spot): line.book for line in lines},
        {(line.lot_id, line.spot): line.first for line in lines if line.first is not None},
        {(line.lot_id, line.spot): line.second for line in lines if line.second is not None},
    )


def close_count(session: Session, count_id: int, *, reason: str, actor: Actor, now: datetime) -> Count:
    """A third person takes the result over: what is missing and what is too much is booked, the facility opens.

    Raises SamePerson, NotCounted, Disputed, CountOver, Invalid("reason") where there is a difference.
    """
    count = find_count(session, count_id, actor=actor, locked=True)
    refuse_keeper(session, count.facility_id, actor=actor, now=now)
    check_three(count.first_by, count.second_by, actor.user_id)
    result = result_of(session, count)
    if result.disputed:
        raise Disputed(number=len(result.disputed))
    check_text("reason", reason, LONGEST_REASON)
    if result.differences and not reason.strip():
        raise Invalid("reason", "请写明盘盈盘亏的原因")
    end(session, count, "closed", reason=reason, actor=actor, now=now)
    refused_signings.counted(session, count.facility_id, now=now)
    for occasion, entry in enumerate((EntryKind.SHORTAGE, EntryKind.SURPLUS), start=1):
        adjust(session, count, result, entry, occasion, actor=actor, now=now)
    return count


def adjust(
    session: Session, count: Count, result: CountResult, entry: EntryKind, occasion: int, *, actor: Actor, now: datetime
) -> None:
    """Book what is missing, or what is too much."""
    facility = find_facility(session, count.facility_id, actor=actor)
    pieces = tuple(
        Piece(lot_id, count.facility_id, Spot(spot), amount)
        for (lot_id, spot), amount in result.differences.items()
        if (amount > 0) is (entry is EntryKind.SURPLUS)
    )
    if not pieces:
        return
    step = Step(
        MoveKind.ADJUST,
        facility,
        pieces,
        entry=entry,
        reason=count.reason,
        origin="market.count",
        origin_id=count.id,
        occasion=occasion,
        approved_by=actor.user_id,
        moved_by=count.first_by,
    )
    write(session, step, actor=actor, now=now)


def cancel_count(session: Session, count_id: int, *, reason: str, actor: Actor, now: datetime) -> Count:
    """Give a count up; nothing is booked. Raises CountOver, Invalid("reason")."""
    count = find_count(session, count_id, actor=actor, locked=True)
    check_text("reason", reason, LONGEST_REASON)
    if not reason.strip():
        raise Invalid("reason", "请写明原因")
    end(session, count, "cancelled", reason=reason, actor=actor, now=now)
    return count


def end(session: Session, count: Count, state: str, *, reason: str, actor: Actor, now: datetime) -> None:
    """End a count; the facility's daily work, which stood still, is done now."""
    count.state, count.closed_at, count.reason = state, now, reason.strip()
    if state == "closed":
        count.approved_by = actor.user_id
    session.flush()
    queue.enqueue(
        session,
        "market.keep_facility",
        lane=Lane.PERIODIC,
        reference=count.facility_id,
        dedupe=f"market.keep_facility:count:{count.id}",
    )
    audit.record(session, f"market.{state}_count", "counts", count.id, actor=actor, community_id=count.community_id)
