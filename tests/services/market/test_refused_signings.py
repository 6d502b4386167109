"""A signing made offline that is refused when it is told: somebody learns of it, until the stock is counted."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.notify import Alarm
from dispatch.rules.market.shelf import MoveKind
from dispatch.services import market
from dispatch.services.market import hand_outs, refused_signings
from tests.factories.counter import card_of, reserve, sign
from tests.factories.market import Shop, hand_out, milk_of, settle
from tests.services.market.test_keeping import counted

LATER = timedelta(minutes=5)
OPEN = select(Alarm.facts).where(Alarm.kind == "signing_refused", Alarm.cleared_at.is_(None))


def test_what_was_signed_long_before_it_is_refused_is_alarmed_once_until_the_stock_is_counted(
    session: Session, shop: Shop
) -> None:
    now, lot = clock.now(session), milk_of(session, shop, 5, 3)
    lost, done = (reserve(session, shop, card_of(session, shop), (shop.milk.id, 1)) for _ in range(2))
    hand_outs.cancel(session, lost, actor=shop.keeper, now=now)
    sign(session, shop, done)
    tell = {"actor": shop.keeper, "now": now + LATER}
    assert refused_signings.tell(session, done.id, now, **tell) is False
    assert refused_signings.tell(session, lost.id, now + LATER, **tell) is False
    assert refused_signings.tell(session, lost.id, None, **tell) is False
    assert session.scalars(OPEN).all() == []
    assert [refused_signings.tell(session, lost.id, now, **tell) for _ in range(2)] == [True, True]
    assert session.scalars(OPEN).all() == [{"hand_out_id": lost.id}]
    count = counted(session, shop, [4, 4], lot)
    market.close_count(session, count.id, reason="", actor=shop.approver, now=now)
    assert session.scalars(OPEN).all() == []


def test_the_database_lets_nothing_be_handed_out_that_nobody_has_signed(session: Session, shop: Shop) -> None:
    milk_of(session, shop, 5, 3)
    other = milk_of(session, shop, 5, 3, facility_id=shop.overseas.id, fund_id=shop.overseas_fund.id)
    made = reserve(session, shop, card_of(session, shop), (shop.milk.id, 1))
    sign(session, shop, made)
    settle(session)
    for changes in (
        {},
        {"origin": "market.gift", "origin_id": made.id},
        {"origin": "market.hand_out", "origin_id": made.id + 99},
        {"origin": "market.hand_out", "origin_id": made.id, "occasion": 2, "facility_id": shop.overseas.id}
        | {"lot_id": other.id},
    ):
        with session.begin_nested() as nested:
            hand_out(session, shop, shop.milk, 1, kind=MoveKind.HAND_OUT, **changes)
            with pytest.raises(DBAPIError, match="nobody has signed"):
                settle(session)
            nested.rollback()
    columns = "id, uid, community_id, facility_id, card_id, household_id, month, points, list_hash, reserved_until"
    copied = columns.replace("uid", "gen_random_uuid()").replace("id,", "id + 99,", 1)
    with pytest.raises(DBAPIError, match="was not reserved"), session.begin_nested():
        session.execute(text(f"INSERT INTO hand_outs ({columns}, state) SELECT {copied}, 'lapsed' FROM hand_outs"))  # noqa: S608
