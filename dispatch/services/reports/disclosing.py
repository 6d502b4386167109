"""Statements of the supermarket (公示): replayed from the journal, published by themselves, corrected by new versions.

What is summed is summed by the database over the days of the period and since; what comes out is a row per fund and
commodity, however many lines the journal has. The lines of gifts are read in blocks.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.db import insert_rows
from dispatch.errors import NotFound
from dispatch.models.access import Organisation
from dispatch.models.funds import Entry, Fund, Receipt
from dispatch.models.market import GiftLine
from dispatch.models.reports import Disclosure, DisclosureLeaf
from dispatch.rules.access.chain import canonical
from dispatch.rules.access.roles import SYSTEM
from dispatch.rules.funds.terms import EntryKind, Purpose
from dispatch.rules.reports.hiding import Reached, told
from dispatch.rules.reports.merkle import GiftLeaf, proof_of, root_of
from dispatch.rules.reports.periods import bounds_of_day, bounds_of_quarter, previous_period, quarter_of
from dispatch.rules.reports.replay import Moved, sheet
from dispatch.services import funds, market, notify
from dispatch.services.access import audit, policies

LATE_POLICY = "statement.publish_within_days"
EMERGENCY_POLICY = "disclosure.emergency"
EMERGENCY_DAYS_POLICY = "disclosure.emergency_every_days"
CORRECTION = "按最新记录更正"
FORMAT = 1
LEAVES_AT_ONCE = 1000
MOST_LISTED = 100

MOVED = text(
    "SELECT fund.code AS fund, account.commodity, coalesce(undone.kind, entry.kind) AS kind, "
    "coalesce(undone.purpose, entry.purpose) AS purpose, entry.posted_on <= :last AS inside, "
    "sum(line.amount)::bigint AS amount FROM entries AS entry JOIN entry_lines AS line ON line.entry_id = entry.id "
    "JOIN accounts AS account ON account.id = line.account_id AND account.holding_id IS NULL "
    "JOIN funds AS fund ON fund.id = account.fund_id LEFT JOIN entries AS undone ON undone.id = entry.reverses_id "
    "WHERE entry.community_id = :community AND entry.posted_on >= :first GROUP BY 1, 2, 3, 4, 5 "
    "UNION ALL SELECT fund.code, account.commodity, NULL, NULL, NULL, sum(balance.amount)::bigint "
    "FROM accounts AS account JOIN balances AS balance ON balance.account_id = account.id "
    "JOIN funds AS fund ON fund.id = account.fund_id "
    "WHERE account.community_id = :community AND account.holding_id IS NULL GROUP BY 1, 2"
)
"""What was moved in the period and since, and what is held: one statement, so that both are of one instant."""
REACHED = text(
    "SELECT entry.purpose, count(DISTINCT coalesce(holder.resident_id, member.id)) AS persons, "
    "count(DISTINCT hand_out.household_id) AS households FROM entries AS entry "
    "JOIN stock_moves AS move ON move.entry_id = entry.id AND move.origin = 'market.hand_out' "
    "JOIN hand_outs AS hand_out ON hand_out.id = move.origin_id JOIN cards AS card ON card.id = hand_out.card_id "
    "JOIN beneficiaries AS holder ON holder.id = card.beneficiary_id "
    "LEFT JOIN residents AS member ON member.household_id = holder.household_id "
    "WHERE entry.community_id = :community AND entry.posted_on BETWEEN :first AND :last AND entry.kind = 'hand_out' "
    "AND NOT EXISTS (SELECT FROM entries AS undoing WHERE undoing.reverses_id = entry.id "
    "AND undoing.posted_on <= :last) GROUP BY 1"
)
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
class Proof:
    """That a line stands in a published statement: its place and the digests beside its way to the root."""

    disclosure: Disclosure
    line: GiftLeaf
    position: int
    beside: tuple[bytes, ...]


def days_of_quarter(quarter: str) -> tuple[date, date]:
    """The first and the last day of a quarter."""
    begin, end = bounds_of_quarter(quarter)
    return clock.today(begin), clock.today(end) - timedelta(days=1)


def communities_with_a_journal(session: Session, last: date) -> list[Organisation]:
    """The communities, hidden ones aside, whose journal had begun by a day: they owe a statement."""
    begun = select(Entry.community_id).where(Entry.seq == 1, Entry.posted_on <= last)
    query = select(Organisation).where(Organisation.id.in_(begun), ~Organisation.is_hidden)
    return list(session.scalars(query.order_by(Organisation.id)))


def disclose_quarter(session: Session, quarter: str, *, now: datetime) -> int:
    """Publish the statement of a quarter for every community with a journal; returns how many versions were made.

    Repeating makes nothing new. One that is published later than the policy allows stands with an alarm.
    """
    first, last = days_of_quarter(quarter)
    made = 0
    for community in communities_with_a_journal(session, last):
        if disclose(session, community, first, last, now=now):
            made += 1
            if now > late_after(session, community.id, last):
                alarm(session, community.id, first, level="notice")
    return made


def disclose_emergencies(session: Session, *, now: datetime) -> int:
    """While an emergency is declared: publish the last finished days, five at a time, once; returns how many."""
    today, made = clock.today(now), 0
    for community in communities_with_a_journal(session, today):
        if not policies.policy(session, community.id, EMERGENCY_POLICY):
            continue
        days = int(policies.policy(session, community.id, EMERGENCY_DAYS_POLICY))
        last = date.fromordinal(today.toordinal() // days * days) - timedelta(days=1)
        first = last - timedelta(days=days - 1)
        if newest(session, community.id, first, last) is None:
            made += disclose(session, community, first, last, now=now)
    return made


def newest(session: Session, community_id: int, first: date, last: date) -> Disclosure | None:
    """The newest version of a period's statement."""
    query = select(Disclosure).where(
        Disclosure.community_id == community_id, Disclosure.first_day == first, Disclosure.last_day == last
    )
    return session.scalars(query.order_by(Disclosure.version.desc()).limit(1)).one_or_none()


def disclose(session: Session, community: Organisation, first: date, last: date, *, now: datetime) -> bool:
    """Publish a new version of a community's statement unless the last one says the same already."""
    root, count = root_and_count(session, community.id, first, last)
    body = body_of(session, community, first, last) | {"gifts": {"lines": count, "root": root.hex()}}
    digest = sha256(canonical(body)).digest()
    before = newest(session, community.id, first, last)
    if before is not None and before.digest == digest:
        return False
    made = Disclosure(
        community_id=community.id,
        first_day=first,
        last_day=last,
        version=1 if before is None else before.version + 1,
        body=body,
        digest=digest,
        root=root,
        leaf_count=count,
        note="" if before is None else CORRECTION,
        published_at=now,
    )
    session.add(made)
    session.flush()
    keep_leaves(session, made)
    notify.clear_alarms(session, subject=subject_of(community.id, first), kinds=("disclosure_late",), now=now)
    audit.record(
        session,
        "reports.disclose",
        "disclosures",
        made.id,
        actor=SYSTEM,
        community_id=community.id,
        fields={"first_day": first.isoformat(), "version": str(made.version)},
    )
    return True


def body_of(session: Session, community: Organisation, first: date, last: date) -> dict[str, Any]:
    """What the statement says: sums by fund and commodity, counts of beneficiaries, inspections, the journal's head."""
    begin, end = bounds_of_day(first)[0], bounds_of_day(last)[1]
    asked = {"community": community.id, "first": first, "last": last, "begin": begin, "end": end}
    counts = {
        Purpose(row.purpose): Reached(max(row.persons, row.households), row.households)
        for row in session.execute(REACHED, asked)
    }
    found = told(counts)
    inspected = session.execute(INSPECTED, asked).mappings().one()
    head = session.execute(
        select(Entry.seq, Entry.digest)
        .where(Entry.community_id == community.id, Entry.posted_on <= last)
        .order_by(Entry.posted_on.desc(), Entry.seq.desc())
        .limit(1)
    ).one_or_none()
    return {
        "format": FORMAT,
        "community": community.name,
        "from": first.isoformat(),
        "until": last.isoformat(),
        "names": names_of_funds(session, community.id),
        "funds": rows_of(session, asked),
        "beneficiaries": {purpose: one and asdict(one) for purpose, one in found.by_purpose.items()},
        "beneficiaries_in_all": asdict(found.total),
        "inspections": dict(inspected),
        "journal": {"seq": head.seq, "digest": head.digest.hex()} if head else None,
    }


def names_of_funds(session: Session, community_id: int) -> dict[str, str]:
    """The names of the community's funds by their codes."""
    rows = session.execute(select(Fund.code, Fund.name).where(Fund.community_id == community_id))
    return {row.code: row.name for row in rows}


def rows_of(session: Session, asked: dict[str, Any]) -> list[dict[str, Any]]:
    """The sheet of the period, as it leaves."""
    held: dict[tuple[str, str], int] = {}
    after: dict[tuple[str, str], int] = {}
    inside = []
    for row in session.execute(MOVED, asked):
        key = (row.fund, row.commodity)
        if row.kind is None:
            held[key] = row.amount
        elif row.inside:
            inside.append(Moved(*key, EntryKind(row.kind), row.purpose, row.amount))
        else:
            after[key] = after.get(key, 0) + row.amount
    return [asdict(row) | {"closing": row.closing} for row in sheet(held, inside, after)]


def leaves_of(session: Session, community_id: int, first: date, last: date) -> Iterator[tuple[int, GiftLeaf]]:
    """The lines whose receipts were issued in the period and held at its end, in blocks, each with its receipt's id."""
    begin, end = bounds_of_day(first)[0], bounds_of_day(last)[1]
    newest_id = 0
    while True:
        rows = session.execute(
            select(Receipt, GiftLine.commodity, GiftLine.amount, Entry.posted_on)
            .join(GiftLine, GiftLine.entry_id == Receipt.entry_id)
            .join(Entry, Entry.id == Receipt.entry_id)
            .where(
                Receipt.community_id == community_id,
                Receipt.id > newest_id,
                Receipt.issued_at >= begin,
                Receipt.issued_at < end,
                Receipt.voided_at.is_(None) | (Receipt.voided_at >= end),
            )
            .order_by(Receipt.id)
            .limit(LEAVES_AT_ONCE)
        ).all()
        for receipt, commodity, amount, day in rows:
            yield receipt.id, leaf_of(receipt, commodity, amount, day)
        if len(rows) < LEAVES_AT_ONCE:
            return
        newest_id = rows[-1][0].id


def leaf_of(receipt: Receipt, commodity: str, amount: int, day: date) -> GiftLeaf:
    """The leaf of a line, with the secret that stands on its receipt."""
    return GiftLeaf(funds.number_of(receipt), commodity, amount, day, market.secret_of_receipt(receipt))


def root_and_count(session: Session, community_id: int, first: date, last: date) -> tuple[bytes, int]:
    """The root over the lines of a period and how many they are, without keeping them."""
    count = 0

    def counted() -> Iterator[bytes]:
        nonlocal count
        for _, leaf in leaves_of(session, community_id, first, last):
            count += 1
            yield leaf.digest

    return root_of(counted()), count


def keep_leaves(session: Session, made: Disclosure) -> None:
    """Keep the leaves with the statement, a block at a time."""
    block: list[dict[str, Any]] = []
    for position, (receipt_id, leaf) in enumerate(leaves_of(session, made.community_id, made.first_day, made.last_day)):
        block.append(
            {
                "disclosure_id": made.id,
                "position": position,
                "community_id": made.community_id,
                "receipt_id": receipt_id,
                "digest": leaf.digest,
            }
        )
        if len(block) == LEAVES_AT_ONCE:
            insert_rows(session, DisclosureLeaf, block)
            block.clear()
    if block:
        insert_rows(session, DisclosureLeaf, block)


def proof_for(session: Session, community_id: int, number: str, secret: str) -> Proof | None:
    """The proof for a receipt in the newest statement that holds it, None while none does; raises ReceiptUnknown."""
    year, _, serial = market.look_up(session, community_id, number, secret).number.partition("-")
    row = session.execute(
        select(Disclosure, DisclosureLeaf.position, Receipt, GiftLine.commodity, GiftLine.amount, Entry.posted_on)
        .join(DisclosureLeaf, DisclosureLeaf.disclosure_id == Disclosure.id)
        .join(Receipt, Receipt.id == DisclosureLeaf.receipt_id)
        .join(GiftLine, GiftLine.entry_id == Receipt.entry_id)
        .join(Entry, Entry.id == Receipt.entry_id)
        .where(Receipt.community_id == community_id, Receipt.year == int(year), Receipt.number == int(serial))
        .order_by(Disclosure.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    disclosure, position, receipt, commodity, amount, day = row
    leaves = leaves_kept(session, disclosure.id)
    return Proof(disclosure, leaf_of(receipt, commodity, amount, day), position, tuple(proof_of(leaves, position)))


def list_disclosures(session: Session, community_id: int) -> list[Disclosure]:
    """The published statements of a community, newest first."""
    query = select(Disclosure).where(Disclosure.community_id == community_id)
    return list(session.scalars(query.order_by(Disclosure.last_day.desc(), Disclosure.id.desc()).limit(MOST_LISTED)))


def find_disclosure(session: Session, community_id: int, disclosure_id: int) -> Disclosure:
    """A published statement of a community; raises NotFound."""
    found = session.get(Disclosure, disclosure_id)
    if found is None or found.community_id != community_id:
        raise NotFound
    return found


def leaves_kept(session: Session, disclosure_id: int) -> list[bytes]:
    """The leaves of a published statement in their order."""
    query = select(DisclosureLeaf.digest).where(DisclosureLeaf.disclosure_id == disclosure_id)
    return list(session.scalars(query.order_by(DisclosureLeaf.position)))


def late_after(session: Session, community_id: int, last: date) -> datetime:
    """The instant from which the statement of a period is late."""
    days = int(policies.policy(session, community_id, LATE_POLICY))
    return bounds_of_day(last)[1] + timedelta(days=days)


def subject_of(community_id: int, first: date) -> str:
    """What alarms about a statement are about."""
    return f"disclosure:{community_id}:{first.isoformat()}"


def alarm(session: Session, community_id: int, first: date, *, level: str) -> None:
    """Say that a statement is, or was published, late."""
    facts = {"from": first.isoformat()}
    subject = subject_of(community_id, first)
    notify.raise_alarm(
        session, kind="disclosure_late", subject=subject, level=level, community_id=community_id, facts=facts
    )


def alarm_late_disclosures(session: Session, *, now: datetime) -> list[int]:
    """Alarm every community whose statement of the last quarter should be out and is not; returns their ids."""
    first, last = days_of_quarter(previous_period(quarter_of(now)))
    late = [
        community.id
        for community in communities_with_a_journal(session, last)
        if newest(session, community.id, first, last) is None and now > late_after(session, community.id, last)
    ]
    for community_id in late:
        alarm(session, community_id, first, level="warning")
    return late
