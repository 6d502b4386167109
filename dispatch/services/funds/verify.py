"""The proof of the journal from its rows alone, streamed: chains, sides, balances; and heads kept elsewhere."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from dispatch.models.funds import Balance, Entry, JournalHead
from dispatch.rules.access.chain import GENESIS
from dispatch.rules.funds.draft import Foreign
from dispatch.rules.funds.record import Recorded, RecordedLine, digest
from dispatch.services.access import vault

AT_ONCE = 2_000
SIGNING = "funds.head"
JOURNAL = text(
    "SELECT entry.*, line.account_id, line.amount, account.fund_id, account.owner, account.earmark_id, "
    "account.commodity, account.holding_id FROM entries AS entry "
    "LEFT JOIN entry_lines AS line ON line.entry_id = entry.id LEFT JOIN accounts AS account "
    "ON account.id = line.account_id ORDER BY entry.community_id, entry.seq, line.account_id"
)


@dataclass(slots=True)
class Walk:
    """Where a walk along one community's chain stands."""

    seq: int = 0
    digest: bytes = GENESIS
    sums: Counter[int] = field(default_factory=Counter)


def broken_journals(session: Session) -> Iterator[str]:
    """One line for each thing that does not hold: a gap or change in a chain, unequal sides, a wrong balance."""
    rows = session.execute(JOURNAL, execution_options={"yield_per": AT_ONCE})
    sums: Counter[int] = Counter()
    ends: dict[int, tuple[int, bytes]] = {}
    for community_id, of_community in groupby(rows, key=lambda row: row.community_id):
        walk = Walk()
        for _, lines in groupby(of_community, key=lambda row: row.seq):
            yield from (f"journal {community_id} entry {walk.seq}: {one}" for one in problems_at(walk, list(lines)))
        sums |= walk.sums
        ends[community_id] = (walk.seq, walk.digest)
    yield from wrong_balances(session, sums)
    yield from wrong_heads(session, ends)


def problems_at(walk: Walk, rows: Sequence[Any]) -> list[str]:
    """What is wrong with the next entry; the walk goes on from it."""
    first, problems = rows[0], []
    lines = tuple(
        RecordedLine(row.account_id, row.fund_id, row.owner, row.earmark_id, row.commodity, row.holding_id, row.amount)
        for row in rows
        if row.account_id is not None
    )
    if first.seq != walk.seq + 1 or first.previous != walk.digest:
        problems.append("it does not follow the one before it")
    if digest(first.previous, recorded(first, lines)) != first.digest:
        problems.append("its digest is not that of what it says")
    if len(lines) != first.line_count or unequal(lines):
        problems.append("its two sides differ")
    for line in lines:
        walk.sums[line.account_id] += line.amount
        if walk.sums[line.account_id] < 0:
            problems.append(f"account {line.account_id} was below zero")
    walk.seq, walk.digest = first.seq, first.digest
    return problems


def recorded(row: Any, lines: tuple[RecordedLine, ...]) -> Recorded:
    """An entry as the chain keeps it, from its row."""
    foreign = None if row.currency is None else Foreign(row.currency, row.foreign_minor, row.rate, row.rate_on)
    return Recorded(
        community_id=row.community_id,
        seq=row.seq,
        kind=row.kind,
        posted_on=row.posted_on,
        happened_on=row.happened_on,
        purpose=row.purpose,
        origin=row.origin,
        origin_id=row.origin_id,
        occasion=row.occasion,
        reverses_id=row.reverses_id,
        consent_id=row.consent_id,
        made_by=row.made_by,
        made_by_key=row.made_by_key,
        approved_by=row.approved_by,
        foreign=foreign,
        facts=row.facts,
        lines=lines,
    )


def unequal(lines: Sequence[RecordedLine]) -> bool:
    """Whether holdings and custody differ in some dimension."""
    sums: Counter[tuple[int, str, int | None, str]] = Counter()
    for line in lines:
        dimension = (line.fund_id, line.owner, line.earmark_id, line.commodity)
        sums[dimension] += -line.amount if line.holding_id is None else line.amount
    return any(sums.values())


def wrong_balances(session: Session, sums: Mapping[int, int]) -> Iterator[str]:
    """A line for each balance that is not the sum of its lines."""
    rows = session.execute(select(Balance.account_id, Balance.amount), execution_options={"yield_per": AT_ONCE})
    for row in rows:
        if row.amount != sums.get(row.account_id, 0):
            yield f"account {row.account_id}: its balance {row.amount} is not the sum {sums.get(row.account_id, 0)}"


def wrong_heads(session: Session, ends: Mapping[int, tuple[int, bytes]]) -> Iterator[str]:
    """A line for each community whose head is not the end of its chain."""
    for head in session.scalars(select(JournalHead)):
        if (head.seq, head.digest) != ends.get(head.community_id, (0, GENESIS)):
            yield f"journal {head.community_id}: its head {head.seq} is not the end of its chain"


def signed_heads(session: Session) -> list[dict[str, str | int]]:
    """The newest entry of each community as it is exported once a day: number, digest and signature in hex."""
    return [
        {
            "community": head.community_id,
            "seq": head.seq,
            "digest": head.digest.hex(),
            "signature": vault.sign(SIGNING, signed(head.community_id, head.seq, head.digest)).hex(),
        }
        for head in session.scalars(select(JournalHead).where(JournalHead.seq > 0).order_by(JournalHead.community_id))
    ]


def signed(community_id: int, seq: int, head: bytes) -> bytes:
    """What the signature of a head covers."""
    return f"{community_id}:{seq}:{head.hex()}".encode()


def compare_heads(session: Session, heads: Sequence[Mapping[str, Any]]) -> list[str]:
    """One sentence for each exported head that a chain no longer holds: entries were cut off or written anew."""
    problems = []
    for line in heads:
        for head in line.get("journals", []):
            place, kept = (int(head["community"]), int(head["seq"])), bytes.fromhex(head["digest"])
            if not vault.is_signed(SIGNING, signed(*place, kept), bytes.fromhex(head["signature"])):
                problems.append(f"exported head {place[1]} of journal {place[0]} does not carry our signature")
            elif digest_at(session, *place) != kept:
                problems.append(f"exported head {place[1]} of journal {place[0]} is not in its chain any more")
    return problems


def digest_at(session: Session, community_id: int, seq: int) -> bytes | None:
    """The digest of an entry by its number."""
    query = select(Entry.digest).where(Entry.community_id == community_id, Entry.seq == seq)
    return session.scalars(query).one_or_none()
