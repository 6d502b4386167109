"""A quota that somebody has lowered elsewhere, while this process still remembers the old one."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid
from dispatch.services.market import counter
from tests.factories.counter import card_of, reserve
from tests.factories.market import Shop, milk_of


def test_a_policy_that_was_lowered_elsewhere_counts_at_once_and_is_told_by_its_field(
    session: Session, shop: Shop
) -> None:
    milk_of(session, shop, 40, 5)
    card = card_of(session, shop)
    now = clock.now(session)
    there = counter.look(session, shop.facility.id, card.qr, actor=shop.keeper, now=now).holder
    before = counter.quota_of(session, there, clock.today(now))
    lower = text(
        "INSERT INTO policies (organisation_id, key, value, valid_from, reason) SELECT :home, key, to_jsonb(low), "
        "dispatch_now(), '调低' FROM (VALUES ('market.quota_points', 10), ('market.quota_points_of_each_more', 0), "
        "('market.reservation_minutes', 1)) AS lowered (key, low)"
    )
    session.execute(lower, {"home": there.card.community_id})
    assert counter.quota_of(session, there, clock.today(now)) == before
    with pytest.raises(Invalid) as refused:
        reserve(session, shop, card, (shop.milk.id, 2))
    assert (refused.value.field, refused.value.facts) == ("lines", {"left": 10, "wanted": 20})
    with pytest.raises(Invalid) as judged:
        counter.keep_month(session, there, before.month, before.allowed)
    assert judged.value.field == "lines"
    made = reserve(session, shop, card, (shop.milk.id, 1))
    assert (made.points, made.reserved_until - made.reserved_at) == (10, timedelta(minutes=1))
