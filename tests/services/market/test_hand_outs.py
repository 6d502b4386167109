"""Hand-outs: a good card, a month's quota, lots that end first, a signature under exactly this list, booked once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.demo.clock import set_clock
from dispatch.errors import Invalid, NotFound
from dispatch.models.funds import Entry
from dispatch.models.market import Benefit, HandOut, Movement, StockMove
from dispatch.queue import Job
from dispatch.rules.market.double_dip import Programme
from dispatch.rules.market.eligibility import Ground
from dispatch.rules.market.hand_outs import HandOutOver, HandOutState, OtherList, Proxy, ReservationOver, SigningWay
from dispatch.rules.market.picking import NotEnough
from dispatch.rules.market.shelf import MoveKind
from dispatch.services import market
from dispatch.services.access import files, vault
from dispatch.services.market import benefits, counter, hand_outs
from dispatch.services.market.facilities import NotKeeper
from dispatch.services.market.hand_outs import NotSeen
from tests.conftest import Database
from tests.factories.aid import picture
from tests.factories.counter import card_of, reserve, sign
from tests.factories.market import Shop, left, make_shop, milk_of, settle, take_in
from tests.statements import statements

MINUTE = timedelta(minutes=1)
COLUMNS = "community_id, facility_id, card_id, household_id, month, list_hash, reserved_until"
ONE_MORE = (
    f"INSERT INTO hand_outs (uid, points, {COLUMNS}) "  # noqa: S608 - our own names
    f"SELECT gen_random_uuid(), 31, {COLUMNS} FROM hand_outs WHERE id = :id"
)
"""A second reservation as no service would write it."""
FORBIDDEN = r"violates|permission denied|not booked|never changed|no signature|is over|allowed less"
UNBOOKED = (
    "UPDATE hand_outs SET state = 'done', signed_at = reserved_at, way = 'stroke', signature = 'x', "
    "recorded_at = reserved_at WHERE id = :id"
)


def reserved(session: Session) -> int:
    """What is promised of all lots."""
    return int(session.execute(text("SELECT coalesce(sum(reserved), 0) FROM lot_balances")).scalar_one())


def used(session: Session, hand_out: HandOut) -> int:
    """What the household has used of its month."""
    query = text("SELECT used FROM household_months WHERE household_id = :home AND month = :month")
    return int(session.execute(query, {"home": hand_out.household_id, "month": hand_out.month}).scalar_one())


def test_what_is_signed_leaves_stock_and_journal_for_the_ground_and_is_told_to_other_programmes(
    session: Session, shop: Shop
) -> None:
    lot, card = milk_of(session, shop, 10, 5), card_of(session, shop, ground=Ground.SERIOUS_ILLNESS)
    made = reserve(session, shop, card, (shop.milk.id, 3))
    assert (made.state, made.points, reserved(session), used(session, made)) == ("reserved", 30, 3, 30)
    sign(session, shop, made, way=SigningWay.STROKE, proxy=Proxy("李四", "儿子"))
    settle(session)
    assert (made.state, left(session, lot), reserved(session), used(session, made)) == ("done", {"store": 7}, 0, 30)
    move = session.scalars(select(StockMove).where(StockMove.origin == "market.hand_out")).one()
    assert (move.origin_id, move.kind, move.moved_by) == (made.id, "hand_out", shop.keeper.user_id)
    entry = session.get_one(Entry, move.entry_id)
    assert entry.purpose == "serious_illness"
    (given,) = session.scalars(select(Benefit).where(Benefit.household_id == made.household_id))
    assert (given.programme, given.origin_id) == ("supermarket", made.id)
    assert hand_outs.proxy_of(made) == Proxy("李四", "儿子")
    (kept,) = files.list_files(session, "hand_outs", made.id, actor=shop.keeper)
    assert made.signature is not None
    assert vault.is_signed("market.hand_out", hand_outs.bound(made, kept.digest), made.signature)
    assert [(one.goods, one.amount, one.points) for one in hand_outs.lines_of(session, made.id)] == [("牛奶", 3, 30)]


def test_the_lot_that_ends_first_goes_first_by_itself(session: Session, shop: Shop) -> None:
    late, early = milk_of(session, shop, 5, 6), milk_of(session, shop, 2, 2)
    made = reserve(session, shop, card_of(session, shop), (shop.milk.id, 4))
    rows = session.execute(text("SELECT lot_id, amount, points FROM hand_out_lines ORDER BY amount, points DESC"))
    assert [tuple(row) for row in rows] == [(early.id, 2, 40), (late.id, 2, 0)]
    sign(session, shop, made)
    settle(session)
    assert (left(session, early), left(session, late)) == ({}, {"store": 3})


def test_the_counter_shows_what_may_be_given_and_takes_the_same_queries_for_more_goods(
    session: Session, shop: Shop
) -> None:
    card = card_of(session, shop)
    asked = {"actor": shop.keeper, "now": clock.now(session)}
    milk_of(session, shop, 4, 3)
    milk_of(session, shop, 9, 0, origin=None)
    with statements(session) as few:
        there = counter.look(session, shop.facility.id, card.qr, **asked)
    assert [(one.name, one.free, one.price.points) for one in there.offers] == [("牛奶", 13, 10)]
    assert (there.quota.allowed, there.quota.used, there.holder.name) == (100, 0, "陈婆婆")
    take_in(session, shop, shop.rice, 10_000, produced_on=shop.today)
    take_in(session, shop, shop.coat, 3)
    with statements(session) as many:
        there = counter.look(session, shop.facility.id, card.qr, **asked)
    assert len(many) <= len(few)
    assert {one.name: (one.free, one.price.of(1_000)) for one in there.offers}["大米"] == (10_000, 6)


def test_a_list_of_several_kinds_is_reserved_with_the_queries_of_one(session: Session, shop: Shop) -> None:
    milk_of(session, shop, 9, 3)
    take_in(session, shop, shop.rice, 10_000, produced_on=shop.today)
    take_in(session, shop, shop.coat, 3)
    with statements(session) as few:
        reserve(session, shop, card_of(session, shop), (shop.milk.id, 1))
    with statements(session) as many:
        made = reserve(session, shop, card_of(session, shop), (shop.milk.id, 1), (shop.rice.id, 500), (shop.coat.id, 1))
    assert len(many) <= len(few)
    assert {one.goods: one.amount for one in hand_outs.lines_of(session, made.id)} == {
        "牛奶": 1,
        "大米": 500,
        "棉衣": 1,
    }


def test_goods_have_their_own_price_where_one_is_set(session: Session, shop: Shop) -> None:
    take_in(session, shop, shop.coat, 3)
    asked = {"actor": shop.approver, "now": clock.now(session)}
    for points in (7, 25):
        counter.set_points(session, shop.coat.id, points=points, step=1, **asked)
    for wrong in ({"points": -1, "step": 1}, {"points": 1, "step": 0}):
        with pytest.raises(Invalid):
            counter.set_points(session, shop.coat.id, **wrong, **asked)
    assert reserve(session, shop, card_of(session, shop), (shop.coat.id, 2)).points == 50


def test_a_household_s_month_is_never_passed_at_any_counter(session: Session, shop: Shop) -> None:
    milk_of(session, shop, 40, 5)
    card = card_of(session, shop)
    first = reserve(session, shop, card, (shop.milk.id, 7))
    with pytest.raises(Invalid) as refused:
        reserve(session, shop, card, (shop.milk.id, 4))
    assert (refused.value.field, refused.value.facts) == ("lines", {"left": 30, "wanted": 40})
    with pytest.raises(IntegrityError, match="no quota left"), session.begin_nested():
        session.execute(text(ONE_MORE), {"id": first.id})
    hand_outs.cancel(session, first, actor=shop.keeper, now=clock.now(session))
    assert (used(session, first), reserved(session)) == (0, 0)
    next_month = clock.now(session) + timedelta(days=40)
    assert counter.quota_of(session, holder(session, shop, card), clock.today(next_month)).used == 0


def holder(session: Session, shop: Shop, card: object) -> counter.Holder:
    """Who stands at the counter."""
    asked = {"actor": shop.keeper, "now": clock.now(session)}
    return counter.look(session, shop.facility.id, card.qr, **asked).holder  # type: ignore[attr-defined]


def test_what_was_given_elsewhere_is_warned_of_until_the_keeper_has_seen_it(session: Session, shop: Shop) -> None:
    milk_of(session, shop, 9, 5)
    card = card_of(session, shop)
    home = holder(session, shop, card).household_id
    said = {"community_id": shop.world.community.id, "household_id": home, "given_on": shop.today}
    for _ in range(2):
        benefits.record(session, **said, programme=Programme.RELIEF, origin="market.relief", origin_id=1)
    warned = counter.look(session, shop.facility.id, card.qr, actor=shop.keeper, now=clock.now(session)).warnings
    assert [one.programme for one in warned] == [Programme.RELIEF]
    with pytest.raises(NotSeen):
        reserve(session, shop, card, (shop.milk.id, 1))
    made = reserve(session, shop, card, (shop.milk.id, 1), seen=frozenset({warned[0].id}))
    assert made.warned == [warned[0].id]
    benefits.withdraw(session, "market.relief", 1, now=clock.now(session))
    assert benefits.warnings_of(session, shop.world.community.id, home, shop.today) == []


def test_a_reservation_lapses_by_its_job_and_its_goods_are_free_again(session: Session, shop: Shop) -> None:
    milk_of(session, shop, 3, 5)
    made = reserve(session, shop, card_of(session, shop), (shop.milk.id, 3))
    job = session.scalars(select(Job).where(Job.kind == "market.lapse_hand_out")).one()
    assert job.run_at == made.reserved_until + timedelta(seconds=1)
    assert hand_outs.lapse(session, made.id, now=made.reserved_until) is False
    assert hand_outs.lapse(session, made.id, now=job.run_at) is True
    assert hand_outs.lapse(session, made.id, now=job.run_at) is False
    assert (made.state, reserved(session), used(session, made)) == ("lapsed", 0, 0)
    with pytest.raises(ReservationOver):
        sign(session, shop, made, now=made.reserved_until + MINUTE)


def test_what_was_signed_offline_in_time_is_booked_when_it_is_told_late(committed: Database) -> None:
    with committed.session() as session:
        shop = make_shop(session)
        lot, card = milk_of(session, shop, 3, 5), card_of(session, shop)
        made = reserve(session, shop, card, (shop.milk.id, 3))
        session.commit()
        late = made.reserved_until + 40 * MINUTE
    set_clock(committed.owner_url, late)
    with committed.session() as session:
        hand_outs.lapse(session, made.id, now=late)
        told = hand_outs.find(session, made.id, actor=shop.keeper, locked=True)
        sign(session, shop, told, at=told.reserved_at + 5 * MINUTE, now=late)
        settle(session)
        assert (told.state, left(session, lot), used(session, told)) == ("done", {}, 30)
        with pytest.raises(HandOutOver):
            sign(session, shop, told)


def test_what_is_told_late_takes_of_the_month_and_raises_it_for_nothing_else(session: Session, shop: Shop) -> None:
    milk_of(session, shop, 40, 5)
    card, ten = card_of(session, shop), (shop.milk.id, 10)
    first = reserve(session, shop, card, ten)
    hand_outs.lapse(session, first.id, now=first.reserved_until + MINUTE)
    second = reserve(session, shop, card, ten)
    sign(session, shop, first)
    assert used(session, first) == 200
    now = clock.now(session)
    hand_outs.cancel(session, second, actor=shop.keeper, now=now)
    warnings = counter.look(session, shop.facility.id, card.qr, actor=shop.keeper, now=now).warnings
    with pytest.raises(Invalid) as refused:
        reserve(session, shop, card, (shop.milk.id, 1), seen=frozenset(one.id for one in warnings))
    assert (refused.value.field, refused.value.facts) == ("lines", {"left": 0, "wanted": 10})
    settle(session)


def test_what_is_gone_before_it_was_told_is_refused_and_nothing_is_kept(session: Session, shop: Shop) -> None:
    milk_of(session, shop, 3, 5)
    made = reserve(session, shop, card_of(session, shop), (shop.milk.id, 3))
    hand_outs.lapse(session, made.id, now=made.reserved_until + MINUTE)
    other = reserve(session, shop, card_of(session, shop), (shop.milk.id, 3))
    with pytest.raises(NotEnough), session.begin_nested():
        sign(session, shop, made)
    session.refresh(made)
    assert made.state == HandOutState.LAPSED
    sign(session, shop, other)
    settle(session)


@pytest.mark.parametrize("wrong", ["other_list", "later", "before", "not_keeper"])
def test_a_signature_that_does_not_fit_is_refused(session: Session, shop: Shop, wrong: str) -> None:
    milk_of(session, shop, 3, 5)
    made = reserve(session, shop, card_of(session, shop), (shop.milk.id, 1))
    now = clock.now(session)
    if wrong == "other_list":
        with pytest.raises(OtherList):
            sign(session, shop, made, list_hash="00" * 32)
    elif wrong == "not_keeper":
        signed = hand_outs.Signing(SigningWay.STROKE, picture(), made.list_hash.hex(), now)
        with pytest.raises(NotKeeper):
            hand_outs.sign(session, made, signed, actor=shop.approver, now=now)
    else:
        at = now + 10 * MINUTE if wrong == "later" else made.reserved_at - 3 * MINUTE
        with pytest.raises(Invalid) as refused:
            sign(session, shop, made, at=at)
        assert refused.value.field == "signed_at"
    assert made.state == "reserved"


@pytest.mark.parametrize(("way", "drawn"), [(SigningWay.SCAN, picture()), (SigningWay.THUMB, picture("red"))])
def test_paper_and_thumb_print_stand_for_a_stroke_also_by_a_telephone_a_minute_behind(
    session: Session, shop: Shop, way: SigningWay, drawn: bytes
) -> None:
    milk_of(session, shop, 3, 5)
    made = reserve(session, shop, card_of(session, shop), (shop.milk.id, 1))
    sign(session, shop, made, way=way, picture=drawn, at=made.reserved_at - MINUTE)
    settle(session)
    assert (made.way, made.signed_at) == (way, made.reserved_at)


def test_nobody_else_gives_away_what_is_reserved(session: Session, shop: Shop) -> None:
    lot = milk_of(session, shop, 5, 5)
    reserve(session, shop, card_of(session, shop), (shop.milk.id, 4))
    with pytest.raises(Invalid) as refused:
        reserve(session, shop, card_of(session, shop), (shop.milk.id, 2))
    assert refused.value.field == "lines"
    now = clock.now(session)
    wish = (market.Wish(shop.milk.id, 2),)
    outgoing = market.Outgoing(MoveKind.SALE, shop.facility.id, wish)
    with pytest.raises(NotEnough):
        market.move_out(session, outgoing, actor=shop.keeper, now=now)
    with pytest.raises(IntegrityError, match="promised"), session.begin_nested():
        take_past_the_service(session, shop, lot.id, 2)


def take_past_the_service(session: Session, shop: Shop, lot_id: int, amount: int) -> None:
    """A transfer of reserved goods as no service would write it: only what the database says of promises is asked."""
    session.execute(text("SET CONSTRAINTS ALL DEFERRED"))
    move = session.execute(
        text(
            "INSERT INTO stock_moves (community_id, kind, facility_id, signed_on, movement_count, moved_by) "
            "VALUES (:community, 'transfer', :here, :day, 1, :who) RETURNING id"
        ),
        {
            "community": shop.world.community.id,
            "here": shop.facility.id,
            "day": shop.today,
            "who": shop.keeper.user_id,
        },
    ).scalar_one()
    row = {"community_id": shop.world.community.id, "move_id": move, "lot_id": lot_id, "facility_id": shop.facility.id}
    session.add(Movement(**row, spot="store", amount=-amount))
    session.flush()
    session.execute(text("SET CONSTRAINTS market_keep_promise IMMEDIATE"))


def test_a_recalled_lot_is_not_signed_away(session: Session, shop: Shop) -> None:
    milk_of(session, shop, 5, 5)
    made = reserve(session, shop, card_of(session, shop), (shop.milk.id, 2))
    why = {"reason": "抽检不合格", "source": "市场监管"}
    market.recall(session, shop.milk.id, **why, actor=shop.approver, now=clock.now(session))
    session.expire_all()
    with pytest.raises(market.MayNotBeGiven):
        sign(session, shop, made)


def test_another_community_s_hand_out_and_card_are_not_found(session: Session, shop: Shop) -> None:
    milk_of(session, shop, 5, 5)
    made = reserve(session, shop, card_of(session, shop), (shop.milk.id, 1))
    other = make_shop(session)
    with pytest.raises(NotFound):
        hand_outs.find(session, made.id, actor=other.keeper)
    stranger = card_of(session, other)
    with pytest.raises(NotFound):
        reserve(session, shop, stranger, (shop.milk.id, 1))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE hand_outs SET state = 'done' WHERE id = :id",
        UNBOOKED,
        "UPDATE hand_outs SET points = 0 WHERE id = :id",
        "UPDATE hand_out_lines SET amount = 1 WHERE hand_out_id = :id",
        "DELETE FROM hand_out_lines WHERE hand_out_id = :id",
        "UPDATE lot_balances SET reserved = 0",
        "UPDATE household_months SET used = 0",
        "UPDATE household_months SET allowed = allowed + 1",
    ],
)
def test_the_database_lets_nobody_complete_or_change_a_hand_out_past_the_counter(
    session: Session, shop: Shop, statement: str
) -> None:
    milk_of(session, shop, 5, 5)
    made = reserve(session, shop, card_of(session, shop), (shop.milk.id, 2))
    with pytest.raises(DBAPIError, match=FORBIDDEN), session.begin_nested():
        at_commit(session, statement, made.id)
    hand_outs.lapse(session, made.id, now=made.reserved_until + MINUTE)
    with pytest.raises(IntegrityError, match="is over"), session.begin_nested():
        session.execute(text("UPDATE hand_outs SET state = 'reserved' WHERE id = :id"), {"id": made.id})


def at_commit(session: Session, statement: str, hand_out_id: int) -> None:
    """A statement, and what the database says of it when it is committed."""
    session.execute(text(statement), {"id": hand_out_id})
    settle(session)


def test_two_keepers_never_promise_the_same_piece(committed: Database) -> None:
    with committed.session() as session:
        shop = make_shop(session)
        milk_of(session, shop, 5, 5)
        people = [card_of(session, shop) for _ in range(4)]
        session.commit()

    def at_the_counter(card: object) -> str:
        with committed.session() as session:
            try:
                made = reserve(session, shop, card, (shop.milk.id, 2))  # type: ignore[arg-type]
                session.commit()
                sign(session, shop, session.get_one(HandOut, made.id, with_for_update=True))
                session.commit()
            except Invalid:
                return "refused"
        return "given"

    with ThreadPoolExecutor(4) as pool:
        ends = [one.result() for one in [pool.submit(at_the_counter, card) for card in people]]
    assert sorted(ends) == ["given", "given", "refused", "refused"]
    with committed.session() as session:
        assert reserved(session) == 0
        assert session.execute(text("SELECT sum(amount) FROM lot_balances")).scalar_one() == 1


def test_two_counters_do_not_give_one_household_more_than_its_month(committed: Database) -> None:
    with committed.session() as session:
        shop = make_shop(session)
        milk_of(session, shop, 50, 5)
        take_in(session, shop, shop.coat, 50)
        card = card_of(session, shop)
        session.commit()

    def take(goods_id: int) -> str:
        with committed.session() as session:
            try:
                reserve(session, shop, card, (goods_id, 6))
                session.commit()
            except Invalid:
                return "refused"
        return "reserved"

    with ThreadPoolExecutor(2) as pool:
        ends = [one.result() for one in [pool.submit(take, goods) for goods in (shop.milk.id, shop.coat.id)]]
    assert sorted(ends) == ["refused", "reserved"]
