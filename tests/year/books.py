"""The books of the supermarket read by plain questions and added up here, by no arithmetic of the product."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

Rows = Callable[[str], list[tuple[Any, ...]]]
Dimension = tuple[str, str]
REACHES_PEOPLE = frozenset({"hand_out", "parcel", "kit", "shipment", "sale"})
RAISES = frozenset({"opening", "gift", "surplus", "interest"})

JOURNAL = (
    "SELECT row_to_json(entry), (SELECT json_agg(json_build_array(line.account_id, account.fund_id, account.owner, "
    "account.earmark_id, account.commodity, account.holding_id, line.amount) ORDER BY line.account_id) "
    "FROM entry_lines AS line JOIN accounts AS account ON account.id = line.account_id "
    "WHERE line.entry_id = entry.id), entry.rate::text FROM entries AS entry ORDER BY entry.seq"
)
SAME_NAME = (
    ("seq", "seq"), ("kind", "kind"), ("posted_on", "posted_on"), ("happened_on", "happened_on"),
    ("purpose", "purpose"), ("origin", "origin"), ("origin_id", "origin_id"), ("occasion", "occasion"),
    ("reverses_id", "reverses"), ("consent_id", "consent"), ("made_by", "made_by"), ("made_by_key", "made_by_key"),
    ("approved_by", "approved_by"), ("community_id", "community"),
)  # fmt: skip
STEPS = (
    "SELECT movement.lot_id, movement.facility_id, movement.spot, movement.amount, movement.move_id "
    "FROM movements AS movement ORDER BY movement.move_id, movement.amount < 0, movement.id"
)


def journal(rows: Rows) -> list[dict[str, Any]]:
    """Every entry as the chain keeps it, in order; written here from the rows by docs/verify/README.md alone."""
    found = []
    for row, lines, rate in rows(JOURNAL):
        entry = {name: row[column] for column, name in SAME_NAME if row[column] is not None}
        if row["currency"] is not None:
            text = rate.rstrip("0").rstrip(".") if "." in rate else rate
            entry["foreign"] = [row["currency"], row["foreign_minor"], text, row["rate_on"]]
        if row["facts"]:
            entry["facts"] = row["facts"]
        found.append(entry | {"lines": lines})
    return found


def write_chain(entries: list[dict[str, Any]], path: Path) -> None:
    """One entry a line, for the stand-alone verifier."""
    lines = (json.dumps(entry, ensure_ascii=False, sort_keys=True, separators=(",", ":")) for entry in entries)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def held_on(entries: list[dict[str, Any]], day: date) -> Counter[tuple[int, str]]:
    """What is owed to each fund at the end of a day: the custody lines of every entry until then."""
    held: Counter[tuple[int, str]] = Counter()
    for entry in entries:
        if date.fromisoformat(entry["posted_on"]) <= day:
            for _, fund, _, _, commodity, holding, amount in entry["lines"]:
                held[fund, commodity] += 0 if holding is not None else amount
    return held


def moved(entries: list[dict[str, Any]], first: date, last: date) -> dict[tuple[int, str], Counter[str]]:
    """What came and went of each fund between two days, under `received`, `used`, `disposed` and `other`."""
    found: dict[tuple[int, str], Counter[str]] = {}
    for entry in entries:
        if not first <= date.fromisoformat(entry["posted_on"]) <= last:
            continue
        for _, fund, _, _, commodity, holding, amount in entry["lines"]:
            if holding is None:
                found.setdefault((fund, commodity), Counter())[column_of(entry)] += amount
    return found


def column_of(entry: Mapping[str, Any]) -> str:
    """In which column of a statement an entry stands (nothing of a lived year is reversed)."""
    if entry["kind"] == "disposal":
        return "disposed"
    if "purpose" in entry:
        return "used"
    return "received" if entry["kind"] in RAISES else "other"


def given_past_the_day(entries: list[dict[str, Any]]) -> Iterator[str]:
    """Every piece of food that went out past its last good day, or without one, by the chain alone."""
    for entry in entries:
        facts = entry.get("facts") or {}
        if facts.get("move") not in REACHES_PEOPLE:
            continue
        days = [entry["posted_on"], facts["signed_on"], facts.get("consumed_on") or entry["posted_on"]]
        for lot, _, spot, amount, is_food, last in facts["pieces"]:
            if amount < 0 and ((is_food and (last is None or max(days) > last)) or spot == "quarantine"):
                yield f"entry {entry['seq']}: lot {lot} until {last}, given on {days}"


def below_zero(rows: Rows) -> tuple[list[str], Counter[tuple[int, int, str]]]:
    """Where a lot at a spot was below zero after some step, and what stands where after all of them."""
    standing: Counter[tuple[int, int, str]] = Counter()
    problems = []
    for lot, facility, spot, amount, move in rows(STEPS):
        standing[lot, facility, spot] += amount
        if standing[lot, facility, spot] < 0:
            problems.append(f"lot {lot} at {facility} {spot} after step {move}")
    return problems, standing
