"""What a charity sale sells: own goods on their way until they are sold or back, a partner's and consigned in words."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch.errors import Invalid, NotFound
from dispatch.models.funds import Holding
from dispatch.models.market import Facility, Goods, Sale, SaleLine
from dispatch.rules.access.roles import Actor
from dispatch.rules.funds.draft import Dimension, Draft, Line, added_up, at
from dispatch.rules.funds.terms import Commodity, EntryKind, HoldingKind
from dispatch.rules.market import sales as rule
from dispatch.rules.market.sales import SaleSource, SaleState
from dispatch.rules.market.shelf import MoveKind, Spot
from dispatch.rules.market.shipments import parted
from dispatch.services import funds
from dispatch.services.access import audit, reach
from dispatch.services.market import sales, transit
from dispatch.services.market.facilities import demand_keeper, find_facility
from dispatch.services.market.goods import find_goods
from dispatch.services.market.lots import lock_lots
from dispatch.services.market.moving import Outgoing, Wish, move_out
from dispatch.services.market.writing import Piece, Step, write

TAKINGS, ORIGIN, BACK = "market.sale", "market.sale_goods", "market.sale_back"
CODE, NAME = "sale-transit", "义卖物资在途"


def bring_own(
    session: Session, sale_id: int, facility_id: int, goods_id: int, amount: int, *, actor: Actor, now: datetime
) -> SaleLine:
    """Take own goods of the sale's fund and wish to it, what ends first first, judged today. Only the keeper.

    Raises NotFound, NotKeeper, SaleNotThere, NotEnough, Invalid("amount", …).
    """
    sale = sales.find_sale(session, sale_id, actor=actor, locked=True)
    rule.check_brought(SaleState(sale.state), amount)
    facility = find_facility(session, facility_id, actor=actor)
    demand_keeper(session, facility_id, actor=actor, now=now)
    goods = find_goods(session, goods_id, actor=actor)
    if not facility.community_id == goods.community_id == sale.community_id:
        raise NotFound
    position = next_position(session, sale)
    outgoing = Outgoing(
        kind=MoveKind.SALE,
        facility_id=facility_id,
        wishes=(Wish(goods_id, amount, purse=(sale.fund_id, sale.earmark_id)),),
        transit_id=transit.transit_holding(session, facility, (CODE, NAME), actor=actor, now=now),
        reason=sale.name,
        origin=ORIGIN,
        origin_id=sale.id,
        occasion=position,
    )
    made = SaleLine(
        community_id=sale.community_id,
        sale_id=sale.id,
        position=position,
        source=str(SaleSource.OWN),
        words=goods.name,
        goods_id=goods_id,
        facility_id=facility_id,
        move_id=move_out(session, outgoing, actor=actor, now=now).move.id,
        brought=amount,
    )
    return kept(session, made, actor=actor)


def bring_others(
    session: Session, sale_id: int, source: SaleSource, words: str, pieces: int, *, actor: Actor
) -> SaleLine:
    """Note goods of the partner's, or that somebody left to be sold; they never stand in our books.

    Raises NotFound, SaleNotThere, Invalid naming words, amount or source.
    """
    sale = sales.find_sale(session, sale_id, actor=actor, locked=True)
    rule.check_brought(SaleState(sale.state), pieces)
    rule.check_others(source, words)
    made = SaleLine(
        community_id=sale.community_id,
        sale_id=sale.id,
        position=next_position(session, sale),
        source=str(source),
        words=words.strip(),
        brought=pieces,
    )
    return kept(session, made, actor=actor)


def next_position(session: Session, sale: Sale) -> int:
    """The place of the next line of a locked sale."""
    newest = select(func.coalesce(func.max(SaleLine.position), 0)).where(SaleLine.sale_id == sale.id)
    return session.scalars(newest).one() + 1


def kept(session: Session, line: SaleLine, *, actor: Actor) -> SaleLine:
    """Write a line and its audit entry."""
    session.add(line)
    session.flush()
    about = {"actor": actor, "community_id": line.community_id}
    audit.record(session, "market.bring_to_sale", "sale_lines", line.id, **about)  # type: ignore[arg-type]
    return line


def lines_of_sale(session: Session, sale_id: int) -> Sequence[tuple[SaleLine, Goods | None]]:
    """The lines of a sale in their order, own ones with their goods."""
    query = select(SaleLine, Goods).outerjoin(Goods, Goods.id == SaleLine.goods_id).where(SaleLine.sale_id == sale_id)
    return [(row[0], row[1]) for row in session.execute(query.order_by(SaleLine.position))]


def find_line(session: Session, line_id: int, *, actor: Actor) -> tuple[SaleLine, Goods | None]:
    """A line in reach, with its goods; raises NotFound."""
    query = select(SaleLine, Goods).outerjoin(Goods, Goods.id == SaleLine.goods_id)
    row = session.execute(query.where(SaleLine.id == line_id, reach.visible(SaleLine, actor))).one_or_none()
    if row is None:
        raise NotFound
    return row[0], row[1]


def settle_line(session: Session, line_id: int, sold: int, *, actor: Actor, now: datetime) -> SaleLine:
    """Say once how much of a line was sold; own goods that were not come back into quarantine, the same lots.

    Raises NotFound, NotKeeper (own goods), SaleNotThere, Invalid("sold", …).
    """
    found, _ = find_line(session, line_id, actor=actor)
    sale = sales.find_sale(session, found.sale_id, actor=actor, locked=True)
    session.refresh(found)
    rule.check_sold(SaleState(sale.state), found.brought, found.sold, sold)
    if found.facility_id is not None:
        demand_keeper(session, found.facility_id, actor=actor, now=now)
        bring_back(session, found, found.brought - sold, actor=actor, now=now)
    found.sold = sold
    session.flush()
    audit.record(
        session, "market.settle_sale_line", "sale_lines", found.id, actor=actor, community_id=found.community_id
    )
    return found


def bring_back(session: Session, line: SaleLine, returned: int, *, actor: Actor, now: datetime) -> None:
    """What was not sold stands apart: what ended first is taken to have come back."""
    if not returned or line.move_id is None or line.facility_id is None:
        return
    back = parted([one for one, _ in transit.sent_lots(session, line.move_id)], returned, 0)
    lock_lots(session, {lot.lot_id for lot, _ in back})
    step = Step(
        MoveKind.RETURN,
        session.get_one(Facility, line.facility_id),
        tuple(Piece(lot.lot_id, line.facility_id, Spot.QUARANTINE, became.returned) for lot, became in back),
        entry=EntryKind.TRANSFER,
        origin=BACK,
        origin_id=line.id,
        transit_id=transit.transit_of(session, line.move_id),
    )
    write(session, step, actor=actor, now=now)


def sold_lines(session: Session, sale: Sale) -> list[Line]:
    """What of own goods was sold, as it leaves the books: lot by lot what did not come back.

    Raises Invalid("lines") while nobody has said of some goods how much was sold.
    """
    found: list[Line] = []
    for line, _ in lines_of_sale(session, sale.id):
        if line.sold is None:
            raise Invalid("lines", "请先逐样填写卖出多少，没卖掉的退回")
        if line.move_id is None or not line.sold:
            continue
        transit_id = transit.transit_of(session, line.move_id)
        sent = transit.sent_lots(session, line.move_id)
        dimensions = {one.lot_id: dimension for one, dimension in sent}
        for lot, became in parted([one for one, _ in sent], line.brought - line.sold, 0):
            if became.received and transit_id is not None:
                found += at(dimensions[lot.lot_id], transit_id, -became.received)
    return found


def bank_sale(session: Session, sale_id: int, fen: int, holding_id: int, *, actor: Actor, now: datetime) -> Sale:
    """Bank all that was counted into the named fund, and write off own goods that were sold for it.

    Raises NotFound, SaleNotThere, Invalid naming the field.
    """
    sale = sales.find_sale(session, sale_id, actor=actor, locked=True)
    rule.check_banked(SaleState(sale.state), sale.first_fen or 0, fen)
    holding = session.get(Holding, holding_id)
    is_bank = holding is not None and holding.kind == HoldingKind.BANK and holding.closed_at is None
    if holding is None or not is_bank or holding.community_id != sale.community_id:
        raise Invalid("holding_id", "请选择存入哪个银行账户")
    sale.entry_id = book(session, sale, fen, holding_id, actor=actor, now=now)
    sale.state, sale.banked_by, sale.banked_at = str(SaleState.BANKED), actor.user_id, now
    session.flush()
    sales.record(session, "bank_sale", sale, actor=actor)
    return sale


def book(session: Session, sale: Sale, fen: int, holding_id: int, *, actor: Actor, now: datetime) -> int | None:
    """The entry of the takings, and of own goods that were sold for them; its id, None where nothing was taken."""
    goods = sold_lines(session, sale)
    if not fen and not goods:
        return None
    money = at(Dimension(sale.fund_id, Commodity.FEN, sale.earmark_id), holding_id, fen) if fen else ()
    kind = EntryKind.GIFT if not goods else EntryKind.SALE if fen else EntryKind.SHORTAGE
    draft = Draft(
        community_id=sale.community_id,
        kind=kind,
        lines=added_up([*money, *goods]),
        happened_on=sale.held_on,
        origin=TAKINGS,
        origin_id=sale.id,
    )
    entry = funds.post(session, draft, actor=actor, now=now)
    return entry.id if fen else None


def sold_of_sales(session: Session, sale_ids: Sequence[int]) -> dict[int, list[tuple[SaleLine, Goods | None]]]:
    """What of each line was sold, for those of which something was; one query."""
    query = (
        select(SaleLine, Goods)
        .outerjoin(Goods, Goods.id == SaleLine.goods_id)
        .where(SaleLine.sale_id.in_(sale_ids), SaleLine.sold > 0)
        .order_by(SaleLine.sale_id, SaleLine.position)
    )
    found: dict[int, list[tuple[SaleLine, Goods | None]]] = {sale_id: [] for sale_id in sale_ids}
    for line, goods in session.execute(query):
        found[line.sale_id].append((line, goods))
    return found
