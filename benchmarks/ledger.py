"""A journal by the million lines, put before the demo's own: `python -m benchmarks.ledger LINES COMMUNITY`.

Four years of one supermarket: every block takes two lots in, hands both out to the last piece, and books gifts of
money. Chain, balances, lots, months, signatures and receipts are those that the product would have written. Not made:
pictures of the signatures, the audit log, and names on the receipts that could be opened.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from itertools import groupby
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from benchmarks import ledger_sql as sql
from benchmarks.measure import tell
from config.settings import embedded_database_url, get_settings
from dispatch.rules.access.chain import GENESIS, canonical
from dispatch.rules.funds.record import RecordedLine, digest
from dispatch.rules.market.hand_outs import ListLine, list_digest
from dispatch.services.access import vault
from dispatch.services.funds.verify import JOURNAL, recorded
from dispatch.services.market import hand_outs

SUPERUSER = "postgres"
BASE = 1_000_000
"""What is made has ids above this, what the demo had keeps its own."""
HAND_OUTS, GIFTS = 200, 40
"""Of one block, after the entry that takes its two lots in."""
ENTRIES = 1 + HAND_OUTS + GIFTS
LINES = 4 + 4 * HAND_OUTS + 2 * GIFTS
DAYS = 4 * 365
GRAMS, FEN = 500, 5_000
PURPOSES = ("serious_illness", "severe_disability", "lone_elder", "sudden_hardship")
AT_ONCE = 2_000
HOUR = time(2, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Shop:
    """Where the history takes place: ids of the demo, the accounts by (commodity, is it custody), who has cards."""

    community: int
    facility: int
    holding: int
    bank: int
    fund: int
    keeper: int
    accounts: dict[tuple[str, bool], int]
    cards: list[tuple[int, int]]
    last_day: date
    until: timedelta


@dataclass(slots=True)
class Link:
    """Where the chain stands."""

    seq: int = 0
    digest: bytes = GENESIS


def learn(owner: psycopg.Connection, community: int) -> Shop:
    """The demo's love supermarket, its keeper, and a card for every household that has none."""
    owner.execute(sql.BENEFICIARIES, {"community": community, "base": BASE})
    owner.execute(sql.CARDS, {"community": community, "base": BASE})
    row = owner.execute(sql.PLACE, {"community": community}).fetchone()
    found = owner.execute(sql.ACCOUNTS, {"community": community}).fetchall()
    cards = owner.execute("SELECT id, household_id FROM bench_cards ORDER BY id").fetchall()
    until = owner.execute("SELECT market_last_good_day(NULL, NULL, NULL, '2026-06-30')").fetchone()
    if row is None or until is None or len(found) < len(sql.UNITS) * 2:
        raise RuntimeError("the demo has no love supermarket")
    slack = until[0] - date(2026, 6, 30)
    return Shop(community, *row[:5], {(one[0], one[1]): one[2] for one in found}, cards, row[5], slack)


def entry_of(shop: Shop, link: Link, kind: str, day: date, **more: Any) -> tuple[str, dict[str, Any]]:
    """The next entry in the chain as a line of COPY, and what the chain keeps of it."""
    said = {
        "community": shop.community,
        "seq": link.seq + 1,
        "kind": kind,
        "posted_on": day.isoformat(),
        "happened_on": day.isoformat(),
        "origin_id": BASE + link.seq + 1,
        "occasion": 1,
        "made_by": shop.keeper,
    } | more
    previous, facts = link.digest, said.get("facts")
    link.seq, link.digest = link.seq + 1, sha256(link.digest + canonical(said)).digest()
    values = (
        BASE + link.seq,
        shop.community,
        link.seq,
        rf"\\x{previous.hex()}",
        rf"\\x{link.digest.hex()}",
        kind,
        day,
        datetime.combine(day, HOUR),
        day,
        len(said["lines"]),
        said.get("purpose", r"\N"),
        said["origin"],
        said["origin_id"],
        shop.keeper,
        "{}" if facts is None else canonical(facts).decode(),
    )
    return "\t".join(map(str, values)) + "\n", said


def lines_of(shop: Shop, amounts: dict[str, int]) -> list[list[Any]]:
    """The lines of an entry that raises or lowers both sides, by account."""
    lines = []
    for (commodity, is_custody), account in sorted(shop.accounts.items(), key=lambda one: one[1]):
        if commodity in amounts:
            place = None if is_custody else shop.bank if commodity == "fen" else shop.holding
            lines.append([account, shop.fund, "own", None, commodity, place, amounts[commodity]])
    return lines


def pieces_of(shop: Shop, lot: int, last_day: date, times: int) -> list[list[Any]]:
    """So many portions of the two lots of a block."""
    return [
        [lot, shop.facility, "shelf", GRAMS * times, 1, last_day.isoformat()],
        [lot + 1, shop.facility, "shelf", times, 0, None],
    ]


def block(shop: Shop, link: Link, day: date, number: int) -> Iterator[tuple[str, str | None]]:
    """The entries of a block as lines of COPY, each with its hand-out where it is one."""
    lot, last_day = BASE + 2 * number, day + timedelta(days=700) + shop.until

    def facts(move: str, times: int) -> dict[str, Any]:
        pieces = pieces_of(shop, lot, last_day, times)
        return {"move": move, "signed_on": day.isoformat(), "consumed_on": None, "pieces": pieces}

    came = lines_of(shop, {"gram": GRAMS * HAND_OUTS, "piece": HAND_OUTS})
    yield (
        entry_of(shop, link, "gift", day, origin="market.move", facts=facts("receive", HAND_OUTS), lines=came)[0],
        None,
    )
    went, given = lines_of(shop, {"gram": -GRAMS, "piece": -1}), facts("hand_out", -1)
    for place in range(HAND_OUTS):
        purpose = PURPOSES[place % len(PURPOSES)]
        row, _ = entry_of(shop, link, "hand_out", day, origin="market.move", purpose=purpose, facts=given, lines=went)
        yield row, hand_out_of(shop, BASE + link.seq, lot, day)
    paid = lines_of(shop, {"fen": FEN})
    for _ in range(GIFTS):
        yield entry_of(shop, link, "gift", day, origin="market.gift", lines=paid)[0], None


def hand_out_of(shop: Shop, number: int, lot: int, day: date) -> str:
    """The signed hand-out of an entry as a line of COPY: its list hashed, its signature keyed, without a picture."""
    uid, (card, household) = UUID(int=number), shop.cards[number % len(shop.cards)]
    at = datetime.combine(day, HOUR)
    listed = list_digest(str(uid), [ListLine("rice", lot, GRAMS, 1), ListLine("towel", lot + 1, 1, 0)])
    said = b"\n".join((listed, b"", str(int(at.timestamp() * 1_000_000)).encode(), b"stroke"))
    signature = vault.sign(hand_outs.SIGNING, said)
    values = (
        number,
        uid,
        shop.community,
        shop.facility,
        card,
        household,
        day.replace(day=1),
        1,
        rf"\\x{listed.hex()}",
        "done",
        shop.keeper,
        at,
        at + timedelta(minutes=15),
        at,
        "stroke",
        rf"\\x{signature.hex()}",
        shop.keeper,
        at,
    )
    return "\t".join(map(str, values)) + "\n"


def write_history(owner: psycopg.Connection, second: psycopg.Connection, shop: Shop, blocks: int) -> Link:
    """Entries and hand-outs in two COPYs at once; where the chain ends."""
    link = Link()
    owner.execute(sql.MAKE_ROOM, {"community": shop.community})
    first_day = shop.last_day - timedelta(days=DAYS)
    with owner.cursor().copy(sql.COPY_ENTRIES) as entries, second.cursor().copy(sql.COPY_HAND_OUTS) as signed:
        for number in range(blocks):
            day = first_day + timedelta(days=number * DAYS // blocks)
            both = list(block(shop, link, day, number))
            entries.write("".join(row for row, _ in both))
            signed.write("".join(hand_out for _, hand_out in both if hand_out))
    return link


def relink(link: Link, community: int) -> list[dict[str, Any]]:
    """The demo's own entries behind the history: their new places in the chain, in order; the link goes on."""
    engine = create_engine(
        embedded_database_url(get_settings().home, SUPERUSER).replace("postgresql:", "postgresql+psycopg:")
    )
    moved = []
    with Session(engine) as session:
        rows = session.execute(
            text(f"{JOURNAL.text.split(' ORDER BY ')[0]} WHERE entry.id < {BASE} ORDER BY entry.seq")
        )
        for _, several in groupby((row for row in rows if row.community_id == community), key=lambda row: row.seq):
            of_entry = list(several)
            one = recorded(
                of_entry[0],
                tuple(
                    RecordedLine(r.account_id, r.fund_id, r.owner, r.earmark_id, r.commodity, r.holding_id, r.amount)
                    for r in of_entry
                ),
            )
            now = replace(one, seq=link.seq + 1)
            moved.append(
                {"id": of_entry[0].id, "seq": now.seq, "previous": link.digest, "digest": digest(link.digest, now)}
            )
            link.seq, link.digest = now.seq, moved[-1]["digest"]
    engine.dispose()
    return moved


def make(lines: int, community: int) -> None:
    """The whole history in the database of this house, in one transaction for each connection."""
    blocks = max(1, lines // LINES)
    url = embedded_database_url(get_settings().home, SUPERUSER)
    with psycopg.connect(url) as owner, psycopg.connect(url) as second:
        for one in (owner, second):
            # the rows are right by themselves: `dispatch verify` reads them afterwards
            one.execute("SET session_replication_role = replica")
            one.execute("SET statement_timeout = 0")
            one.execute("SET idle_in_transaction_session_timeout = 0")
        shop = learn(owner, community)
        link = write_history(owner, second, shop, blocks)
        second.commit()
        with owner.cursor() as cursor:
            cursor.executemany(sql.RELINK, relink(link, community))
        asked = sql.asked_of(shop, link) | {"base": BASE, "hand_outs": HAND_OUTS, "grams": GRAMS, "fen": FEN}
        asked["after"] = BASE + link.seq + 10
        for statement in sql.DERIVED:
            owner.execute(statement, asked)
            owner.commit()
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("VACUUM ANALYZE")
    tell(f"{blocks * LINES:,} lines of {blocks * ENTRIES:,} entries, {blocks * HAND_OUTS:,} hand-outs")


if __name__ == "__main__":
    make(int(sys.argv[1]), int(sys.argv[2]))
