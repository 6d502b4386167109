"""A year of the love supermarket through the real processes ends with books that others can check.

Short by default (three weeks around the end of a quarter); DISPATCH_TEST_LONG=1 lives the whole year.
"""

import html
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from dispatch.demo.day.wire import Wire
from dispatch.demo.year.screen import Screen
from dispatch.supervisor.home import read_json
from tests.faults.town import ROOT, Town, town
from tests.year import books

LONG = os.environ.get("DISPATCH_TEST_LONG") == "1"
LENGTH = (
    ("--weeks=55", "--gifts=2000", "--hand-outs=6000", "--races=100")
    if LONG
    else ("--weeks=3", "--gifts=60", "--hand-outs=150", "--races=6")
)
QUARTERS = 5 if LONG else 1
VERIFIER = ROOT / "docs" / "verify" / "verify.py"
SAMPLE = 40 if LONG else 8
FEWEST_WAYS = 10
SETTLE_SECONDS = 120.0
UNSETTLED = (
    "SELECT count(*) FROM jobs WHERE done_at IS NULL AND dead_at IS NULL AND run_at < dispatch_now() "
    "AND kind NOT LIKE 'system.%'"
)
SHOWN_PROOF = re.compile(r">\s*(\{[^<]*\})\s*<", re.DOTALL)
SECRET = re.compile(r'<span class="number">([0-9]{4}-[0-9]{6})</span>.*?<strong>([0-9A-Z-]{14})</strong>', re.DOTALL)


@dataclass
class Lived:
    """A town in which the year has been lived, what was told of it, and what the people kept."""

    town: Town
    told: str
    diary: dict[str, Any]
    folder: Path

    @property
    def wire(self) -> Wire:
        """The way to it."""
        return Wire(f"http://127.0.0.1:{self.town.port}")

    @cached_property
    def entries(self) -> list[dict[str, Any]]:
        """The journal, from its rows."""
        return books.journal(self.town.rows)

    @cached_property
    def statements(self) -> list[dict[str, Any]]:
        """The newest version of every published statement of a quarter, by day, as anybody downloads it."""
        newest = self.town.rows("SELECT DISTINCT ON (first_day) id FROM disclosures ORDER BY first_day, version DESC")
        return [self.public(f"{number}/statement.json") | {"id": number} for (number,) in newest]

    def public(self, path: str) -> Any:
        """What the public page gives."""
        answer = self.wire.ask("GET", f"/disclosure/{self.diary['community_id']}/{path}")
        assert answer.status == 200, path
        return answer.json()

    def check(self, *words: str) -> int:
        """What the stand-alone verifier says."""
        command = [sys.executable, "-I", str(VERIFIER), *words]
        return subprocess.run(command, cwd=self.folder, capture_output=True, check=False).returncode


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """The year, once for all tests."""
    with town("--workers", "2") as started:
        told = started.command("demo", "--year", *LENGTH, expected=None)
        started.until(lambda: started.rows(UNSETTLED)[0][0] == 0, "settling", SETTLE_SECONDS)
        yield Lived(started, told, read_json(started.home / "year.json"), tmp_path_factory.mktemp("year"))


def test_nothing_was_otherwise_than_it_must_be(lived: Lived) -> None:
    print(lived.told)
    assert "意外 · SURPRISE" not in lived.told
    assert "一年结束" in lived.told
    assert lived.diary["kills"]


def test_every_answer_is_a_row(lived: Lived) -> None:
    counts, since = lived.diary["counts"], {"since": lived.diary["begins"]}
    gifts = lived.town.rows("SELECT count(*) FROM gifts WHERE received_at >= %(since)s", since)[0][0]
    done = lived.town.rows("SELECT id FROM hand_outs WHERE state = 'done' ORDER BY id")
    pledges = lived.town.rows("SELECT count(*) FROM pledges WHERE created_at >= %(since)s", since)[0][0]
    donors = lived.town.rows("SELECT count(*) FROM donors WHERE created_at >= %(since)s", since)[0][0]

    assert gifts == counts["gifts"] == len(lived.diary["given"]["gifts"])
    assert [number for (number,) in done] == sorted(lived.diary["given"]["hand_outs"])
    assert len(done) == counts["hand-outs"]
    assert (pledges, donors) == (counts.get("201 /api/pledges", 0), counts.get("201 /api/donors", 0))


def test_every_line_of_a_gift_has_one_receipt_and_no_number_is_missing_or_used_again(lived: Lived) -> None:
    rows = lived.town.rows(
        "SELECT line.id, array_agg(receipt.year || '-' || lpad(receipt.number::text, 6, '0')) FROM gift_lines AS line "
        "LEFT JOIN receipts AS receipt ON receipt.entry_id = line.entry_id AND receipt.voided_at IS NULL GROUP BY 1"
    )
    assert not [line for line, numbers in rows if len(numbers) != 1 or numbers[0] is None]
    years: dict[int, list[int]] = {}
    for year, number in lived.town.rows("SELECT year, number FROM receipts ORDER BY year, number"):
        years.setdefault(year, []).append(number)
    assert years
    for numbers in years.values():
        assert numbers == list(range(1, len(numbers) + 1))
    told = [number for gift in lived.diary["given"]["gifts"] for number in gift["receipts"]]
    assert len(told) == len(set(told))
    assert set(told) <= {number for _, numbers in rows for number in numbers}


def test_nothing_past_its_day_was_given_and_no_lot_was_ever_below_zero(lived: Lived) -> None:
    assert not list(books.given_past_the_day(lived.entries))
    problems, standing = books.below_zero(lived.town.rows)
    assert not problems
    kept = lived.town.rows("SELECT lot_id, facility_id, spot, amount FROM lot_balances WHERE amount <> 0")
    assert {key: amount for key, amount in standing.items() if amount} == {row[:3]: row[3] for row in kept}


def test_the_chain_is_whole_for_the_stand_alone_verifier(lived: Lived) -> None:
    books.write_chain(lived.entries, lived.folder / "chain.jsonl")
    assert lived.check("chain", "chain.jsonl") == 0
    for one in lived.statements:
        (lived.folder / "statement.json").write_text(json.dumps(one))
        assert lived.check("chain", "chain.jsonl", "statement.json") == 0
    spoiled = json.loads(json.dumps(lived.entries))
    spoiled[len(spoiled) // 2]["lines"][0][-1] += 1
    books.write_chain(spoiled, lived.folder / "spoiled.jsonl")
    assert lived.check("chain", "spoiled.jsonl") != 0


def test_every_statement_is_the_replay_of_the_journal_and_follows_the_one_before(lived: Lived) -> None:
    funds = dict(lived.town.rows("SELECT id, code FROM funds"))
    assert len(lived.statements) == QUARTERS
    for number, one in enumerate(lived.statements):
        body = one["body"]
        first, last = date.fromisoformat(body["from"]), date.fromisoformat(body["until"])
        before = books.held_on(lived.entries, date.fromordinal(first.toordinal() - 1))
        after, between = books.held_on(lived.entries, last), books.moved(lived.entries, first, last)
        shown = {(row["fund"], row["commodity"]): row for row in body["funds"]}
        for (fund, commodity), amount in after.items():
            row = shown.get((funds[fund], commodity))
            if row is None:
                assert (amount, before[fund, commodity]) == (0, 0)
                continue
            came = between.get((fund, commodity), {})
            assert (row["opening"], row["closing"]) == (before[fund, commodity], amount)
            assert sum(row["received"].values()) == came.get("received", 0)
            assert -sum(row["used"].values()) == came.get("used", 0)
            assert -row["disposed"] == came.get("disposed", 0)
            assert sum(row["other"].values()) == came.get("other", 0)
        (lived.folder / f"{number}.json").write_text(json.dumps(one))
        assert lived.check("statement", f"{number}.json") == 0
        assert not number or lived.check("follows", f"{number - 1}.json", f"{number}.json") == 0
        leaves = lived.wire.ask("GET", f"/disclosure/{lived.diary['community_id']}/{one['id']}/leaves.txt")
        (lived.folder / "leaves.txt").write_bytes(leaves.body)
        assert lived.check("leaves", f"{number}.json", "leaves.txt") == 0


def test_donors_prove_their_own_lines_and_a_changed_line_is_refused(lived: Lived) -> None:
    accounts = {one["login"]: one["password"] for one in read_json(lived.town.home / "demo.json")["accounts"]}
    keeper, statements = (
        Screen(lived.wire, "keeper1", accounts["keeper1"]),
        {one["id"]: one for one in lived.statements},
    )
    last = max(one["body"]["until"] for one in lived.statements)
    gifts = lived.town.rows("SELECT gift_id FROM gift_lines AS line JOIN entries ON entries.id = entry_id "
        "WHERE posted_on <= %(last)s GROUP BY 1 ORDER BY 1", {"last": last})  # fmt: skip
    proved = 0
    for (gift,) in gifts[:: max(1, len(gifts) // SAMPLE)]:
        for number, secret in SECRET.findall(keeper.read(f"/giving/gifts/{gift}/receipts").text):
            prove(lived, statements, number, secret)
            proved += 1
    print(f"{proved} lines proved")
    assert proved >= min(SAMPLE, len(gifts))


def prove(lived: Lived, statements: dict[int, dict[str, Any]], number: str, secret: str) -> None:
    """One line with its secret is inside, and is not when its amount, its day or its secret is another."""
    answer = lived.wire.ask(
        "POST",
        f"/disclosure/{lived.diary['community_id']}/proof",
        body=urlencode({"number": number, "secret": secret}).encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded", "Origin": lived.wire.base_url},
    )
    assert answer.status == 200, answer.text
    shown = SHOWN_PROOF.search(answer.text)
    assert shown is not None, answer.text
    proof = json.loads(html.unescape(shown[1]))
    (lived.folder / "own.json").write_text(json.dumps(statements[proof["statement"]]))
    (lived.folder / "proof.json").write_text(json.dumps(proof))
    assert lived.check("receipt", "own.json", "proof.json", "--secret", secret) == 0
    assert lived.check("receipt", "own.json", "proof.json", "--secret", "AAAA-AAAA-AAAA") != 0
    for name, other in (("amount", proof["line"]["amount"] + 1), ("day", "2020-01-01")):
        changed = proof | {"line": proof["line"] | {name: other}}
        (lived.folder / "changed.json").write_text(json.dumps(changed))
        assert lived.check("receipt", "own.json", "changed.json", "--secret", secret) != 0


def test_every_order_of_the_supermarket_has_ended_with_its_work(lived: Lived) -> None:
    rows = lived.town.rows(
        "SELECT origin, state, count(*) FROM orders WHERE origin LIKE 'market.%%' GROUP BY 1, 2 ORDER BY 1, 2", {}
    )
    print(rows)
    assert rows
    assert {state for _, state, _ in rows} <= {"closed", "archived"}
    undone = "SELECT id FROM disposals WHERE state = 'open' OR (state = 'done' AND work_done_at IS NULL)"
    assert not lived.town.rows(undone)


def test_yesterday_s_milk_was_refused_in_every_way(lived: Lived) -> None:
    ways = {way: (status, words) for way, status, words in lived.diary["given"]["milk"]}
    for way, refusal in ways.items():
        print(way, *refusal)
    assert len(ways) >= FEWEST_WAYS


def test_one_of_two_counters_had_the_last_unit_and_no_household_more_than_its_month(lived: Lived) -> None:
    races = int(LENGTH[3].partition("=")[2])
    last = lived.town.rows(
        "SELECT lot.id, count(hand_out.id) FROM lots AS lot JOIN goods ON goods.id = lot.goods_id "
        "LEFT JOIN hand_out_lines AS line ON line.lot_id = lot.id LEFT JOIN hand_outs AS hand_out "
        "ON hand_out.id = line.hand_out_id AND hand_out.state = 'done' WHERE goods.code = 'last_blanket' GROUP BY 1"
    )
    assert [count for _, count in last] == [1] * races
    beyond = lived.town.rows(
        "SELECT hand_outs.household_id, hand_outs.month FROM hand_outs JOIN household_months "
        "USING (household_id, month) WHERE state = 'done' GROUP BY 1, 2, allowed HAVING sum(points) > allowed"
    )
    assert not beyond


def test_the_recall_names_who_got_some_and_nobody_got_any_after_it(lived: Lived) -> None:
    (called,) = lived.diary["given"]["recall"]
    given = lived.town.rows(
        "SELECT move.id, movement.lot_id, -movement.amount, move.moved_at FROM stock_moves AS move "
        "JOIN movements AS movement ON movement.move_id = move.id JOIN lots AS lot ON lot.id = movement.lot_id "
        "WHERE lot.recall_id = %(id)s AND movement.amount < 0 AND move.kind IN ('hand_out', 'parcel', 'shipment')",
        {"id": called["id"]},
    )
    assert given
    assert sorted((one["step_id"], one["lot_id"], one["amount"]) for one in called["given"]) == sorted(
        row[:3] for row in given
    )
    assert max(row[3] for row in given).isoformat() < called["called_at"]


def test_the_sale_is_banked_whole_and_the_shipment_adds_up(lived: Lived) -> None:
    ((sale, shipment),) = zip(lived.diary["given"]["sale"], lived.diary["given"]["shipment"], strict=True)
    about = {"sale": sale["id"], "shipment": shipment["id"]}
    booked = lived.town.rows(
        "SELECT sum(line.amount) FROM entries JOIN entry_lines AS line ON line.entry_id = entries.id "
        "JOIN accounts ON accounts.id = line.account_id WHERE origin = 'market.sale' AND origin_id = %(sale)s "
        "AND holding_kind = 'bank'",
        about,
    )
    assert booked == [(sale["fen"],)]
    assert lived.town.rows("SELECT state FROM sales WHERE id = %(sale)s", about) == [("published",)]
    assert shipment["state"] == "reconciled"
    assert any(line["returned"] for line in shipment["lines"])
    moves = dict(
        lived.town.rows(
            "SELECT kind, sum(movement.amount) FROM stock_moves AS move JOIN movements AS movement "
            "ON movement.move_id = move.id WHERE move.origin = 'market.shipment' AND move.origin_id = %(shipment)s "
            "GROUP BY 1",
            about,
        )
    )
    assert -moves["shipment"] == sum(line["sent"] for line in shipment["lines"])
    assert moves["return"] == sum(line["returned"] for line in shipment["lines"])


def test_every_month_of_the_bank_is_confirmed_line_by_line(lived: Lived) -> None:
    months = lived.town.rows(
        "SELECT month, opening_fen, closing_fen, (SELECT sum(amount_fen) FROM bank_lines WHERE statement_id = one.id), "
        "(SELECT count(*) FROM bank_lines AS line WHERE statement_id = one.id AND NOT EXISTS "
        "(SELECT FROM bank_matches WHERE bank_line_id = line.id)) FROM bank_statements AS one "
        "WHERE confirmed_at IS NOT NULL AND replaced_at IS NULL ORDER BY month"
    )
    assert len(months) >= QUARTERS * 2 - 1
    for (_, opening, closing, moved, open_lines), before in zip(months, [None, *months], strict=False):
        assert opening + moved == closing
        assert not open_lines
        assert before is None or before[2] == opening
    print(f"{len(months)} months of the bank")


def test_rounds_of_inspection_began_by_themselves_every_week_and_were_done(lived: Lived) -> None:
    rows = lived.town.rows(
        "SELECT facility_id, count(*), count(done_at) FROM inspections WHERE move_id IS NULL GROUP BY 1"
    )
    weeks = int(LENGTH[0].partition("=")[2])
    assert len(rows) == 2
    for _, begun, done in rows:
        assert begun >= weeks
        assert done == begun


def test_the_books_hold_by_the_product_s_own_proof(lived: Lived) -> None:
    assert lived.town.command("verify") == ""
