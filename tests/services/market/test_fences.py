"""Hand-outs past the services, with the application's own role: for others, for nothing, twice; each is refused."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.demo.clock import set_clock
from dispatch.rules.funds.terms import Purpose
from dispatch.rules.market.shelf import MoveKind
from dispatch.services import market
from dispatch.services.market import hand_outs
from tests.conftest import Database
from tests.factories.counter import card_of, reserve, sign, signing
from tests.factories.gifts import make_office, receive
from tests.factories.market import ONE, Shop, left, make_shop, milk_of, settle

FORGED = "community_id, facility_id, card_id, household_id, month, list_hash, reserved_until"
ROOM = (
    "INSERT INTO household_months (household_id, month, community_id, allowed) "
    "SELECT {home}, {month}, community_id, 100 FROM hand_outs WHERE id = :id"
)
"""A month with room for more, as the application may make it."""
BEFORE = {name: f"{name} - interval '3 minutes'" for name in ("reserved_at", "reserved_until")}
BACKDATED = (
    "UPDATE hand_outs SET state = 'done', signed_at = reserved_at, way = 'stroke', signature = 'x', "
    "recorded_at = dispatch_now() - interval '3 minutes' WHERE id = :id"
)
"""A hand-out that was told some time ago."""


def at_commit(session: Session, statement: str, hand_out_id: int) -> None:
    """A statement, and what the database says of it when it is committed."""
    session.execute(text(statement), {"id": hand_out_id})
    settle(session)


def forged(**changes: str) -> str:
    """A copy of a hand-out that says something else."""
    values = {name: name for name in FORGED.split(", ")} | {"points": "points", "state": "state"} | changes
    names, selected = ", ".join(values), ", ".join(values.values())
    return (
        f"INSERT INTO hand_outs (uid, {names}) "  # noqa: S608 - our own names
        f"SELECT gen_random_uuid(), {selected} FROM hand_outs WHERE id = :id"
    )


@pytest.mark.parametrize(
    ("statement", "fence"),
    [
        (forged(household_id="(SELECT max(id) FROM households)"), "begins_rightly"),
        (forged(month="(month + interval '2 months')::date"), "begins_rightly"),
        (forged(state="'lapsed'"), "reserved"),
        (forged(points="0"), "charged_as_listed"),
        (forged(**BEFORE), "told_now"),
        (forged(reserved_until="reserved_until + interval '1 minute'"), "reserved_for_minutes"),
        (BACKDATED, "told_now"),
    ],
)
def test_no_hand_out_begins_for_others_or_at_no_cost(session: Session, shop: Shop, statement: str, fence: str) -> None:
    milk_of(session, shop, 5, 5)
    made = reserve(session, shop, card_of(session, shop), (shop.milk.id, 2))
    card_of(session, shop)
    for home, month in (("(SELECT max(id) FROM households)", "month"), ("household_id", "month + interval '2 months'")):
        session.execute(text(ROOM.format(home=home, month=month)), {"id": made.id})
    with pytest.raises(DBAPIError) as refused, session.begin_nested():
        at_commit(session, statement, made.id)
    assert refused.value.orig.diag.constraint_name == fence  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("table", "column"),
    [("cards", "issued_at"), ("receipts", "issued_at"), ("gifts", "received_at"), ("stock_moves", "moved_at")],
)
def test_nothing_is_written_down_as_of_some_time_ago(session: Session, table: str, column: str) -> None:
    office = make_office(session)
    receive(session, office)
    card_of(session, office.shop)
    milk_of(session, office.shop, 1, 5)
    forged = f"to_jsonb(one) || jsonb_build_object('{column}', one.{column} - interval '3 minutes')"
    copied = f"SELECT (jsonb_populate_record(NULL::{table}, {forged})).* FROM {table} AS one LIMIT 1"  # noqa: S608 - our own names
    with pytest.raises(DBAPIError, match=f"{column} of {table} is not now"), session.begin_nested():
        session.execute(text(f"INSERT INTO {table} {copied}"))


def test_a_step_is_of_the_day_of_its_signature(committed: Database) -> None:
    with committed.session() as session:
        shop = make_shop(session)
        milk_of(session, shop, 5, 5)
        card, tomorrow = card_of(session, shop), clock.now(session) + ONE
        session.commit()
    set_clock(committed.owner_url, tomorrow)
    with committed.session() as session:
        made = reserve(session, shop, card, (shop.milk.id, 2), now=tomorrow)
        lines = hand_outs.lock_lines(session, made)
        hand_outs.keep_signature(session, made, signing(made, tomorrow), actor=shop.keeper, now=tomorrow)
        session.flush()
        hand_outs.book(session, made, lines, day_signed=tomorrow - ONE, actor=shop.keeper, now=tomorrow)
        with pytest.raises(IntegrityError) as refused:
            settle(session)
    assert refused.value.orig.diag.constraint_name == "day_of_signature"  # type: ignore[union-attr]


def test_one_signature_takes_its_list_once_and_nothing_besides(session: Session, shop: Shop) -> None:
    lot = milk_of(session, shop, 9, 5)
    made = sign(session, shop, reserve(session, shop, card_of(session, shop), (shop.milk.id, 2)))
    settle(session)
    outgoing = market.Outgoing(
        MoveKind.HAND_OUT,
        shop.facility.id,
        (market.Wish(shop.milk.id, 1),),
        purpose=Purpose.LONE_ELDER,
        origin=hand_outs.ORIGIN,
        origin_id=made.id,
        occasion=2,
    )
    assert left(session, lot) == {"store": 7}
    market.move_out(session, outgoing, actor=shop.keeper, now=clock.now(session))
    with pytest.raises(IntegrityError, match="not what was signed"):
        settle(session)
