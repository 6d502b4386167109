"""A firm's own figures: its offers by outcome, its work and fair share; a fixed number of queries."""

from datetime import timedelta

from sqlalchemy.orm import Session

from dispatch.rules.access.roles import Role
from dispatch.services import orders, reports
from dispatch.services.orders import WorkReport
from tests.factories.world import firm, make_world, staff
from tests.services.orders.conftest import links
from tests.services.orders.test_life import NOW, Links, routed
from tests.statements import statements

__all__ = ["links"]


def test_a_firm_sees_its_offers_work_and_share_and_no_more_queries_for_more_firms(
    session: Session, links: Links
) -> None:
    world = make_world(session)
    world.plumbing.given = "offer_all"
    session.flush()
    order = routed(session, world)
    winner, loser, decliner = links(order)
    tokens = links(order)
    orders.decline(session, tokens[decliner], reason="太远", now=NOW)
    orders.accept(session, tokens[winner], now=NOW)
    orders.finish(session, tokens[winner], WorkReport("done"), now=NOW)
    later = NOW + timedelta(days=1)

    with statements(session) as few:
        mine = reports.own_figures(session, winner, now=later)
    kind = dict(mine.kinds)["管道疏通"]
    assert dict(mine.offers) == {"accepted": 1}
    assert (kind.done, float(kind.fair), kind.firms) == (1, 1 / 3, 3)
    assert dict(reports.own_figures(session, loser, now=later).offers) == {"lost": 1}
    assert reports.own_figures(session, winner, now=NOW + timedelta(days=91)).asked == 0
    orders.conceal(session, order, reason="居民要求", actor=staff(session, world, Role.DISPATCHER), now=later)
    assert dict(reports.own_figures(session, winner, now=later).kinds)["管道疏通"].done == 0
    for _ in range(4):
        firm(session, world.district, world.community, [world.plumbing])
    with statements(session) as many:
        reports.own_figures(session, winner, now=later)
    assert len(many) <= len(few)
