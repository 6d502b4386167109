"""Gifts: received at once into one fund, a line and an entry per item; a line is reversed, never edited."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.models.access import Organisation
from dispatch.models.funds import Earmark, Fund, Holding, Spending
from dispatch.models.market import Gift, GiftLine, GiftReversal, Pledge
from dispatch.rules.access.roles import Actor
from dispatch.rules.funds.draft import Dimension, Draft, at
from dispatch.rules.funds.money import check_foreign
from dispatch.rules.funds.terms import Commodity, EntryKind, Owner
from dispatch.rules.market import gifts as rule
from dispatch.rules.market.gifts import GiftItem, Way
from dispatch.rules.market.pledges import PledgeState, step
from dispatch.rules.orders.intake import check_text
from dispatch.services import funds, notify
from dispatch.services.access import audit, reach
from dispatch.services.market.donors import email_of, find_donor
from dispatch.services.market.moving import reverse as reverse_move
from dispatch.services.market.pledges import advance, find_pledge
from dispatch.services.market.receipts import give_receipts, receipts_of_gifts
from dispatch.services.market.receiving import LotDraft, Receipt, receive

ORIGIN = "market.gift"
LONGEST_NOTE = 500
MOST_FOUND = 51


class OfAnother(Conflict):
    """认捐和捐赠要在同一个社区"""


@dataclass(frozen=True, slots=True)
class GiftDraft:
    """What came: from whom, by which way, into which fund and wish, and where its money and goods are put."""

    fund_id: int
    items: tuple[GiftItem, ...]
    way: Way = Way.DESK
    donor_id: int | None = None
    earmark_id: int | None = None
    pledge_id: int | None = None
    holding_id: int | None = None
    facility_id: int | None = None
    is_named: bool = False
    happened_on: date | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Places:
    """The fund and the place of money, as a draft names them and the reach holds them."""

    fund: Fund
    holding: Holding | None


def receive_gift(session: Session, draft: GiftDraft, *, actor: Actor, now: datetime) -> Gift:
    """Take a gift: its lines, each with its entry of the journal; goods become lots. A pledge is received once.

    Raises NotFound, Invalid naming the field, PledgeNotThere, and what the journal and the stock refuse.
    """
    places = places_of(session, draft, actor=actor)
    for one in draft.items:
        if one.foreign is not None:
            check_foreign(one.foreign, clock.today(now))
    items = tuple(rule.priced(one) for one in draft.items)
    check_draft(draft, items, places, clock.today(now))
    fund = places.fund
    pledge = pledge_for(session, draft, fund, actor=actor)
    gift = Gift(
        uid=uuid4(),
        community_id=fund.community_id,
        way=str(draft.way),
        donor_id=donor_for(session, draft, fund, actor=actor),
        pledge_id=draft.pledge_id,
        fund_id=fund.id,
        earmark_id=draft.earmark_id,
        is_named=draft.is_named,
        happened_on=draft.happened_on or clock.today(now),
        note=draft.note.strip(),
        received_by=actor.user_id,
        received_by_key=actor.api_key_id,
        received_at=now,
    )
    session.add(gift)
    session.flush()
    session.add_all(
        [book(session, gift, position, one, draft, actor=actor, now=now) for position, one in enumerate(items, start=1)]
    )
    if pledge is not None:
        advance(session, pledge, PledgeState.RECEIVED)
    session.flush()
    record(session, "receive_gift", gift, actor=actor)
    give_receipts(session, gift, actor=actor, now=now)
    return gift


def places_of(session: Session, draft: GiftDraft, *, actor: Actor) -> Places:
    """The fund, open and in reach, with its wish, and the place of the money; raises Invalid naming the field."""
    query = select(Fund).where(Fund.id == draft.fund_id, Fund.closed_at.is_(None), reach.visible(Fund, actor))
    fund = session.scalars(query).one_or_none()
    if fund is None:
        raise Invalid("fund_id", "没有这个基金，请重新选择")
    if draft.earmark_id is not None:
        wish = session.get(Earmark, draft.earmark_id)
        if wish is None or wish.fund_id != fund.id or wish.closed_at is not None:
            raise Invalid("earmark_id", "这个基金没有这个捐赠意向，请重新选择")
    if draft.holding_id is None:
        return Places(fund, None)
    holding = session.get(Holding, draft.holding_id)
    is_right = holding is not None and holding.community_id == fund.community_id and holding.closed_at is None
    if holding is None or not is_right or holding.kind not in rule.PLACES_OF_MONEY:
        raise Invalid("holding_id", "捐款请选择存入哪个账户或钱箱")
    return Places(fund, holding)


def check_draft(draft: GiftDraft, items: Sequence[GiftItem], places: Places, today: date) -> None:
    """Refuse lines that say too little, money without a place, goods without a facility; raises Invalid."""
    rule.check_items(items, Owner(places.fund.owner))
    check_text("note", draft.note, LONGEST_NOTE)
    units = {one.commodity for one in items}
    if Commodity.FEN in units and places.holding is None:
        raise Invalid("holding_id", "捐款请选择存入哪个账户或钱箱")
    if units - {Commodity.FEN} and draft.facility_id is None:
        raise Invalid("facility_id", "物资请选择放在哪个超市")
    if draft.happened_on is not None and draft.happened_on > today:
        raise Invalid("happened_on", "收到的日期不能晚于今天")


def pledge_for(session: Session, draft: GiftDraft, fund: Fund, *, actor: Actor) -> Pledge | None:
    """The pledge that is kept by this gift, locked; raises NotFound, OfAnother, PledgeNotThere."""
    if draft.pledge_id is None:
        return None
    pledge = find_pledge(session, draft.pledge_id, actor=actor, locked=True)
    if pledge.community_id != fund.community_id:
        raise OfAnother
    step(PledgeState(pledge.state), PledgeState.RECEIVED)
    return pledge


def donor_for(session: Session, draft: GiftDraft, fund: Fund, *, actor: Actor) -> int | None:
    """The donor's id, None for who stays unknown; raises Invalid for another community's or a name without donor."""
    if draft.donor_id is None:
        if draft.is_named:
            raise Invalid("is_named", "不留名的捐赠不能公示姓名")
        return None
    donor = find_donor(session, draft.donor_id, actor=actor)
    if donor.community_id != fund.community_id:
        raise Invalid("donor_id", "没有这位捐赠人，请重新选择")
    return donor.id


def book(
    session: Session, gift: Gift, position: int, one: GiftItem, draft: GiftDraft, *, actor: Actor, now: datetime
) -> GiftLine:
    """The line of an item with its entry: money into its place, goods as a lot of their own."""
    move_id = None
    if one.commodity is Commodity.FEN:
        entry_id = book_money(session, gift, position, one, draft.holding_id or 0, actor=actor, now=now)
    else:
        move_id, entry_id = book_goods(session, gift, position, one, draft.facility_id or 0, actor=actor, now=now)
    return GiftLine(
        community_id=gift.community_id,
        gift_id=gift.id,
        position=position,
        item=one.item.strip(),
        commodity=str(one.commodity),
        amount=one.amount,
        goods_id=one.goods_id,
        move_id=move_id,
        entry_id=entry_id,
    )


def book_money(
    session: Session, gift: Gift, position: int, one: GiftItem, holding_id: int, *, actor: Actor, now: datetime
) -> int:
    """The entry of an item of money; its id."""
    dimension = Dimension(gift.fund_id, Commodity.FEN, gift.earmark_id)
    draft = Draft(
        community_id=gift.community_id,
        kind=EntryKind.GIFT,
        lines=at(dimension, holding_id, one.amount),
        happened_on=gift.happened_on,
        origin=ORIGIN,
        origin_id=gift.id,
        occasion=position,
        foreign=one.foreign,
    )
    return funds.post(session, draft, actor=actor, now=now).id


def book_goods(
    session: Session, gift: Gift, position: int, one: GiftItem, facility_id: int, *, actor: Actor, now: datetime
) -> tuple[int, int]:
    """The step of stock and the entry of an item of goods; their ids. Raises Invalid for goods in another unit."""
    package = one.package
    lot = LotDraft(
        goods_id=one.goods_id or 0,
        amount=one.amount,
        fund_id=gift.fund_id,
        earmark_id=gift.earmark_id,
        produced_on=package.produced_on,
        expires_on=package.expires_on,
        batch_number=package.batch_number,
    )
    receipt = Receipt(facility_id, (lot,), origin=ORIGIN, origin_id=gift.id, occasion=position)
    received = receive(session, receipt, actor=actor, now=now)
    if received.lots[0].commodity != one.commodity:
        raise Invalid("lines", "物资的数量请按目录里的单位填写")
    return received.move.id, received.move.entry_id or 0


def record(session: Session, deed: str, gift: Gift, *, actor: Actor) -> None:
    """The audit entry of what was done with a gift."""
    audit.record(session, f"market.{deed}", "gifts", gift.id, actor=actor, community_id=gift.community_id)


def find_gift(session: Session, gift_id: int, *, actor: Actor) -> Gift:
    """A gift in reach; raises NotFound."""
    gift = session.scalars(select(Gift).where(Gift.id == gift_id, reach.visible(Gift, actor))).one_or_none()
    if gift is None:
        raise NotFound
    return gift


def list_gifts(session: Session, *, before: int | None = None, limit: int = MOST_FOUND, actor: Actor) -> Sequence[Gift]:
    """The gifts of the reach, newest first."""
    query = select(Gift).where(reach.visible(Gift, actor))
    if before is not None:
        query = query.where(Gift.id < before)
    return session.scalars(query.order_by(Gift.id.desc()).limit(limit)).all()


def lines_of_gifts(session: Session, gift_ids: Sequence[int]) -> dict[int, list[tuple[GiftLine, GiftReversal | None]]]:
    """The lines of gifts in their order, each with its reversal. One query."""
    query = (
        select(GiftLine, GiftReversal)
        .outerjoin(GiftReversal, GiftReversal.line_id == GiftLine.id)
        .where(GiftLine.gift_id.in_(gift_ids))
        .order_by(GiftLine.gift_id, GiftLine.position)
    )
    found: dict[int, list[tuple[GiftLine, GiftReversal | None]]] = {gift_id: [] for gift_id in gift_ids}
    for line, reversal in session.execute(query):
        found[line.gift_id].append((line, reversal))
    return found


def find_line(session: Session, line_id: int, *, actor: Actor) -> GiftLine:
    """A line of a gift in reach; raises NotFound."""
    line = session.scalars(select(GiftLine).where(GiftLine.id == line_id, reach.visible(GiftLine, actor))).one_or_none()
    if line is None:
        raise NotFound
    return line


def reverse_line(
    session: Session, line_id: int, *, reason: str, actor: Actor, now: datetime, asked: Spending | None = None
) -> Gift:
    """Take a line back that was written by mistake, with its receipt, its entry and its step of stock; once.

    Raises NotFound, LineReversed, Invalid("reason", …), and what the journal and the stock refuse (spent meanwhile,
    one's own line that nobody else has `asked` for).
    """
    line = find_line(session, line_id, actor=actor)
    check_text("reason", reason, LONGEST_NOTE)
    if not reason.strip():
        raise Invalid("reason", "请写明为什么冲销")
    gift = session.get_one(Gift, line.gift_id, with_for_update=True, populate_existing=True)
    if session.get(GiftReversal, line.id) is not None:
        raise rule.LineReversed
    receipt = funds.receipt_of(session, line.entry_id)
    if receipt is not None:
        funds.void_receipt(session, receipt.id, reason=reason, actor=actor, now=now)
    if line.move_id is None:
        entry_id = funds.reverse(session, line.entry_id, words=reason, actor=actor, now=now, asked=asked).id
    else:
        back = reverse_move(session, line.move_id, reason=reason, actor=actor, now=now, asked=asked)
        entry_id = back.entry_id or 0
    reversal = GiftReversal(
        line_id=line.id,
        community_id=line.community_id,
        entry_id=entry_id,
        reason=reason.strip(),
        reversed_by=actor.user_id,
        reversed_at=now,
    )
    session.add(reversal)
    session.flush()
    audit.record(session, "market.reverse_line", "gift_lines", line.id, actor=actor, community_id=line.community_id)
    return gift


def thank(session: Session, gift_id: int, *, actor: Actor, now: datetime) -> Gift:
    """Note that the donor was thanked, once, and write to the address that was left for it. Raises NotFound."""
    gift = find_gift(session, gift_id, actor=actor)
    if gift.thanked_at is None:
        gift.thanked_at, gift.thanked_by = now, actor.user_id
        session.flush()
        write_thanks(session, gift, actor=actor, now=now)
        record(session, "thank", gift, actor=actor)
    return gift


def write_thanks(session: Session, gift: Gift, *, actor: Actor, now: datetime) -> None:
    """A letter of thanks with the numbers of the receipts, where the donor left an address; never a name or an item."""
    address = email_of(find_donor(session, gift.donor_id, actor=actor)) if gift.donor_id is not None else ""
    if not address:
        return
    receipts = [row.receipt for row in receipts_of_gifts(session, [gift.id])[gift.id] if row.receipt.voided_at is None]
    facts = {
        "numbers": "、".join(funds.number_of(one) for one in receipts),
        "place": session.get_one(Organisation, gift.community_id).name,
    }
    about = {"dedupe": f"thanks:{gift.id}", "address": address, "community_id": gift.community_id}
    notify.write_letter(session, **about, facts=facts, now=now)  # type: ignore[arg-type]
