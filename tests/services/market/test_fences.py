"""Hand-outs past the services, with the application's own role: for others, for nothing, twice; each is refused."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.rules.funds.terms import Purpose
from dispatch.rules.market.shelf import MoveKind
from dispatch.services import market
from dispatch.services.market import hand_outs
from tests.factories.counter import card_of, reserve, sign
from tests.factories.market import Shop, left, milk_of, settle

FORGED = "community_id, facility_id, card_id, household_id, month, list_hash, reserved_until"
ROOM = (
    "INSERT INTO household_months (household_id, month, community_id, allowed) "
    "SELECT {home}, {month}, community_id, 1000 FROM hand_outs WHERE id = :id"
)
"""A month with room for more, as the application may make it."""


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
    ],
)
def test_no_hand_out_begins_for_others_or_at_no_cost(session: Session, shop: Shop, statement: str, fence: str) -> None:
    milk_of(session, shop, 5, 5)
    made = reserve(session, shop, card_of(session, shop), (shop.milk.id, 2))
    card_of(session, shop)
    for home, month in (("(SELECT max(id) FROM households)", "month"), ("household_id", "month + interval '2 months'")):
        session.execute(text(ROOM.format(home=home, month=month)), {"id": made.id})
    with pytest.raises(IntegrityError) as refused, session.begin_nested():
        at_commit(session, statement, made.id)
    assert refused.value.orig.diag.constraint_name == fence  # type: ignore[union-attr]


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
