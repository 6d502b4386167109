"""Spending above an amount: asked by one, approved by another and only then booked; the database enforces both."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import DispatchError, Invalid, NotAllowed, NotFound
from dispatch.models.access import Organisation
from dispatch.models.funds import Entry, Spending
from dispatch.models.notify import Alarm
from dispatch.rules.access.roles import SYSTEM, Actor, ActorKind, Scope
from dispatch.rules.funds.booking import Booking
from dispatch.rules.funds.draft import Draft, Line
from dispatch.rules.funds.terms import EntryKind, Purpose
from dispatch.services import funds
from dispatch.services.funds import (
    AlreadyAsked,
    AlreadyReversed,
    Counted,
    NeedsAnother,
    NeedsApproval,
    NotEnough,
    OwnSpending,
    SpendingDecided,
)
from dispatch.services.funds.opening import opening_of
from dispatch.services.funds.two_people import approved
from tests.factories.funds import Treasury, give, make_treasury, put, spend
from tests.factories.market import settle
from tests.factories.world import make_world, set_policies
from tests.services.funds.test_bank import person

ABOVE = 1_000


@pytest.fixture
def treasury(session: Session) -> Treasury:
    """30 yuan in the till of a community in which more than 10 yuan needs two people."""
    made = make_treasury(session, make_world(session).community.id)
    set_policies(session, session.get_one(Organisation, made.community_id), funds__approve_above_fen=ABOVE)
    give(session, made, 3_000)
    return made


def booking(treasury: Treasury, fen: int, **changes: object) -> Booking:
    """Spending of the general fund from the till for a lone elder."""
    plain = Booking(EntryKind.SPEND, treasury.general.id, treasury.till.id, fen, purpose=Purpose.LONE_ELDER)
    return replace(plain, **changes)  # type: ignore[arg-type]


def entries(session: Session) -> int:
    """How many entries there are."""
    return session.scalars(select(func.count(Entry.id))).one()


def test_spending_is_asked_by_one_and_booked_when_another_approves(session: Session, treasury: Treasury) -> None:
    now = clock.now(session)
    accountant, centre = person(session, treasury, "accountant1"), person(session, treasury, "centre1")
    alarms = select(Alarm.kind).where(Alarm.cleared_at.is_(None), Alarm.subject.like("spendings:%"))
    for fen in (ABOVE - 1, 1):
        funds.book(session, booking(treasury, fen), actor=accountant, now=now)
    with pytest.raises(NeedsApproval):
        funds.book(session, booking(treasury, ABOVE + 1), actor=accountant, now=now)
    asked = funds.ask_spending(session, booking(treasury, 1_500, form_key=7), actor=accountant, now=now)
    with pytest.raises(AlreadyAsked):
        funds.ask_spending(session, booking(treasury, 1_500, form_key=7), actor=accountant, now=now)
    assert (entries(session), session.scalars(alarms).all()) == (3, ["spending_waits"])
    assert funds.alarm_waiting(session, now=now + timedelta(days=3)) == []
    assert funds.alarm_waiting(session, now=now + timedelta(days=3, seconds=1)) == [asked.id]
    with pytest.raises(OwnSpending):
        funds.approve_spending(session, asked.id, actor=accountant, now=now)
    funds.approve_spending(session, asked.id, actor=centre, now=now)
    entry = session.get_one(Entry, asked.entry_id)
    assert (entry.made_by, entry.approved_by, entry.origin) == (accountant.user_id, centre.user_id, "funds.spending")
    assert session.scalars(alarms).all() == []
    for late in (funds.approve_spending, funds.withdraw_spending):
        with pytest.raises(SpendingDecided):
            late(session, asked.id, actor=centre, now=now)
    settle(session)


def test_many_sums_just_under_the_amount_are_one_sum_above_it(session: Session, treasury: Treasury) -> None:
    now = clock.now(session)
    first, second = (person(session, treasury, one) for one in ("accountant1", "accountant2"))
    part = partial(booking, treasury, ABOVE // 2 + 1)
    wrong = funds.book(session, part(), actor=first, now=now)
    for actor in (first, second):
        assert funds.must_be_approved(session, part(), actor=actor)
        with pytest.raises(NeedsApproval):
            funds.book(session, part(), actor=actor, now=now)
        with session.begin_nested() as nested:
            spend(session, treasury, ABOVE // 2 + 1, actor=actor)
            with pytest.raises(DBAPIError, match="needs a second person"):
                settle(session)
            nested.rollback()
    assert not funds.must_be_approved(session, part(purpose=Purpose.RELIEF), actor=first)
    assert not funds.must_be_approved(session, part(kind=EntryKind.GIVEN_BACK, purpose=None), actor=first)
    funds.take_back(session, wrong.id, words="写错", actor=second, now=now)
    funds.book(session, part(), actor=first, now=now)
    for days, is_too_much in ((1, True), (0, False)):
        changed = {"funds__approve_above_fen": ABOVE, "funds__add_up_days": days}
        set_policies(session, session.get_one(Organisation, treasury.community_id), **changed)
        assert funds.must_be_approved(session, part(), actor=first) is is_too_much
    settle(session)


def test_what_is_refused_is_never_booked_and_what_was_spent_meanwhile_is_not_there(
    session: Session, treasury: Treasury
) -> None:
    now = clock.now(session)
    accountant, centre = person(session, treasury, "accountant1"), person(session, treasury, "centre1")
    for wrong, field in (
        ({"amount_fen": 3_001}, "amount"),
        ({"purpose": None}, "purpose"),
        ({"fund_id": treasury.overseas.id, "purpose": Purpose.RUNNING}, "purpose"),
        ({"kind": EntryKind.GIFT}, "kind"),
        ({"fund_id": 0}, "fund_id"),
    ):
        with pytest.raises(Invalid) as refused:
            funds.ask_spending(session, booking(treasury, 2_000, **wrong), actor=accountant, now=now)
        assert refused.value.field == field
    first, second, third = (
        funds.ask_spending(session, booking(treasury, 2_000), actor=accountant, now=now) for _ in range(3)
    )
    with pytest.raises(Invalid):
        funds.refuse_spending(session, first.id, reason=" ", actor=centre, now=now)
    funds.refuse_spending(session, first.id, reason="没有发票", actor=centre, now=now)
    funds.approve_spending(session, second.id, actor=centre, now=now)
    with pytest.raises(NotEnough):
        funds.approve_spending(session, third.id, actor=centre, now=now)
    stranger = replace(centre, scope=Scope(communities=frozenset({0})))
    key = Actor(ActorKind.OPERATOR, api_key_id=1, scope=centre.scope)
    cases: list[tuple[Actor, type[DispatchError]]] = [(stranger, NotFound), (key, NotAllowed)]
    for actor, error in cases:
        with pytest.raises(error):
            funds.approve_spending(session, third.id, actor=actor, now=now)
    funds.withdraw_spending(session, third.id, actor=accountant, now=now)
    rows = funds.list_spendings(session, actor=centre, waiting=False, limit=9)
    assert [(row.spending.state, row.spending.reason) for row in rows] == [
        ("withdrawn", ""),
        ("booked", ""),
        ("refused", "没有发票"),
    ]
    settle(session)


def test_one_s_own_line_and_what_is_above_the_amount_are_taken_back_by_two(
    session: Session, treasury: Treasury
) -> None:
    now = clock.now(session)
    accountant, other, centre = (person(session, treasury, one) for one in ("accountant1", "accountant2", "centre1"))
    small, large = (give(session, treasury, fen, actor=accountant) for fen in (ABOVE, ABOVE + 1))
    assert funds.takes_two(session, large, actor=other)
    for entry, actor in ((small, accountant), (large, accountant), (large, other)):
        with pytest.raises(NeedsAnother):
            funds.take_back(session, entry.id, words="写错", actor=actor, now=now)
        with session.begin_nested() as nested:
            turned = tuple(Line(one.account, -one.amount) for one in funds.lines_of(session, entry.id))
            alone = Draft(treasury.community_id, EntryKind.REVERSAL, turned, reverses_id=entry.id)
            funds.post(session, alone, actor=actor, now=now)
            with pytest.raises(DBAPIError, match="needs a second person"):
                settle(session)
            nested.rollback()
    funds.take_back(session, small.id, words="写错", actor=other, now=now)
    with pytest.raises(AlreadyReversed):
        funds.ask_reversal(session, small, words="写错", actor=accountant, now=now)
    asked = funds.ask_reversal(session, large, words="写错", actor=accountant, now=now)
    with pytest.raises(AlreadyAsked):
        funds.ask_reversal(session, large, words="写错", actor=other, now=now)
    with pytest.raises(OwnSpending):
        funds.approve_spending(session, asked.id, actor=accountant, now=now)
    settle(session)
    with session.begin_nested() as nested:
        wrong = f"UPDATE spendings SET state = 'booked', decided_by = {centre.user_id}, entry_id = {large.id}"  # noqa: S608
        session.execute(text(f"{wrong}, decided_at = dispatch_now() WHERE id = {asked.id}"))
        with pytest.raises(DBAPIError, match="is not spending"):
            settle(session)
        nested.rollback()
    funds.approve_spending(session, asked.id, actor=centre, now=now)
    back = session.get_one(Entry, asked.entry_id)
    assert (back.reverses_id, back.made_by, back.approved_by) == (large.id, accountant.user_id, centre.user_id)
    settle(session)


def test_what_is_taken_over_above_the_amount_is_counted_by_one_and_approved_by_another(
    session: Session, treasury: Treasury
) -> None:
    now = clock.now(session)
    accountant, centre = person(session, treasury, "accountant1"), person(session, treasury, "centre1")
    fen = {funds.Wish(treasury.general.id): ABOVE - 1, funds.Wish(treasury.overseas.id): 2}
    counted = Counted(treasury.till.id, fen, words="两人清点", form_key=7)
    with pytest.raises(NeedsApproval):
        funds.take_over(session, counted, actor=accountant, now=now)
    single = partial(booking, treasury, kind=EntryKind.OPENING, purpose=None)
    funds.book(session, single(ABOVE), actor=accountant, now=now)
    with pytest.raises(NeedsApproval):
        funds.book(session, single(1), actor=accountant, now=now)
    with session.begin_nested() as nested:
        put(session, treasury, EntryKind.OPENING, 1, {"actor": accountant})
        with pytest.raises(DBAPIError, match="needs a second person"):
            settle(session)
        nested.rollback()
    asked = funds.ask_opening(session, counted, actor=accountant, now=now)
    with pytest.raises(AlreadyAsked):
        funds.ask_opening(session, counted, actor=accountant, now=now)
    settle(session)
    with session.begin_nested() as nested:
        book_less(session, asked, replace(counted, fen={funds.Wish(treasury.general.id): ABOVE - 1}), centre)
        with pytest.raises(DBAPIError, match="is not spending"):
            settle(session)
        nested.rollback()
    entry = session.get_one(Entry, funds.approve_spending(session, asked.id, actor=centre, now=now).entry_id)
    said = (entry.kind, entry.line_count, entry.made_by, entry.approved_by)
    assert said == ("opening", 4, accountant.user_id, centre.user_id)
    settle(session)


def book_less(session: Session, asked: Spending, counted: Counted, actor: Actor) -> None:
    """Book something else than was asked, past every service."""
    now = clock.now(session)
    draft = approved(opening_of(session, counted, actor=actor), asked, actor)
    asked.entry_id = funds.post(session, draft, actor=actor, now=now).id
    asked.state, asked.decided_by, asked.decided_at = "booked", actor.user_id, now
    session.flush()


def test_the_database_lets_nobody_book_or_approve_alone(session: Session, treasury: Treasury) -> None:
    accountant = person(session, treasury, "accountant1")
    asked = funds.ask_spending(session, booking(treasury, 2_000), actor=accountant, now=clock.now(session))
    settle(session)
    for change, words in (
        ("state = 'refused', reason = 'x', decided_at = dispatch_now(), decided_by = asked_by", "second_person"),
        ("state = 'refused', decided_at = dispatch_now(), decided_by = 0", "reason"),
        ("state = 'booked', decided_at = dispatch_now(), decided_by = asked_by + 1", "state"),
    ):
        with pytest.raises(DBAPIError, match=words), session.begin_nested():
            session.execute(text(f"UPDATE spendings SET {change} WHERE id = {asked.id}"))  # noqa: S608
    with session.begin_nested() as nested:
        spend(session, treasury, ABOVE + 1, actor=accountant)
        with pytest.raises(DBAPIError, match="needs a second person"):
            settle(session)
        nested.rollback()
    with session.begin_nested():
        spend(session, treasury, ABOVE + 1, actor=SYSTEM)
        settle(session)
    assert session.scalars(select(Spending.state)).all() == ["asked"]
