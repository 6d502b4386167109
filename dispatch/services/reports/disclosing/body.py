"""What a statement says: sums by fund and commodity, how many were reached, what the inspections found.

All of it is summed by the database over the days of the period and since: what comes out is a row per fund and
commodity, however many lines the journal has.
"""

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from dispatch.models.access import Organisation
from dispatch.models.funds import Entry, Fund
from dispatch.rules.access.chain import GENESIS
from dispatch.rules.funds.terms import EntryKind, Purpose
from dispatch.rules.reports.daybook import Line, day_book, root_of_lines
from dispatch.rules.reports.hiding import Reached, told
from dispatch.rules.reports.periods import bounds_of_day
from dispatch.rules.reports.replay import Moved, sheet

FORMAT = 2

MOVED = text(
    "SELECT fund.code AS fund, account.commodity, coalesce(undone.kind, entry.kind) AS kind, "
    "coalesce(undone.purpose, entry.purpose) AS purpose, entry.posted_on <= :last AS inside, "
    "CASE WHEN entry.posted_on > :last THEN NULL "
    "WHEN coalesce(undone.purpose, entry.purpose, 'running') = 'running' THEN entry.posted_on "
    "ELSE greatest(date_trunc('month', entry.posted_on)::date, CAST(:first AS date)) END AS day, "
    "sum(line.amount)::bigint AS amount FROM entries AS entry JOIN entry_lines AS line ON line.entry_id = entry.id "
    "JOIN accounts AS account ON account.id = line.account_id AND account.holding_id IS NULL "
    "JOIN funds AS fund ON fund.id = account.fund_id LEFT JOIN entries AS undone ON undone.id = entry.reverses_id "
    "WHERE entry.community_id = :community AND entry.posted_on >= :first GROUP BY 1, 2, 3, 4, 5, 6 "
    "UNION ALL SELECT fund.code, account.commodity, NULL, NULL, NULL, NULL, sum(balance.amount)::bigint "
    "FROM accounts AS account JOIN balances AS balance ON balance.account_id = account.id "
    "JOIN funds AS fund ON fund.id = account.fund_id "
    "WHERE account.community_id = :community AND account.holding_id IS NULL GROUP BY 1, 2"
)
"""What was moved in the period and since, and what is held: one statement, so that both are of one instant. What
reached somebody is gathered by the month, what did not by the day: so the day book has it."""
UNDONE = text(
    "SELECT count(*) FROM entries AS undoing JOIN entries AS entry ON entry.id = undoing.reverses_id "
    "WHERE undoing.community_id = :community AND undoing.posted_on > :last "
    "AND entry.posted_on BETWEEN :first AND :last"
)
"""How many entries of the period were reversed after it."""
REACHED = text(
    "WITH told AS (SELECT id, kind, purpose, origin, origin_id FROM entries AS entry "
    "WHERE community_id = :community AND posted_on BETWEEN :first AND :last "
    "AND kind IN ('hand_out', 'parcel', 'shipment', 'redeem') AND NOT EXISTS (SELECT FROM entries AS undoing "
    "WHERE undoing.community_id = :community AND undoing.reverses_id = entry.id AND undoing.posted_on <= :last)) "
    "SELECT told.purpose, count(DISTINCT coalesce(holder.resident_id, member.id)) AS persons, "
    "count(DISTINCT hand_out.household_id) AS households FROM told "
    "JOIN stock_moves AS move ON move.entry_id = told.id AND move.origin = 'market.hand_out' "
    "JOIN hand_outs AS hand_out ON hand_out.id = move.origin_id JOIN cards AS card ON card.id = hand_out.card_id "
    "JOIN beneficiaries AS holder ON holder.id = card.beneficiary_id "
    "LEFT JOIN residents AS member ON member.household_id = holder.household_id "
    "WHERE told.kind = 'hand_out' GROUP BY 1 "
    "UNION ALL SELECT told.purpose, count(DISTINCT member.id), count(DISTINCT parcel.household_id) FROM told "
    "JOIN stock_moves AS move ON move.entry_id = told.id AND move.origin = 'market.parcel' "
    "JOIN round_entries AS parcel ON parcel.id = move.origin_id "
    "LEFT JOIN residents AS member ON member.household_id = parcel.household_id "
    "WHERE told.kind = 'parcel' GROUP BY 1 "
    "UNION ALL SELECT told.purpose, sum(shipment.persons), 0 FROM told "
    "JOIN shipments AS shipment ON told.origin = 'market.shipment.shipment' AND shipment.id = told.origin_id "
    "WHERE told.kind = 'shipment' GROUP BY 1 "
    "UNION ALL SELECT 'voucher', count(DISTINCT holder.id), count(DISTINCT holder.household_id) FROM told "
    "JOIN voucher_redemptions AS taken ON taken.entry_id = told.id JOIN vouchers ON vouchers.id = taken.voucher_id "
    "JOIN residents AS holder ON holder.id = vouchers.resident_id WHERE told.kind = 'redeem' GROUP BY 1"
)
"""Who was reached, by purpose: at the counter and by the parcels of a round those who live here; by relief shipments
as many as they were sent for, wherever they live; by vouchers those whose voucher a firm has taken some of."""
INSPECTED = text(
    "SELECT count(*) AS held, count(*) FILTER (WHERE round.done_at IS NULL OR round.done_at >= :end) AS unfinished, "
    "coalesce(sum(found.near), 0)::bigint AS near, coalesce(sum(found.expired), 0)::bigint AS expired, "
    "coalesce(sum(found.spoiled), 0)::bigint AS spoiled FROM inspections AS round LEFT JOIN LATERAL ("
    "SELECT count(*) FILTER (WHERE finding = 'near') AS near, count(*) FILTER (WHERE finding = 'expired') AS expired, "
    "count(*) FILTER (WHERE finding = 'spoiled') AS spoiled FROM inspection_ticks AS tick "
    "WHERE tick.inspection_id = round.id AND tick.ticked_at < :end) AS found ON true "
    "WHERE round.community_id = :community AND round.started_at >= :begin AND round.started_at < :end"
)


@dataclass(frozen=True, slots=True)
class Said:
    """What a statement says, and the day book from which it can be replayed."""

    body: dict[str, Any]
    day_book: list[Line]


def said_of(session: Session, community: Organisation, first: date, last: date) -> Said:
    """What the statement says: sums by fund and commodity, counts of beneficiaries, inspections, the heads."""
    begin, end = bounds_of_day(first)[0], bounds_of_day(last)[1]
    asked = {"community": community.id, "first": first, "last": last, "begin": begin, "end": end}
    counts = {
        Purpose(row.purpose): Reached(max(row.persons, row.households), row.households)
        for row in session.execute(REACHED, asked)
    }
    found = told(counts)
    inspected = session.execute(INSPECTED, asked).mappings().one()
    rows, lines = rows_of(session, asked)
    body = {
        "format": FORMAT,
        "community": community.name,
        "from": first.isoformat(),
        "until": last.isoformat(),
        "names": names_of_funds(session, community.id),
        "funds": rows,
        "beneficiaries": {purpose: one and asdict(one) for purpose, one in found.by_purpose.items()},
        "beneficiaries_in_all": found.total and asdict(found.total),
        "inspections": dict(inspected),
        "undone_later": session.execute(UNDONE, asked).scalar_one(),
        "journal": head_of(session, community.id, last)
        | {"before": head_of(session, community.id, first - timedelta(days=1))}
        | {"lines": len(lines), "root": root_of_lines(lines).hex()},
    }
    return Said(body, lines)


def head_of(session: Session, community_id: int, day: date) -> dict[str, Any]:
    """The head of the chain at the end of a day: how many entries, and the digest over all of them."""
    head = session.execute(
        select(Entry.seq, Entry.digest)
        .where(Entry.community_id == community_id, Entry.posted_on <= day)
        .order_by(Entry.posted_on.desc(), Entry.seq.desc())
        .limit(1)
    ).one_or_none()
    return {"seq": head.seq, "digest": head.digest.hex()} if head else {"seq": 0, "digest": GENESIS.hex()}


def names_of_funds(session: Session, community_id: int) -> dict[str, str]:
    """The names of the community's funds by their codes."""
    rows = session.execute(select(Fund.code, Fund.name).where(Fund.community_id == community_id))
    return {row.code: row.name for row in rows}


def rows_of(session: Session, asked: dict[str, Any]) -> tuple[list[dict[str, Any]], list[Line]]:
    """The sheet of the period, as it leaves, and the lines of its day book."""
    held: dict[tuple[str, str], int] = {}
    after: dict[tuple[str, str], int] = {}
    inside = []
    for row in session.execute(MOVED, asked):
        key = (row.fund, row.commodity)
        if row.kind is None:
            held[key] = row.amount
        elif row.inside:
            inside.append((row.day, Moved(*key, EntryKind(row.kind), row.purpose, row.amount)))
        else:
            after[key] = after.get(key, 0) + row.amount
    rows = sheet(held, (moved for _, moved in inside), after)
    return [asdict(row) | {"closing": row.closing} for row in rows], day_book(inside, asked["first"], asked["last"])
