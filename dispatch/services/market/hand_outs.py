"""Hand-outs (领取): reserved against lots for some minutes, signed, booked as one step of stock, or put back."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock, queue
from dispatch.db import insert_rows
from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.models.market import AidApplication, Card, Goods, HandOut, HandOutLine
from dispatch.rules.access.roles import Actor
from dispatch.rules.funds.terms import Purpose
from dispatch.rules.market import hand_outs as rule
from dispatch.rules.market.double_dip import Programme
from dispatch.rules.market.hand_outs import HandOutState, ListLine, Proxy, SigningWay
from dispatch.rules.market.picking import NotEnough, Taken, pick
from dispatch.rules.market.quota import check_quota
from dispatch.rules.market.shelf import Days, MoveKind
from dispatch.rules.queue import Lane
from dispatch.services.access import audit, files, policies, reach, vault
from dispatch.services.market import benefits
from dispatch.services.market.beneficiaries import Holder
from dispatch.services.market.counter import AtCounter, locked_quota, look, purpose_of
from dispatch.services.market.facilities import demand_keeper
from dispatch.services.market.lots import lock_goods
from dispatch.services.market.moving import Outgoing, Wish, move_out

ORIGIN = "market.hand_out"
SUBJECT = "hand_outs"
MINUTES = "market.reservation_minutes"
MOST_LINES = 30
JUST_AFTER = timedelta(seconds=1)
SIGNING = "market.hand_out"
PICTURE_OF = {SigningWay.STROKE: "signature", SigningWay.SCAN: "signed_paper", SigningWay.THUMB: "signed_paper"}


class NotSeen(Conflict):
    """这一户近期在别处领过,请先看提示并确认"""


class PromisedMeanwhile(Conflict):
    """刚刚被别的柜台领走了,请重新选择"""


@dataclass(frozen=True, slots=True)
class Chosen:
    """So much of some goods, in their smallest unit."""

    goods_id: int
    amount: int


@dataclass(frozen=True, slots=True)
class Row:
    """A line to be: so much of a lot at a spot; the goods' points stand on the first of its lots."""

    goods_id: int
    lot_id: int
    spot: str
    amount: int
    points: int


@dataclass(frozen=True, slots=True)
class Signing:
    """What makes a hand-out complete: the picture of the signature, its way, when, of which list, for whom."""

    way: SigningWay
    picture: bytes
    list_hash: str
    signed_at: datetime
    proxy: Proxy | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A line as people read it."""

    goods: str
    unit: str
    commodity: str
    amount: int
    points: int


def reserve(
    session: Session,
    facility_id: int,
    said: str,
    chosen: Sequence[Chosen],
    *,
    seen: frozenset[int] = frozenset(),
    actor: Actor,
    now: datetime,
) -> HandOut:
    """Reserve goods for who holds the card: the lots that end first, by itself, for some minutes.

    `seen` are the warnings that the keeper has read. Raises what look raises, Invalid("lines") for nothing, too much
    or beyond the month, NotEnough, NotSeen, PromisedMeanwhile.
    """
    check_chosen(chosen)
    lock_goods(session, (one.goods_id for one in chosen))
    there = look(session, facility_id, said, actor=actor, now=now)
    if {one.id for one in there.warnings} - seen:
        raise NotSeen
    prices = {one.goods_id: one.price for one in there.offers}
    quota = locked_quota(session, there.holder, clock.today(now))
    check_quota(quota, sum(prices[one.goods_id].of(one.amount) for one in chosen if one.goods_id in prices))
    picked = [(one, pick_for(one, there, clock.today(now))) for one in chosen]
    rows = [
        Row(
            one.goods_id, taken.lot_id, str(taken.spot), taken.amount, prices[one.goods_id].of(one.amount) * (not place)
        )
        for one, several in picked
        for place, taken in enumerate(several)
    ]
    hand_out = make(session, facility_id, there, rows, actor=actor, now=now)
    audit.record(session, "market.reserve", SUBJECT, hand_out.id, actor=actor, community_id=hand_out.community_id)
    return hand_out


def check_chosen(chosen: Sequence[Chosen]) -> None:
    """Refuse an empty list, goods twice, no amount; raises Invalid("lines")."""
    if not chosen or len(chosen) > MOST_LINES:
        raise Invalid("lines", "请选择要领的物品,一次最多30种")
    if len({one.goods_id for one in chosen}) < len(chosen) or any(one.amount < 1 for one in chosen):
        raise Invalid("lines", "每种物品写一次,数量大于零")


def pick_for(one: Chosen, there: AtCounter, day: date) -> Sequence[Taken]:
    """The lots for one kind of goods; raises Invalid("lines") for goods that are not on offer or not enough."""
    if one.goods_id not in {offer.goods_id for offer in there.offers}:
        raise Invalid("lines", "这种物品现在不能领,请重新选择")
    lots = [standing.available for standing in there.stock if standing.goods_id == one.goods_id]
    try:
        return pick(lots, one.amount, MoveKind.HAND_OUT, Days(day, day))
    except NotEnough as error:
        raise Invalid("lines", "货架上的数量不够,请减少一些") from error


def make(
    session: Session,
    facility_id: int,
    there: AtCounter,
    rows: Sequence[Row],
    *,
    actor: Actor,
    now: datetime,
) -> HandOut:
    """The rows of a reservation, and the job that puts the goods back; raises PromisedMeanwhile."""
    holder: Holder = there.holder
    uid = uuid4()
    minutes = policies.read(session, holder.card.community_id, (MINUTES,))[MINUTES]
    until = rule.reserved_until(now, int(minutes))
    hand_out = HandOut(
        uid=uid,
        community_id=holder.card.community_id,
        facility_id=facility_id,
        card_id=holder.card.id,
        household_id=holder.household_id,
        month=there.quota.month,
        points=sum(row.points for row in rows),
        list_hash=hash_of_rows(session, str(uid), rows),
        warned=[one.id for one in there.warnings],
        reserved_by=actor.user_id,
        reserved_by_key=actor.key_alone,
        reserved_at=now,
        reserved_until=until,
    )
    promise(session, hand_out, rows)
    queue.enqueue(
        session,
        "market.lapse_hand_out",
        lane=Lane.DEADLINE,
        reference=hand_out.id,
        run_at=until + JUST_AFTER,
        dedupe=f"market.lapse_hand_out:{hand_out.id}",
    )
    return hand_out


def promise(session: Session, hand_out: HandOut, rows: Sequence[Row]) -> None:
    """Reserve the lots of the rows; raises PromisedMeanwhile."""
    try:
        with session.begin_nested():
            session.add(hand_out)
            session.flush()
            of_all = {
                "hand_out_id": hand_out.id,
                "community_id": hand_out.community_id,
                "facility_id": hand_out.facility_id,
            }
            insert_rows(session, HandOutLine, [asdict(row) | of_all for row in rows])
    except IntegrityError as error:
        raise PromisedMeanwhile from error


def hash_of_rows(session: Session, uid: str, rows: Sequence[Row]) -> bytes:
    """The hash of a list, by the codes of its goods."""
    query = select(Goods.id, Goods.code).where(Goods.id.in_([row.goods_id for row in rows]))
    codes = {row.id: row.code for row in session.execute(query)}
    return rule.list_digest(uid, [ListLine(codes[row.goods_id], row.lot_id, row.amount, row.points) for row in rows])


def find(session: Session, hand_out_id: int, *, actor: Actor, locked: bool = False) -> HandOut:
    """A hand-out in reach; raises NotFound."""
    query = select(HandOut).where(HandOut.id == hand_out_id, reach.visible(HandOut, actor))
    if locked:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def lines_of(session: Session, hand_out_id: int) -> list[Listed]:
    """What a hand-out is about, goods by goods, as people read it."""
    rows = session.execute(
        select(Goods.name, Goods.unit, Goods.commodity, HandOutLine.amount, HandOutLine.points)
        .join(Goods, Goods.id == HandOutLine.goods_id)
        .where(HandOutLine.hand_out_id == hand_out_id)
        .order_by(Goods.name_key, HandOutLine.lot_id)
    )
    found: dict[str, Listed] = {}
    for row in rows:
        before = found.get(row.name)
        amount, points = (before.amount, before.points) if before else (0, 0)
        found[row.name] = Listed(row.name, row.unit, row.commodity, amount + row.amount, points + row.points)
    return list(found.values())


def sign(session: Session, hand_out: HandOut, signing: Signing, *, actor: Actor, now: datetime) -> HandOut:
    """Complete a locked hand-out: the signature is kept and bound to its list, the goods leave the books.

    Raises NotKeeper, HandOutOver, ReservationOver, OtherList, Invalid naming the field, and what move_out raises.
    """
    demand_keeper(session, hand_out.facility_id, actor=actor, now=now)
    signing = replace(signing, signed_at=rule.moment_of(signing.signed_at, hand_out.reserved_at))
    rule.check_signing(
        HandOutState(hand_out.state),
        hand_out.reserved_at,
        hand_out.reserved_until,
        signed_at=signing.signed_at,
        now=now,
    )
    if signing.list_hash.lower() != hand_out.list_hash.hex():
        raise rule.OtherList
    goods = lock_lines(session, hand_out)
    keep_signature(session, hand_out, signing, actor=actor, now=now)
    session.flush()
    day = clock.today(signing.signed_at)
    book(session, hand_out, goods, day_signed=signing.signed_at, actor=actor, now=now)
    benefits.record(
        session,
        community_id=hand_out.community_id,
        household_id=hand_out.household_id,
        programme=Programme.SUPERMARKET,
        given_on=day,
        origin=ORIGIN,
        origin_id=hand_out.id,
    )
    audit.record(session, "market.hand_out", SUBJECT, hand_out.id, actor=actor, community_id=hand_out.community_id)
    return hand_out


def lock_lines(session: Session, hand_out: HandOut) -> Sequence[HandOutLine]:
    """The lines, their goods locked before any balance: the order of everybody who takes of stock."""
    lines = session.scalars(select(HandOutLine).where(HandOutLine.hand_out_id == hand_out.id)).all()
    lock_goods(session, (line.goods_id for line in lines))
    return lines


def keep_signature(session: Session, hand_out: HandOut, signing: Signing, *, actor: Actor, now: datetime) -> None:
    """The picture of it; done, by whom, when and how; the reservation ends with it (trigger)."""
    picture = files.store_image(
        session,
        signing.picture,
        subject=SUBJECT,
        subject_id=hand_out.id,
        purpose=PICTURE_OF[signing.way],
        community_id=hand_out.community_id,
        actor=actor,
        now=now,
    )
    hand_out.state, hand_out.way = str(HandOutState.DONE), str(signing.way)
    hand_out.signed_at, hand_out.recorded_at = signing.signed_at, now
    hand_out.recorded_by = actor.user_id
    hand_out.recorded_by_key = actor.key_alone
    if signing.proxy is not None:
        hand_out.proxy_name = vault.seal(f"{SUBJECT}.proxy_name.{hand_out.uid}", signing.proxy.name)
        hand_out.proxy_relation = signing.proxy.relation
    hand_out.signature = vault.sign(SIGNING, bound(hand_out, picture.digest))


def bound(hand_out: HandOut, picture: bytes) -> bytes:
    """What the keyed signature holds together: the list, the picture, when and how it was signed."""
    if hand_out.signed_at is None:
        raise ValueError("nothing was signed")
    when = str(int(hand_out.signed_at.timestamp() * 1_000_000))
    return b"\n".join((hand_out.list_hash, picture, when.encode(), (hand_out.way or "").encode()))


def book(
    session: Session,
    hand_out: HandOut,
    lines: Sequence[HandOutLine],
    *,
    day_signed: datetime,
    actor: Actor,
    now: datetime,
) -> None:
    """Take exactly the signed lots out of stock and journal, for the ground on which they were given."""
    move_out(
        session,
        Outgoing(
            MoveKind.HAND_OUT,
            hand_out.facility_id,
            tuple(Wish(line.goods_id, line.amount, lot_id=line.lot_id) for line in lines),
            purpose=purpose_for(session, hand_out),
            signed_on=clock.today(day_signed),
            origin=ORIGIN,
            origin_id=hand_out.id,
        ),
        actor=actor,
        now=now,
    )


def purpose_for(session: Session, hand_out: HandOut) -> Purpose:
    """The ground of the approval that held when it was reserved."""
    day = clock.today(hand_out.reserved_at)
    application = session.scalars(
        select(AidApplication)
        .join(Card, Card.beneficiary_id == AidApplication.beneficiary_id)
        .where(Card.id == hand_out.card_id, AidApplication.valid_from <= day, AidApplication.valid_until >= day)
        .order_by(AidApplication.id.desc())
        .limit(1)
    ).one()
    return purpose_of(application)


def cancel(session: Session, hand_out: HandOut, *, actor: Actor, now: datetime) -> HandOut:
    """Put back what a locked hand-out has reserved; raises NotKeeper, HandOutOver."""
    demand_keeper(session, hand_out.facility_id, actor=actor, now=now)
    if hand_out.state != HandOutState.RESERVED:
        raise rule.HandOutOver
    put_back(session, hand_out, HandOutState.CANCELLED)
    audit.record(session, "market.cancel", SUBJECT, hand_out.id, actor=actor, community_id=hand_out.community_id)
    return hand_out


def lapse(session: Session, hand_out_id: int, *, now: datetime) -> bool:
    """The time to sign is over: what was reserved is free again; False when there is nothing to do."""
    hand_out = session.get(HandOut, hand_out_id, with_for_update=True, populate_existing=True)
    if hand_out is None or hand_out.state != HandOutState.RESERVED or not rule.is_over(hand_out.reserved_until, now):
        return False
    put_back(session, hand_out, HandOutState.LAPSED)
    return True


def put_back(session: Session, hand_out: HandOut, state: HandOutState) -> None:
    """End a reservation without a signature."""
    lock_lines(session, hand_out)
    hand_out.state = str(state)
    session.flush()


def newest(session: Session, facility_id: int, *, actor: Actor, limit: int = 50) -> Sequence[HandOut]:
    """The newest hand-outs of a facility."""
    return session.scalars(
        select(HandOut)
        .where(HandOut.facility_id == facility_id, reach.visible(HandOut, actor))
        .order_by(HandOut.id.desc())
        .limit(limit)
    ).all()


def card_of(session: Session, hand_out: HandOut) -> Card:
    """Whose card opened it."""
    return session.get_one(Card, hand_out.card_id)


def proxy_of(hand_out: HandOut) -> Proxy | None:
    """Who signed for the holder."""
    if hand_out.proxy_name is None:
        return None
    name = vault.open_sealed(f"{SUBJECT}.proxy_name.{hand_out.uid}", hand_out.proxy_name)
    return Proxy(name, hand_out.proxy_relation or "")
