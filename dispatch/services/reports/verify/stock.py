"""The stock: nothing past its day was ever given, by the chain alone; and the movements are what the chain says."""

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import islice
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from dispatch.rules.market.shelf import Days, LotShelf, MoveKind, Spot, refusal

MOST_NAMED: Final = 20
AT_ONCE: Final = 1_000
STREAMED: Final = {"yield_per": AT_ONCE}

STEPS: Final = text(
    "SELECT community_id, seq, kind, posted_on, facts FROM entries WHERE facts ? 'pieces' ORDER BY community_id, seq"
)
OTHERWISE: Final = text(
    "SELECT entry.community_id, entry.seq FROM entries AS entry LEFT JOIN stock_moves AS move "
    "ON move.entry_id = entry.id LEFT JOIN LATERAL (SELECT jsonb_agg(jsonb_build_array(movement.lot_id, "
    "movement.facility_id, movement.spot, movement.amount, lots.is_food::int, movement.last_good_day) "
    "ORDER BY movement.lot_id, movement.facility_id, movement.spot) AS pieces FROM movements AS movement "
    "JOIN lots ON lots.id = movement.lot_id WHERE movement.move_id = move.id) AS moved ON true "
    "WHERE entry.facts ? 'pieces' AND (move.kind IS DISTINCT FROM entry.facts ->> 'move' "
    "OR move.signed_on::text IS DISTINCT FROM entry.facts ->> 'signed_on' "
    "OR move.consumed_on::text IS DISTINCT FROM entry.facts ->> 'consumed_on' "
    "OR moved.pieces IS DISTINCT FROM entry.facts -> 'pieces') ORDER BY entry.community_id, entry.seq LIMIT :most"
)
NOT_REVERSED: Final = text(
    "SELECT move.id FROM stock_moves AS move WHERE move.kind = 'reverse' AND EXISTS ("
    "SELECT FROM (SELECT * FROM movements WHERE move_id = move.id) AS back "
    "FULL JOIN (SELECT * FROM movements WHERE move_id = move.reverses_id) AS first USING (lot_id, facility_id, spot) "
    "WHERE back.amount IS DISTINCT FROM -first.amount) ORDER BY move.id LIMIT :most"
)
UNEXPLAINED: Final = text(
    "SELECT DISTINCT entry.community_id, entry.seq FROM entry_lines AS line "
    "JOIN accounts ON accounts.id = line.account_id AND accounts.holding_kind = 'stock' "
    "JOIN entries AS entry ON entry.id = line.entry_id "
    "WHERE NOT EXISTS (SELECT FROM stock_moves WHERE stock_moves.entry_id = entry.id) LIMIT :most"
)
BALANCES: Final = text(
    "SELECT lot_id, facility_id, spot, sum(kept) AS kept, sum(moved) AS moved FROM ("
    "SELECT lot_id, facility_id, spot, amount AS kept, 0 AS moved FROM lot_balances "
    "UNION ALL SELECT lot_id, facility_id, spot, 0, amount FROM movements) AS both_of "
    "GROUP BY lot_id, facility_id, spot HAVING sum(kept) <> sum(moved) OR sum(moved) < 0 ORDER BY 1, 2, 3 LIMIT :most"
)
HELD: Final = text(
    "SELECT holding_id, fund_id, commodity, sum(booked) AS booked, sum(moved) AS moved FROM ("
    "SELECT accounts.holding_id, accounts.fund_id, accounts.earmark_id, accounts.commodity, balances.amount AS booked, "
    "0 AS moved FROM accounts JOIN balances ON balances.account_id = accounts.id WHERE holding_kind = 'stock' "
    "UNION ALL SELECT facilities.holding_id, lots.fund_id, lots.earmark_id, lots.commodity, 0, movements.amount "
    "FROM movements JOIN lots ON lots.id = movements.lot_id JOIN facilities ON facilities.id = movements.facility_id"
    ") AS both_of GROUP BY holding_id, fund_id, earmark_id, commodity HAVING sum(booked) <> sum(moved) "
    "ORDER BY 1, 2, 3 LIMIT :most"
)
GIVING_ENTRIES: Final = frozenset({"hand_out", "parcel", "shipment", "sale", "kit"})


def wrong_stock(session: Session) -> Iterator[str]:
    """One line per step that gave what was past its day, and per movement or balance that the chain does not say.

    The chain is streamed in constant memory; at most twenty lines of each kind.
    """
    yield from islice(past_their_day(session), MOST_NAMED)
    most = {"most": MOST_NAMED}
    for row in session.execute(OTHERWISE, most):
        yield f"entry {row.seq} of community {row.community_id}: its movements are not what the chain says"
    for row in session.execute(NOT_REVERSED, most):
        yield f"step {row.id}: it does not take back exactly what it names"
    for row in session.execute(UNEXPLAINED, most):
        yield f"entry {row.seq} of community {row.community_id}: goods came or went without a step"
    for row in session.execute(BALANCES, most):
        place = f"lot {row.lot_id} at {row.spot} of facility {row.facility_id}"
        yield f"{place}: {row.kept} in the balance, {row.moved} by its movements"
    for row in session.execute(HELD, most):
        place = f"holding {row.holding_id}, fund {row.fund_id}, {row.commodity}"
        yield f"{place}: {row.booked} in the journal, {row.moved} by the movements"


def past_their_day(session: Session) -> Iterator[str]:
    """The givings of the chain that the one rule would have refused, judged by what stands in the chain alone."""
    for row in session.execute(STEPS, execution_options=STREAMED):
        for lot_id, reason in refused(row.kind, row.posted_on, row.facts):
            yield f"entry {row.seq} of community {row.community_id}: lot {lot_id} was given, which was {reason}"


def refused(entry_kind: str, posted_on: date, facts: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    """The lots of a step that could not be given, with the reason; a step that hides what it is is one of them."""
    kind, signed_on = MoveKind(facts["move"]), date.fromisoformat(facts["signed_on"])
    consumed_on = None if facts["consumed_on"] is None else date.fromisoformat(facts["consumed_on"])
    if entry_kind in GIVING_ENTRIES and kind != entry_kind:
        yield 0, f"called {kind}"
    for lot_id, _, spot, amount, is_food, last in facts["pieces"]:
        if amount > 0:
            continue
        last_day = None if last is None else date.fromisoformat(last)
        shelf = LotShelf(bool(is_food), last_day, min(signed_on, posted_on), Spot(spot))
        reason = refusal(shelf, kind, Days(signed_on, posted_on, consumed_on))
        if reason is not None:
            yield lot_id, str(reason)
