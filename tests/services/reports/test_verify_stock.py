"""`dispatch verify` proves from the chain that nothing past its day was given, and names what was broken by hand."""

import pytest

from dispatch import clock
from dispatch.rules.funds.terms import Purpose
from dispatch.rules.market.shelf import MoveKind, Spot
from dispatch.services import market
from tests.conftest import Database
from tests.factories.market import ONE, hand_out, make_shop, milk_of, take_in
from tests.services.reports.test_verify import as_owner, broken

BY_HAND = "".join(
    f"ALTER TABLE {table} DISABLE TRIGGER USER; "
    for table in ("movements", "stock_moves", "lots", "entries", "entry_lines")
)
"""Past every trigger: what a careless hand of the owner leaves behind."""
OUT = "(SELECT id FROM stock_moves WHERE kind = 'parcel' ORDER BY id LIMIT 1)"
SPOIL = "(SELECT entry_id FROM stock_moves WHERE kind = 'parcel' ORDER BY id LIMIT 1)"


@pytest.fixture
def lived(committed: Database) -> Database:
    """Milk came, was handed out and shipped, one hand-out was taken back, coats went to the other market."""
    with committed.session() as session:
        shop = make_shop(session)
        milk_of(session, shop, 20, 5)
        coats = take_in(session, shop, shop.coat, 5)
        hand_out(session, shop, shop.milk, 3)
        wrong = hand_out(session, shop, shop.milk, 2)
        now = clock.now(session)
        market.reverse(session, wrong.move.id, reason="写错", actor=shop.approver, now=now)
        eaten = {"purpose": Purpose.RELIEF, "consumed_on": shop.today + 5 * ONE}
        hand_out(session, shop, shop.milk, 4, kind=MoveKind.SHIPMENT, **eaten)
        lots = [(coats.id, Spot.STORE, 2)]
        market.transfer(session, shop.facility.id, shop.overseas.id, lots, actor=shop.keeper, now=now)
        session.commit()
    return committed


def about_stock(database: Database) -> list[str]:
    """What verify says, without what a test's world lacks."""
    return [line for line in broken(database) if "audit" not in line]


def test_a_lived_stock_holds(lived: Database) -> None:
    assert about_stock(lived) == []


TAMPERINGS: list[tuple[str, str]] = [
    (
        "UPDATE entries SET facts = jsonb_set(facts, '{{pieces,0,5}}', '\"2020-01-01\"') WHERE id = {spoil}",
        "was given, which was past",
    ),
    ("UPDATE movements SET last_good_day = '2020-01-01' WHERE move_id = {out}", "not what the chain says"),
    ("UPDATE movements SET amount = amount - 1 WHERE move_id = {out}", "not what the chain says"),
    ("UPDATE movements SET amount = amount - 1 WHERE move_id = {out}", "by its movements"),
    ("UPDATE movements SET amount = amount - 1 WHERE move_id = {out}", "in the journal"),
    ("UPDATE movements SET amount = amount - 1 WHERE amount > 0", "does not take back exactly"),
    ("UPDATE lot_balances SET amount = amount + 1", "in the balance"),
    ("UPDATE stock_moves SET entry_id = NULL, kind = 'transfer' WHERE id = {out}", "without a step"),
    ("UPDATE stock_moves SET signed_on = '2020-01-01' WHERE id = {out}", "not what the chain says"),
]


@pytest.mark.parametrize(("statement", "found"), TAMPERINGS)
def test_what_is_broken_by_hand_is_found(lived: Database, statement: str, found: str) -> None:
    as_owner(lived, BY_HAND + statement.format(out=OUT, spoil=SPOIL))
    assert [line for line in about_stock(lived) if found in line], about_stock(lived)
