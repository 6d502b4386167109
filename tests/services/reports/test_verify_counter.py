"""verify on hand-outs: nothing to say of honest ones; one changed list, signature, month or reservation is told."""

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from dispatch.services.reports.verify.counter import SENTENCES, wrong_hand_outs
from tests.conftest import Database
from tests.factories.counter import card_of, reserve, sign
from tests.factories.market import make_shop, milk_of


@pytest.fixture
def given(committed: Database) -> Database:
    """A hand-out that was signed and one that is reserved."""
    with committed.session() as session:
        shop = make_shop(session)
        milk_of(session, shop, 20, 5)
        session.commit()
        sign(session, shop, reserve(session, shop, card_of(session, shop), (shop.milk.id, 3)))
        reserve(session, shop, card_of(session, shop), (shop.milk.id, 2))
        session.commit()
    return committed


def told(database: Database) -> list[str]:
    """What verify says."""
    with database.session() as session:
        return list(wrong_hand_outs(session))


def test_of_honest_hand_outs_nothing_is_said(given: Database) -> None:
    assert told(given) == []


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("UPDATE hand_out_lines SET amount = 4 WHERE hand_out_id = 1", "its list is not the one that was signed"),
        ("UPDATE hand_outs SET signed_at = reserved_at WHERE id = 1", "its signature does not hold"),
        ("UPDATE files SET digest = 'x' WHERE subject = 'hand_outs'", "its signature does not hold"),
        ("UPDATE household_months SET used = used - 1 WHERE used > 0", "its month is not the sum"),
        ("UPDATE lot_balances SET reserved = 1", "what is reserved is not what open hand-outs hold"),
        ("UPDATE stock_moves SET origin_id = 99 WHERE kind = 'hand_out'", "it was signed and is not booked"),
    ],
)
def test_a_row_that_was_changed_past_the_house_is_told(given: Database, statement: str, sentence: str) -> None:
    with create_engine(given.owner_url, poolclass=NullPool).begin() as owner:
        for table in ("hand_outs", "hand_out_lines", "stock_moves", "lot_balances"):
            owner.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        owner.execute(text(statement))
    assert any(sentence in line for line in told(given)), told(given)


@pytest.mark.parametrize("query", [query for query, _ in SENTENCES])
def test_what_is_asked_of_all_is_asked_once_and_not_for_each_row(given: Database, query: str) -> None:
    # each month that looks for its own hand-outs made 10⁴ months times 10⁶ hand-outs of it
    with given.session() as session:
        assert "SubPlan" not in "\n".join(session.scalars(text(f"EXPLAIN {query}")))
