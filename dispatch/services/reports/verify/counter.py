"""Hand-outs are what was signed: list, signature, step of stock, month and reservation agree."""

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.models.access import File
from dispatch.models.market import Goods, HandOut, HandOutLine
from dispatch.rules.market.hand_outs import HandOutState, ListLine, list_digest
from dispatch.services.access import vault
from dispatch.services.market import hand_outs
from dispatch.services.reports.verify.asked import said

AT_ONCE = 500
PROMISED = """
    SELECT lot_id FROM lot_balances AS b FULL JOIN (
        SELECT l.lot_id, l.facility_id, l.spot, sum(l.amount) AS amount
        FROM hand_outs AS h JOIN hand_out_lines AS l ON l.hand_out_id = h.id WHERE h.state = 'reserved' GROUP BY 1, 2, 3
    ) AS held USING (lot_id, facility_id, spot) WHERE coalesce(b.reserved, 0) <> coalesce(held.amount, 0) ORDER BY 1
"""
MONTHS = """
    SELECT household_id FROM household_months AS m FULL JOIN (
        SELECT household_id, month, sum(points) AS points FROM hand_outs WHERE state IN ('reserved', 'done')
        GROUP BY 1, 2
    ) AS h USING (household_id, month) WHERE coalesce(m.used, 0) <> coalesce(h.points, 0) ORDER BY 1
"""
UNBOOKED = """
    SELECT id FROM hand_outs AS h WHERE state = 'done' AND NOT EXISTS (
        SELECT FROM stock_moves WHERE origin = 'market.hand_out' AND origin_id = h.id AND kind = 'hand_out'
    ) ORDER BY 1
"""
UNSIGNED = """
    SELECT id FROM stock_moves AS s WHERE origin = 'market.hand_out' AND kind = 'hand_out' AND NOT EXISTS (
        SELECT FROM hand_outs WHERE id = s.origin_id AND state = 'done'
    ) ORDER BY 1
"""
SENTENCES = (
    (PROMISED, "lot {}: what is reserved is not what open hand-outs hold"),
    (MONTHS, "household {}: its month is not the sum of its hand-outs"),
    (UNBOOKED, "hand-out {}: it was signed and is not booked"),
    (UNSIGNED, "step of stock {}: it hands out what nobody has signed"),
)


def wrong_hand_outs(session: Session) -> Iterator[str]:
    """One line per hand-out, lot or household whose rows do not agree; signatures are streamed."""
    yield from said(session, SENTENCES)
    last = 0
    while found := some_done(session, last):
        codes = lines_of(session, [one.id for one, _ in found])
        for one, picture in found:
            if list_digest(str(one.uid), codes.get(one.id, [])) != one.list_hash:
                yield f"hand-out {one.id}: its list is not the one that was signed"
            if one.signature is None or not vault.is_signed(
                hand_outs.SIGNING, hand_outs.bound(one, picture), one.signature
            ):
                yield f"hand-out {one.id}: its signature does not hold"
        last = found[-1][0].id


def some_done(session: Session, after: int) -> list[tuple[HandOut, bytes]]:
    """The next signed hand-outs with the digest of their picture."""
    rows = session.execute(
        select(HandOut, File.digest)
        .outerjoin(File, (File.subject == hand_outs.SUBJECT) & (File.subject_id == HandOut.id))
        .where(HandOut.id > after, HandOut.state == str(HandOutState.DONE))
        .order_by(HandOut.id)
        .limit(AT_ONCE)
    )
    return [(one, digest or b"") for one, digest in rows]


def lines_of(session: Session, ids: list[int]) -> dict[int, list[ListLine]]:
    """The lists of some hand-outs as they were hashed."""
    found: dict[int, list[ListLine]] = {}
    rows = session.execute(
        select(HandOutLine, Goods.code)
        .join(Goods, Goods.id == HandOutLine.goods_id)
        .where(HandOutLine.hand_out_id.in_(ids))
    )
    for line, code in rows:
        found.setdefault(line.hand_out_id, []).append(ListLine(code, line.lot_id, line.amount, line.points))
    return found
