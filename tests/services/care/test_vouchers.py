"""Vouchers from grant to settlement: two people, one account each, never too much, and a database that says no."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid, NotAllowed, NotFound
from dispatch.models.care import Voucher
from dispatch.models.catalogue import Coverage
from dispatch.models.notify import Alarm
from dispatch.models.orders import Order
from dispatch.rules.access.roles import SYSTEM, Actor, ActorKind, Scope
from dispatch.rules.care.vouchers import NotLeft, Settled, VoucherFrozen, VoucherOver
from dispatch.services import funds, orders
from dispatch.services.care import vouchers
from dispatch.services.care.vouchers import (
    CardOver,
    FormReused,
    HasCard,
    NoCard,
    NotAFirm,
    NothingOwed,
    OrderRedeemed,
    OwnRequest,
    Refunded,
    RequestDecided,
    UnknownCode,
)
from dispatch.services.funds import NotEnough
from tests.factories.market import settle
from tests.factories.vouchers import Purses, ask, code_of, grant, make_purses, taking


@pytest.fixture
def purses(session: Session) -> Purses:
    """Three persons and 10,000 yuan."""
    return make_purses(session)


def left(session: Session, voucher: Voucher, actor: Actor) -> int:
    """What is left of it."""
    return vouchers.list_vouchers(session, actor=actor, voucher_id=voucher.id, limit=1)[0].left


def alarms(session: Session) -> set[str]:
    """The kinds of the open alarms about vouchers."""
    rows = session.query(Alarm.kind).filter(Alarm.cleared_at.is_(None), Alarm.subject.like("voucher%"))
    return {row[0] for row in rows}


def test_a_list_is_asked_by_one_and_each_person_has_an_account_when_another_approves(
    session: Session, purses: Purses
) -> None:
    now = clock.now(session)
    made = ask(session, purses)
    assert (alarms(session), vouchers.list_vouchers(session, actor=purses.centre, limit=9)) == (
        {"voucher_grant_waits"},
        [],
    )
    for actor, error in (
        (purses.welfare, OwnRequest),
        (replace(purses.centre, scope=Scope()), NotFound),
        (Actor(ActorKind.OPERATOR, api_key_id=1, scope=purses.centre.scope), NotAllowed),
    ):
        with pytest.raises(error):
            vouchers.approve_grant(session, made.id, actor=actor, now=now)
    vouchers.approve_grant(session, made.id, actor=purses.centre, now=now)
    rows = vouchers.list_vouchers(session, actor=purses.centre, limit=9)
    assert [(row.voucher.number, row.name, row.left) for row in rows] == [(n, "陈**", 50_000) for n in (3, 2, 1)]
    (fund,) = [one for one in funds.list_funds(session, actor=purses.centre) if one.fund.code == "general"]
    assert fund.left == {"fen": 1_000_000}
    with pytest.raises(RequestDecided):
        vouchers.withdraw_grant(session, made.id, actor=purses.welfare, now=now)
    with pytest.raises(Invalid) as twice:
        ask(session, purses)
    assert (twice.value.field, alarms(session)) == ("people", set())
    settle(session)


def test_what_is_asked_wrongly_refused_or_not_there_grants_nothing(session: Session, purses: Purses) -> None:
    now = clock.now(session)
    for wrong, field in (
        ({"fen": 0}, "fen"),
        ({"residents": ()}, "people"),
        ({"residents": (10**9,)}, "people"),
        ({"expires_on": clock.today(now)}, "expires_on"),
        ({"fund_id": 0}, "fund_id"),
    ):
        with pytest.raises(Invalid) as refused:
            ask(session, purses, **wrong)
        assert refused.value.field == field
    first = ask(session, purses)
    with pytest.raises(Invalid):
        vouchers.refuse_grant(session, first.id, reason=" ", actor=purses.centre, now=now)
    vouchers.refuse_grant(session, first.id, reason="名单不对", actor=purses.centre, now=now)
    second = ask(session, purses, fen=400_000)
    with pytest.raises(NotEnough), session.begin_nested():
        vouchers.approve_grant(session, second.id, actor=purses.centre, now=now)
    vouchers.withdraw_grant(session, second.id, actor=purses.welfare, now=now)
    for_nothing = ask(session, purses, fund_id=purses.treasury.overseas.id)
    with pytest.raises(Invalid), session.begin_nested():
        vouchers.approve_grant(session, for_nothing.id, actor=purses.centre, now=now)
    states = [row.grant.state for row in vouchers.list_grants(session, actor=purses.centre, limit=9)]
    assert states == ["asked", "withdrawn", "refused"]
    settle(session)


def test_a_firm_takes_part_of_a_voucher_once_per_form_and_never_too_much(session: Session, purses: Purses) -> None:
    voucher, other, _ = grant(session, purses)
    code = code_of(session, purses, voucher)
    firm, second = purses.firms
    take = taking(session, firm, code)
    shown = vouchers.look_up(session, code, actor=firm)
    assert (shown.name, shown.left, shown.number) == ("陈**", 50_000, 1)
    first = take(30_000, form_key=7)
    assert take(30_000, form_key=7) is first
    with pytest.raises(FormReused):
        take(1, form_key=7)
    with pytest.raises(NotLeft):
        take(20_001)
    taking(session, second, code)(20_000)
    with pytest.raises(NotLeft):
        take(1)
    for wrong, field in (({"what": " "}, "what"), ({"fen": 0}, "fen"), ({"code": "HQ1"}, "code")):
        with pytest.raises(Invalid) as refused:
            take(wrong.pop("fen", 1), **wrong)
        assert refused.value.field == field
    with pytest.raises(UnknownCode):
        take(1, code="0" * 26)
    with pytest.raises(NotAFirm):
        taking(session, purses.welfare, code)(1)
    lines = vouchers.statement(session, voucher.id, actor=purses.welfare)
    assert [(line.fen, line.left) for line in lines] == [(50_000, 50_000), (-30_000, 20_000), (-20_000, 0)]
    assert left(session, other, purses.centre) == 50_000
    assert list(vouchers.broken_vouchers(session)) == []
    settle(session)


def test_an_order_of_the_firm_is_paid_by_a_voucher_once(session: Session, purses: Purses) -> None:
    voucher, _, _ = grant(session, purses)
    take = taking(session, purses.firms[0], code_of(session, purses, voucher))
    number = orders.place(
        session,
        orders.OrderDraft(
            "下水道堵了",
            service_id=purses.world.plumbing.id,
            building_id=purses.world.buildings[0].id,
            organisation_id=purses.world.district.id,
        ),
        actor=SYSTEM,
        now=clock.now(session),
    ).number
    with pytest.raises(Invalid):
        take(100, order_number=number)
    session.query(Order).filter(Order.number == number).update({"performer_id": purses.firms[0].performer_id})
    assert take(100, order_number=f" {number} ").order_id is not None
    with pytest.raises(OrderRedeemed):
        take(100, order_number=number)


def test_a_card_opens_until_it_is_lost_or_its_firm_or_its_person_is_gone(session: Session, purses: Purses) -> None:
    now = clock.now(session)
    voucher, other, _ = grant(session, purses)
    code = code_of(session, purses, voucher)
    with pytest.raises(HasCard):
        code_of(session, purses, voucher)
    card = vouchers.cards_of(session, voucher.id, actor=purses.welfare)[0]
    new = vouchers.replace_card(session, card.id, actor=purses.welfare, now=now)
    for act in (vouchers.replace_card, vouchers.revoke_card):
        with pytest.raises(CardOver):
            act(session, card.id, actor=purses.welfare, now=now)
    firm = purses.firms[0]
    with pytest.raises(CardOver):
        taking(session, firm, code)(1)
    taking(session, firm, new.code)(1)
    session.query(Coverage).filter(Coverage.performer_id == firm.performer_id).delete()
    with pytest.raises(UnknownCode):
        vouchers.look_up(session, new.code, actor=firm)
    vouchers.revoke_card(session, new.card.id, actor=purses.welfare, now=now)
    assert [one.ended_as for one in vouchers.cards_of(session, voucher.id, actor=purses.welfare)] == ["revoked", "lost"]
    good = code_of(session, purses, other)
    assert [one.id for one in vouchers.freeze(session, other.resident_id, actor=SYSTEM, now=now)] == [other.id]
    assert vouchers.freeze(session, other.resident_id, actor=SYSTEM, now=now) == []
    with pytest.raises(VoucherFrozen):
        taking(session, purses.firms[1], good)(1)
    with pytest.raises(NoCard):
        code_of(session, purses, other)
    for _ in range(2):
        assert vouchers.thaw_voucher(session, other.id, actor=purses.centre, now=now).state == "open"
    taking(session, purses.firms[1], good)(1)
    with pytest.raises(VoucherOver):
        vouchers.thaw_voucher(session, other.id, actor=purses.centre, now=now + timedelta(days=400))
    settle(session)


def test_a_redemption_comes_back_by_two_people_and_not_after_it_was_settled(session: Session, purses: Purses) -> None:
    now = clock.now(session)
    voucher, _, _ = grant(session, purses)
    take = taking(session, purses.firms[0], code_of(session, purses, voucher))
    kept, gone = take(10_000), take(5_000)
    asked = vouchers.ask_refund(session, gone.id, words="没有做", actor=purses.welfare, now=now)
    with pytest.raises(Refunded):
        vouchers.ask_refund(session, gone.id, words="没有做", actor=purses.welfare, now=now)
    with pytest.raises(OwnRequest):
        vouchers.approve_refund(session, asked.id, actor=purses.welfare, now=now)
    vouchers.refuse_refund(session, asked.id, reason="做过了", actor=purses.centre, now=now)
    asked = vouchers.ask_refund(session, gone.id, words="真的没有做", actor=purses.welfare, now=now)
    assert [row.redemption.id for row in vouchers.refunds_waiting(session, actor=purses.centre)] == [gone.id]
    vouchers.approve_refund(session, asked.id, actor=purses.centre, now=now)
    assert left(session, voucher, purses.centre) == 40_000
    lines = vouchers.statement(session, voucher.id, actor=purses.welfare)
    assert [line.fen for line in lines] == [50_000, -10_000, -5_000, 5_000]
    with pytest.raises(Refunded):
        vouchers.ask_refund(session, gone.id, words="再退", actor=purses.welfare, now=now)
    month, later = f"{clock.today(now):%Y-%m}", now + timedelta(days=32)
    (made,) = vouchers.settle_month(session, voucher.community_id, month, actor=purses.welfare, now=later)
    assert (made.fen, made.redemption_count) == (10_000, 1)
    with pytest.raises(Settled):
        vouchers.ask_refund(session, kept.id, words="退", actor=purses.welfare, now=now)
    settle(session)
    assert list(vouchers.broken_vouchers(session)) == []


def test_a_month_is_settled_once_and_again_only_when_its_payment_came_to_nothing(
    session: Session, purses: Purses
) -> None:
    now = clock.now(session)
    month, later, community = f"{clock.today(now):%Y-%m}", now + timedelta(days=32), purses.world.community.id
    voucher, other, _ = grant(session, purses)
    first, second = (
        taking(session, firm, code_of(session, purses, one))
        for firm, one in zip(purses.firms, (voucher, other), strict=True)
    )
    first(10_000), first(5_000), second(2_000)

    def settled() -> list[tuple[int, int]]:
        made = vouchers.settle_month(session, community, month, actor=purses.welfare, now=later)
        return [(one.fen, one.redemption_count) for one in made]

    with pytest.raises(Invalid):
        vouchers.settle_month(session, community, month, actor=purses.welfare, now=now)
    assert [row.owed.fen for row in vouchers.owed_of_month(session, community, month, actor=purses.centre)] == [
        15_000,
        2_000,
    ]
    assert settled() == [(15_000, 2), (2_000, 1)]
    with pytest.raises(NothingOwed):
        settled()
    rows = vouchers.list_settlements(session, actor=purses.centre, limit=9)
    funds.refuse_spending(session, rows[0].settlement.spending_id, reason="不对", actor=purses.centre, now=now)
    funds.approve_spending(session, rows[1].settlement.spending_id, actor=purses.centre, now=now)
    assert settled() == [(2_000, 1)]
    rows = vouchers.list_settlements(session, actor=purses.centre, limit=9)
    assert [row.state for row in rows] == ["asked", "refused", "booked"]
    items = vouchers.redemptions_of_settlement(session, rows[2].settlement.id, actor=purses.centre)
    assert [row.redemption.fen for row in items] == [10_000, 5_000]
    assert list(vouchers.broken_vouchers(session)) == []
    settle(session)


def test_who_looks_after_vouchers_is_told_once_before_a_last_day_of_what_is_not_used(
    session: Session, purses: Purses
) -> None:
    now = clock.now(session)
    ends = clock.today(now) + timedelta(days=31)
    first, *_ = grant(session, purses, expires_on=ends)
    taking(session, purses.firms[0], code_of(session, purses, first))(50_000)
    assert vouchers.warn_vouchers(session, now=now) == 0
    for new in (1, 0):
        assert vouchers.warn_vouchers(session, now=now + timedelta(days=1)) == new
    alarm = session.scalars(select(Alarm).where(Alarm.kind == "vouchers_end")).one()
    assert alarm.facts == {"count": 2, "day": ends.isoformat(), "amount": "1,000.00 元"}
    (line,) = vouchers.in_month(vouchers.statement(session, first.id, actor=purses.centre), f"{ends:%Y-%m}")[1:]
    assert line == []


WRONG = {
    "more than is left": "UPDATE balances SET amount = -1 WHERE account_id = (SELECT id FROM accounts WHERE side = "
    "'custody' AND earmark_id = (SELECT earmark_id FROM vouchers WHERE id = :id))",
    "another amount": "UPDATE vouchers SET fen = fen + 1 WHERE id = :id",
    "another person": "UPDATE vouchers SET resident_id = resident_id + 1 WHERE id = :id",
    "asked again": "UPDATE vouchers SET state = 'asked', number = NULL, earmark_id = NULL, entry_id = NULL "
    "WHERE id = :id",
    "over and not empty": "UPDATE vouchers SET state = 'over', ended_at = dispatch_now() WHERE id = :id",
    "a redemption rewritten": "UPDATE voucher_redemptions SET fen = 1 WHERE voucher_id = :id",
    "a refund of nobody": "UPDATE voucher_redemptions SET refunded_at = dispatch_now() WHERE voucher_id = :id",
    "a settlement of nobody": "UPDATE voucher_redemptions SET settlement_id = 1 WHERE voucher_id = :id",
    "taken without an entry": "INSERT INTO voucher_redemptions (community_id, voucher_id, card_id, performer_id, fen, "
    "what, redeemed_on, entry_id) SELECT community_id, voucher_id, card_id, performer_id, 1, 'x', redeemed_on, "
    "(SELECT entry_id FROM vouchers WHERE id = :id) FROM voucher_redemptions WHERE voucher_id = :id",
    "gone": "DELETE FROM voucher_redemptions WHERE voucher_id = :id",
}


@pytest.mark.parametrize("name", WRONG)
def test_the_database_refuses_what_must_never_happen(session: Session, purses: Purses, name: str) -> None:
    voucher, _, _ = grant(session, purses)
    taking(session, purses.firms[0], code_of(session, purses, voucher))(100)
    settle(session)

    def act() -> None:
        with session.begin_nested():
            session.execute(text(WRONG[name]), {"id": voucher.id})
            settle(session)

    with pytest.raises(DBAPIError):
        act()
