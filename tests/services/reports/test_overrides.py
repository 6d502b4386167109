"""The rules most overridden: read from the router's records, those of the orders that the figure counts."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Actor, Role
from dispatch.rules.orders.overriding import Overridden
from dispatch.rules.reports.figures import Figure
from dispatch.services import orders, reports
from dispatch.services.reports import ReportQuery
from tests.factories.reported import DAY, LATER, MINUTE, MORNING, Lives, lives_of
from tests.factories.world import bump, make_world, staff
from tests.statements import statements

NOVEMBER = ReportQuery(date(2026, 11, 1), date(2026, 11, 30))


@pytest.fixture
def lives(session: Session) -> Lives:
    """A small world; its second firm has no shift, so that only a hand can choose it."""
    made = lives_of(session, make_world(session, firms=3))
    made.world.firms[1].shifts = {}
    bump(session, made.world.district)
    return made


@pytest.fixture
def centre(session: Session, lives: Lives) -> Actor:
    """Somebody of the centre."""
    return staff(session, lives.world, Role.CENTRE)


def by_hand(lives: Lives, firm: int, reason: str, **changes: object) -> Order:
    """An order that the router offered to one, and a dispatcher gave to another."""
    order = lives.placed(MORNING, **changes)
    lives.session.refresh(order)
    chosen = lives.world.firms[firm].id
    orders.dispatch_by_hand(
        lives.session, order, performer_id=chosen, reason=reason, actor=lives.dispatcher, now=MORNING + MINUTE
    )
    return order


def test_each_rule_stands_with_its_kind_who_set_it_aside_and_why(session: Session, lives: Lives, centre: Actor) -> None:
    for reason in ("居民点名", "居民点名", "离得近"):
        by_hand(lives, 1, reason)
    lives.placed(MORNING)
    lives.counted()
    found = reports.overrides(session, NOVEMBER, actor=centre)
    (row,) = found.rules
    assert (row.rule, row.service, row.times) == (Overridden.SHIFT, lives.world.plumbing.name, 3)
    assert row.reasons == [("居民点名", 2), ("离得近", 1)]
    assert [times for _, times in row.people] == [3]
    assert (found.times, found.is_cut, len(found.newest)) == (3, False, 3)
    newest = found.newest[0]
    assert (newest.chosen, newest.first) == (lives.world.firms[1].name, lives.world.firms[0].name)
    total = reports.report(session, NOVEMBER, actor=centre).figures()[Figure.OVERRIDDEN]
    assert total.numerator == 3


def test_a_confidential_order_says_neither_kind_nor_reason(session: Session, lives: Lives, centre: Actor) -> None:
    order = by_hand(lives, 1, "家里有事", confidential=True)
    lives.counted()
    found = reports.overrides(session, NOVEMBER, actor=centre)
    assert [(row.rule, row.service, row.reasons) for row in found.rules] == [(Overridden.SHIFT, None, [])]
    (shown,) = found.newest
    assert (shown.number, shown.service, shown.first, shown.reason) == (order.number, None, None, None)
    of_kind = replace(NOVEMBER, service_id=order.service_id)
    assert reports.overrides(session, of_kind, actor=centre).newest == []


def test_other_days_other_teams_and_other_districts_have_none(session: Session, lives: Lives, centre: Actor) -> None:
    by_hand(lives, 1, "居民点名")
    lives.counted()
    later = (MORNING + DAY).date()
    assert reports.overrides(session, ReportQuery(later, later), actor=centre).times == 0
    assert reports.overrides(session, replace(NOVEMBER, team_id=-1), actor=centre).times == 0
    stranger = staff(session, make_world(session), Role.CENTRE)
    assert reports.overrides(session, NOVEMBER, actor=stranger).times == 0
    with pytest.raises(Invalid):
        reports.overrides(session, ReportQuery(LATER.date(), MORNING.date()), actor=centre)


@pytest.mark.parametrize("count", [1, 8])
def test_two_statements_however_many(session: Session, lives: Lives, centre: Actor, count: int) -> None:
    for _ in range(count):
        by_hand(lives, 1, "居民点名")
    lives.counted()
    with statements(session) as sent:
        assert reports.overrides(session, NOVEMBER, actor=centre).times == count
    assert len(sent) == 2
