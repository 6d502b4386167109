"""Yearly rounds: a frozen list, each household once, parcels by an order and by lot, carried on to the last."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Barrier

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import DispatchError, Invalid, NotFound
from dispatch.models.grid import Resident
from dispatch.models.market import Benefit, Movement, Round, RoundEntry
from dispatch.models.orders import Order
from dispatch.rules.access.roles import EVERYTHING, SYSTEM, Scope
from dispatch.rules.market.rounds import EntryNotThere, ListFrozen, ListNotFrozen, NobodyListed, SomebodyLeft
from dispatch.services import market, orders
from dispatch.services.market import ListedAlready, RoundDraft, RoundKnown, rounds
from dispatch.transaction import transaction
from tests.conftest import Database
from tests.factories.market import SIGNED, Shop, make_shop, take_in
from tests.factories.visits import resident
from tests.factories.world import service


@dataclass(frozen=True, slots=True)
class Year:
    """A round whose list is open, three households, and rice for two parcels."""

    shop: Shop
    round: Round
    residents: tuple[Resident, ...]

    def listed(self, session: Session) -> list[RoundEntry]:
        """All of them on the list, in their order."""
        return [market.list_household(session, self.round.id, one.id, actor=self.shop.keeper) for one in self.residents]


def make_year(session: Session) -> Year:
    """Make it: ten 斤 of rice in a parcel."""
    shop, now = make_shop(session), clock.now(session)
    service(
        session,
        shop.world.district,
        "parcel_delivery",
        offered=["programme"],
        performer="helper",
        given="take_from_list",
        callback=False,
        in_figures=False,
    )
    take_in(session, shop, shop.rice, 10_000, produced_on=shop.today)
    draft = RoundDraft(2026, "春节慰问", shop.facility.id, {shop.rice.id: 5_000})
    made = market.plan_round(session, draft, actor=shop.keeper, now=now)
    return Year(shop, made, tuple(resident(session, shop.world) for _ in range(3)))


ALONE = "UPDATE round_entries SET state = 'excused', reason = 'x', excused_by = :by WHERE id = :id"


@pytest.fixture
def year(session: Session) -> Year:
    return make_year(session)


def frozen(session: Session, year: Year) -> list[RoundEntry]:
    """The households of a list that was frozen."""
    entries = year.listed(session)
    market.freeze_round(session, year.round.id, actor=year.shop.keeper, now=clock.now(session))
    return entries


def send(session: Session, year: Year, entry: RoundEntry) -> Order:
    """Somebody is sent with the parcel."""
    market.send_parcel(session, entry.id, actor=year.shop.keeper, now=clock.now(session))
    return session.get_one(Order, entry.order_id)


def sign(session: Session, year: Year, entry: RoundEntry, signer: str = "陈婆婆") -> RoundEntry:
    """Somebody signs for it."""
    return market.sign_parcel(session, entry.id, signer, signed=SIGNED, actor=year.shop.keeper, now=clock.now(session))


def test_a_household_stands_on_the_list_once(session: Session, year: Year) -> None:
    year.listed(session)
    with pytest.raises(ListedAlready):
        market.list_household(session, year.round.id, year.residents[0].id, actor=year.shop.keeper)
    homeless = resident(session, year.shop.world, is_housed=False)
    with pytest.raises(Invalid) as refused:
        market.list_household(session, year.round.id, homeless.id, actor=year.shop.keeper)
    assert refused.value.field == "resident_id"


def test_a_frozen_list_neither_grows_nor_shrinks_whoever_writes(session: Session, year: Year) -> None:
    with pytest.raises(NobodyListed):
        market.freeze_round(session, year.round.id, actor=year.shop.keeper, now=clock.now(session))
    frozen(session, year)
    other = resident(session, year.shop.world)
    with pytest.raises(ListFrozen):
        market.list_household(session, year.round.id, other.id, actor=year.shop.keeper)
    for statement in (
        """INSERT INTO round_entries (community_id, round_id, household_id, resident_id)
        SELECT community_id, :round, household_id, id FROM residents WHERE id = :resident""",
        "UPDATE rounds SET state = 'listing', frozen_at = NULL WHERE id = :round AND :resident > 0",
        "UPDATE rounds SET state = 'closed', closed_at = dispatch_now() WHERE id = :round AND :resident > 0",
        "UPDATE round_bills SET amount = 1 WHERE round_id = :round AND :resident > 0",
    ):
        with pytest.raises(DBAPIError), session.begin_nested():
            session.execute(text(statement), {"round": year.round.id, "resident": other.id})


def test_a_parcel_is_an_order_to_the_home_and_leaves_by_lot_when_signed(session: Session, year: Year) -> None:
    with pytest.raises(ListNotFrozen):
        send(session, year, year.listed(session)[0])
    market.freeze_round(session, year.round.id, actor=year.shop.keeper, now=clock.now(session))
    entry = session.scalars(select(RoundEntry).order_by(RoundEntry.id)).first()
    assert entry is not None
    with pytest.raises(EntryNotThere):
        sign(session, year, entry)
    order = send(session, year, entry)
    assert (order.origin, order.origin_id, order.stairwell_id) == (
        "market.round",
        entry.id,
        year.shop.world.stairwells[0].id,
    )
    with pytest.raises(EntryNotThere):
        send(session, year, entry)
    with pytest.raises(Invalid) as refused:
        sign(session, year, entry, " ")
    assert refused.value.field == "signer"
    sign(session, year, entry)
    assert (entry.state, entry.signer, entry.signed_on) == ("delivered", "陈婆婆", year.shop.today)
    moved = select(func.sum(Movement.amount)).where(Movement.move_id == entry.move_id)
    assert session.scalars(moved).one() == -5_000
    given = select(Benefit.programme, Benefit.household_id, Benefit.given_on)
    assert session.execute(given).all() == [("yearly_round", entry.household_id, year.shop.today)]
    with pytest.raises(EntryNotThere):
        sign(session, year, entry)


def test_what_came_to_nothing_is_carried_on_and_the_round_ends_with_the_last(session: Session, year: Year) -> None:
    first, second, third = frozen(session, year)
    now, keeper = clock.now(session), year.shop.keeper
    order = send(session, year, first)
    orders.void(session, order, reason="没人在家", by_resident=True, actor=SYSTEM, now=now)
    session.refresh(order)
    assert market.giving_order_changed(session, order.id, order.version)
    assert not market.giving_order_changed(session, order.id, order.version)
    assert (first.state, market.progress_of(session, year.round.id).left) == ("unreached", 3)
    for entry in (first, second):
        send(session, year, entry)
        sign(session, year, entry)
    assert first.tries == 2
    with pytest.raises(SomebodyLeft):
        market.close_round(session, year.round.id, actor=keeper, now=now)
    with pytest.raises(Invalid) as refused:
        market.excuse_household(session, third.id, " ", actor=keeper)
    assert refused.value.field == "reason"
    market.excuse_household(session, third.id, "已搬走", actor=keeper)
    assert market.progress_of(session, year.round.id).permille == 1000
    assert market.close_round(session, year.round.id, actor=keeper, now=now).state == "closed"
    with pytest.raises(DBAPIError), session.begin_nested():
        session.execute(text("UPDATE round_entries SET reason = 'x' WHERE id = :id"), {"id": third.id})


def test_whose_goods_ran_out_after_the_order_was_done_is_sent_again_or_left_out_by_another(
    session: Session, year: Year
) -> None:
    entries, shop, now = frozen(session, year), year.shop, clock.now(session)
    for entry in entries:
        done(session, send(session, year, entry))
    sign(session, year, entries[0])
    sign(session, year, entries[1])
    last = entries[2]
    with pytest.raises(DispatchError):
        sign(session, year, last)
    with pytest.raises(EntryNotThere):
        send(session, year, last)
    with pytest.raises(EntryNotThere):
        market.excuse_household(session, last.id, "没有了", actor=shop.approver)
    with pytest.raises(Invalid) as refused:
        rounds.set_back(session, last.id, " ", actor=shop.keeper)
    assert (refused.value.field, last.state) == ("set_back", "reached")
    rounds.set_back(session, last.id, "米发完了", actor=shop.keeper)
    with pytest.raises(rounds.SetBackByThem):
        market.excuse_household(session, last.id, "没有了", actor=shop.keeper)
    with pytest.raises(DBAPIError, match="second_look"), session.begin_nested():
        session.execute(text(ALONE), {"id": last.id, "by": shop.keeper.user_id})
    with session.begin_nested() as nested:
        market.excuse_household(session, last.id, "没有了", actor=shop.approver)
        assert market.close_round(session, year.round.id, actor=shop.keeper, now=now).state == "closed"
        nested.rollback()
    take_in(session, shop, shop.rice, 5_000, produced_on=shop.today)
    send(session, year, last)
    assert (sign(session, year, last).state, last.tries, last.set_back) == ("delivered", 2, "米发完了")


def done(session: Session, order: Order) -> None:
    """The parcel was taken there, as its order tells."""
    order.state, order.result, order.version = "closed", "done", order.version + 1
    session.flush()
    assert market.giving_order_changed(session, order.id, order.version)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda draft: replace(draft, year=1999), "year"),
        (lambda draft: replace(draft, name=" "), "name"),
        (lambda draft: replace(draft, bill={}), "bill"),
        (lambda draft: replace(draft, bill={10**12: 1}), "bill"),
        (lambda draft: replace(draft, bill=dict.fromkeys(draft.bill, 0)), "bill"),
    ],
)
def test_a_round_says_year_name_and_bill(
    session: Session, year: Year, change: Callable[[RoundDraft], RoundDraft], field: str
) -> None:
    draft = RoundDraft(2026, "端午", year.shop.facility.id, {year.shop.rice.id: 1})
    with pytest.raises(Invalid) as refused:
        market.plan_round(session, change(draft), actor=year.shop.keeper, now=clock.now(session))
    assert refused.value.field == field


def test_a_round_of_a_year_is_there_once_and_another_s_not_at_all(session: Session, year: Year) -> None:
    draft = RoundDraft(2026, "春节慰问", year.shop.facility.id, {year.shop.rice.id: 1})
    with pytest.raises(RoundKnown):
        market.plan_round(session, draft, actor=year.shop.keeper, now=clock.now(session))
    stranger = replace(year.shop.keeper, scope=Scope(communities=frozenset({-1})))
    with pytest.raises(NotFound):
        market.find_round(session, year.round.id, actor=stranger)
    (entry, *_rest) = frozen(session, year)
    with pytest.raises(NotFound):
        market.send_parcel(session, entry.id, actor=stranger, now=clock.now(session))
    assert market.list_rounds(session, actor=stranger) == []
    assert [name for _, name, _ in market.entries_of(session, year.round.id)] == ["陈婆婆"] * 3


def test_many_who_list_and_send_at_once_do_it_once(committed: Database) -> None:
    with committed.session() as session:
        year = make_year(session)
        session.commit()
    start = Barrier(6)

    def attempt(deed: Callable[[Session], object]) -> bool:
        start.wait()
        try:
            with transaction(EVERYTHING) as session:
                deed(session)
        except DispatchError:
            return False
        return True

    def together(deed: Callable[[Session], object]) -> int:
        with ThreadPoolExecutor(6) as pool:
            return sum(pool.map(attempt, [deed] * 6))

    keeper, first = year.shop.keeper, year.residents[0].id
    assert together(lambda one: market.list_household(one, year.round.id, first, actor=keeper)) == 1
    with committed.session() as session:
        market.freeze_round(session, year.round.id, actor=keeper, now=clock.now(session))
        (entry_id,) = session.scalars(select(RoundEntry.id))
        session.commit()
    assert together(lambda one: market.send_parcel(one, entry_id, actor=keeper, now=clock.now(one))) == 1
    assert (
        together(
            lambda one: market.sign_parcel(one, entry_id, "陈婆婆", signed=SIGNED, actor=keeper, now=clock.now(one))
        )
        == 1
    )
    with committed.session() as session:
        assert session.scalars(select(func.count()).where(Order.origin == "market.round")).one() == 1
