"""A lived quarter: the counter, a round of parcels, a relief shipment, money spent: all of it is in the statement."""

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.access import Organisation
from dispatch.rules.access.chain import canonical
from dispatch.rules.market.shipments import Destination
from dispatch.rules.reports.periods import quarter_of
from dispatch.services import market
from dispatch.services.market import ReceivedLine, ShipmentDraft
from dispatch.services.reports.disclosing import days_of_quarter
from dispatch.services.reports.disclosing.body import Said, said_of
from tests.conftest import ROOT
from tests.factories.counter import card_of, reserve, sign
from tests.factories.market import SIGNED, milk_of, settle, take_in
from tests.services.market.test_rounds import Year, frozen, make_year
from tests.services.market.test_rounds import sign as sign_parcel

VERIFIER = ROOT / "docs" / "verify" / "verify.py"
COATS = 60
PERSONS = 180


def told(session: Session, community_id: int) -> Said:
    """The statement of this quarter with its day book, as it would be now."""
    settle(session)
    first, last = days_of_quarter(quarter_of(clock.now(session)))
    return said_of(session, session.get_one(Organisation, community_id), first, last)


def said(session: Session, community_id: int) -> dict[str, object]:
    """What the statement of this quarter would say now."""
    return told(session, community_id).body


def parcels(session: Session, year: Year, count: int) -> None:
    """So many households are reached by the round; two people live in each home."""
    for one in year.residents:
        session.execute(
            text(
                "INSERT INTO residents (uid, community_id, household_id, name, name_key) "
                "VALUES (gen_random_uuid(), :community, :home, '陈公公', 'chen gong gong')"
            ),
            {"community": one.community_id, "home": one.household_id},
        )
    for entry in frozen(session, year)[:count]:
        market.send_parcel(session, entry.id, actor=year.shop.keeper, now=clock.now(session))
        sign_parcel(session, year, entry)


def shipment(session: Session, year: Year) -> None:
    """Sixty coats to a town, five of them lost on the way."""
    shop, now = year.shop, clock.now(session)
    take_in(session, shop, shop.coat, 100)
    draft = ShipmentDraft(
        facility_id=shop.facility.id,
        destination=Destination("丽水市", "莲都区", "碧湖镇"),
        receiver="碧湖镇人民政府",
        persons=PERSONS,
        sends_on=shop.today,
        consumed_by=shop.today,
        lines={shop.coat.id: COATS},
    )
    made = market.plan_shipment(session, draft, actor=shop.keeper, now=now)
    market.send_shipment(session, made.id, actor=shop.keeper, now=now)
    assert said(session, shop.world.community.id)["beneficiaries"]["relief"] == {"persons": 0, "households": 0}  # type: ignore[index]
    received = {shop.coat.id: ReceivedLine(COATS - 5, 0)}
    market.sign_shipment(session, made.id, "王主任", received, signed=SIGNED, actor=shop.keeper, now=now)


def test_parcels_and_shipments_stand_beside_the_counter(session: Session, tmp_path: Path) -> None:
    year = make_year(session)
    community_id = year.shop.world.community.id
    take_in(session, year.shop, year.shop.rice, 5_000, produced_on=year.shop.today)
    milk_of(session, year.shop, 30, 5)
    for _ in range(3):
        made = reserve(session, year.shop, card_of(session, year.shop), (year.shop.milk.id, 2))
        sign(session, year.shop, made)
    parcels(session, year, 3)
    shipment(session, year)
    found = said(session, community_id)
    counts = {purpose: one for purpose, one in found["beneficiaries"].items() if one != {"persons": 0, "households": 0}}  # type: ignore[attr-defined]
    ground = next(iter(counts.keys() - {"yearly_round", "relief"}))
    assert counts == {
        ground: {"persons": 3, "households": 3},
        "yearly_round": {"persons": 6, "households": 3},
        "relief": {"persons": PERSONS, "households": 0},
    }
    assert found["beneficiaries_in_all"] == {"persons": 9 + PERSONS, "households": 6}
    used = {(row["commodity"], purpose): amount for row in found["funds"] for purpose, amount in row["used"].items()}  # type: ignore[attr-defined]
    assert used == {("gram", "yearly_round"): 15_000, ("piece", ground): 6, ("piece", "relief"): COATS - 5}
    replay(told(session, community_id), ground, tmp_path)


def replay(made: Said, ground: str, folder: Path) -> None:
    """Anybody replays the day book to the statement; no line of it tells a ground or the day of a hand-out."""
    lines = made.day_book
    assert ground not in {line["purpose"] for line in lines}
    reached = [line for line in lines if line["purpose"] in {"aid", "yearly_round"}]
    assert {line["from"][8:] for line in reached} == {"01"}
    assert {line["amount"] for line in reached} == {-6, -15_000}
    (folder / "statement.json").write_text(
        json.dumps({"body": made.body, "digest": sha256(canonical(made.body)).hexdigest()})
    )

    def check(changed: list[dict[str, object]]) -> bool:
        (folder / "journal.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in changed))
        command = [sys.executable, "-I", str(VERIFIER), "journal", "statement.json", "journal.jsonl"]
        return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0

    assert check(lines)
    for place, line in enumerate(lines):
        assert not check([*lines[:place], line | {"amount": line["amount"] + 1}, *lines[place + 1 :]])
        assert not check([*lines[:place], *lines[place + 1 :]])


def test_a_round_that_reached_two_households_hides_its_group(session: Session) -> None:
    year = make_year(session)
    parcels(session, year, 2)
    found = said(session, year.shop.world.community.id)
    assert found["beneficiaries"]["yearly_round"] is found["beneficiaries"]["relief"] is None  # type: ignore[index]
    assert found["beneficiaries_in_all"] is None
