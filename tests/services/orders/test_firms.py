"""Suspending a firm: its open rounds go on without it, the firm is told, what it has in hand is listed."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.models.catalogue import Performer
from dispatch.models.notify import Notice
from dispatch.rules.access.roles import Role
from dispatch.rules.catalogue.firms import FirmAction
from dispatch.rules.catalogue.prices import PriceLine
from dispatch.services import catalogue, orders
from dispatch.services.orders import WorkReport
from tests.factories.world import World, staff
from tests.services.orders.test_life import NOW, Links, draft, jobs_of, routed

UNTIL = NOW + timedelta(days=7)


def test_a_suspension_takes_the_firm_out_of_its_round_and_the_next_follows(
    session: Session, world: World, links: Links
) -> None:
    order = routed(session, world)
    ((first, token),) = links(order).items()
    centre = staff(session, world, Role.CENTRE)
    orders.decide_firm(session, first, FirmAction.SUSPEND, reason="两次爽约", until=UNTIL, actor=centre, now=NOW)

    with pytest.raises(orders.LinkDead):
        orders.accept(session, token, now=NOW)
    assert "orders.route" in jobs_of(session, order)
    orders.route(session, order.id, now=NOW)
    (second,) = links(order)
    assert second != first
    told = session.scalars(
        select(Notice).where(Notice.performer_id == first, Notice.template == "firm_suspended")
    ).one()
    assert told.order_id is None


def test_a_round_with_others_goes_on(session: Session, world: World, links: Links) -> None:
    world.plumbing.given = "offer_all"
    session.flush()
    order = routed(session, world)
    tokens = links(order)
    out, *others = tokens
    centre = staff(session, world, Role.CENTRE)
    orders.decide_firm(session, out, FirmAction.SUSPEND, reason="投诉", until=UNTIL, actor=centre, now=NOW)
    assert orders.accept(session, tokens[others[0]], now=NOW).performer_id == others[0]


def test_what_the_firm_has_in_hand_stays_and_is_listed(session: Session, world: World, links: Links) -> None:
    order = routed(session, world)
    ((firm, token),) = links(order).items()
    orders.accept(session, token, now=NOW)
    centre = staff(session, world, Role.CENTRE)
    listed = orders.decide_firm(session, firm, FirmAction.SUSPEND, reason="投诉", until=UNTIL, actor=centre, now=NOW)
    assert [one.id for one in listed] == [order.id]
    assert order.performer_id == firm


def test_who_has_died_has_nothing_offered_or_accepted_any_more_and_what_has_begun_is_counted(
    session: Session, world: World, links: Links
) -> None:
    world.plumbing.given = "offer_all"
    session.flush()
    waiting, taken, begun = (routed(session, world) for _ in range(3))
    performer = session.get_one(Performer, next(iter(links(taken))))
    tokens = {order.id: links(order)[performer.id] for order in (waiting, taken, begun)}
    for order in (taken, begun):
        orders.accept(session, tokens[order.id], now=NOW)
    orders.arrive(session, tokens[begun.id], now=NOW)
    centre = staff(session, world, Role.CENTRE)
    assert orders.take_all(session, performer, reason="不再来", actor=centre, now=NOW) == 1
    assert (taken.state, taken.performer_id, begun.performer_id) == ("awaiting_dispatch", None, performer.id)
    with pytest.raises(orders.LinkDead):
        orders.accept(session, tokens[waiting.id], now=NOW)
    orders.route(session, taken.id, now=NOW)
    assert performer.id not in links(taken)
    with pytest.raises(orders.NotYours):
        orders.finish(session, tokens[taken.id], WorkReport("done", 0), now=NOW)


def test_a_cost_above_the_list_needs_a_note_and_the_preview_tells_the_price(
    session: Session, world: World, links: Links
) -> None:
    centre = staff(session, world, Role.CENTRE)
    lines = [PriceLine("室内疏通", "次", 6_000, 15_000)]
    for firm in world.firms:
        catalogue.set_prices(session, firm.id, world.plumbing.id, lines, valid_from=NOW.date(), actor=centre, now=NOW)
    seen = orders.preview(session, draft(world), actor=staff(session, world, Role.OPERATOR), now=NOW)
    assert [seen.prices[one] for one, _ in seen.recipients] == [tuple(lines)]

    order = routed(session, world)
    (token,) = links(order).values()
    orders.accept(session, token, now=NOW)
    with pytest.raises(Invalid) as refused:
        orders.finish(session, token, WorkReport("done", 15_001), now=NOW)
    assert refused.value.field == "note"
    orders.finish(session, token, WorkReport("done", 15_001, "换了一段管子"), now=NOW)
    assert order.cost_fen == 15_001
