"""Several people act on one order at the same moment: whoever comes second is refused, and the history stays whole."""

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

import pytest
from sqlalchemy import func, select

from dispatch.models.orders import Assignment, Offer, Order, OrderRequest
from dispatch.rules.access.roles import EVERYTHING, Actor, Role
from dispatch.rules.orders.requests import RequestKind, Wish
from dispatch.rules.orders.states import OPEN, OrderState
from dispatch.services import orders
from dispatch.services.reports.verify.history import broken_histories
from dispatch.services.reports.verify.uniqueness import broken_facts
from dispatch.transaction import retrying, transaction
from tests.factories.world import World, make_world, staff
from tests.services.orders.test_races import NOW, at_once, place

DAY = timedelta(days=1)
ROUNDS = 8
Deed = Callable[[], object]


class Crew:
    """The people around one offered order, and what each may do to it in a transaction of their own."""

    def __init__(self) -> None:
        """A world of four firms, an order that one of them was offered, and a request that waits."""
        with transaction(EVERYTHING) as session:
            self.world: World = make_world(session, firms=4)
            roles = (Role.OPERATOR, Role.DISPATCHER, Role.CENTRE, Role.TEAM_HEAD)
            self.people: dict[Role, Actor] = {role: staff(session, self.world, role) for role in roles}
        self.order_id = place(self.world).id
        with transaction(EVERYTHING) as session:
            orders.route(session, self.order_id, now=NOW)
            order = session.get_one(Order, self.order_id)
            words = {"grounds": "不归本团队", "basis": "职责第二条"}
            asker = self.people[Role.TEAM_HEAD]
            self.request_id = orders.ask(session, order, RequestKind.RETURN, **words, actor=asker, now=NOW).id
            self.number = order.number
            ((_, recipient, _),) = orders.offers_of(session, order)
            self.part = orders.NamedRound(recipient.performer_id, order.number, 1)

    def deed(self, role: Role, act: Callable[..., object], *, now: datetime = NOW, **words: object) -> Deed:
        """One person's deed on the locked order, as their door would do it."""

        @retrying
        def do() -> object:
            with transaction(EVERYTHING) as session:
                order = orders.find(session, self.number, actor=self.people[role], locked=True)
                return act(session, order, actor=self.people[role], now=now, **words)

        return do

    def firm(self, act: Callable[..., object], **words: object) -> Deed:
        """What the firm answers by its link."""

        @retrying
        def do() -> object:
            with transaction(EVERYTHING) as session:
                return act(session, self.part, now=NOW, **words)

        return do

    def decide(self, role: Role, *, granted: bool) -> Deed:
        """A decision on the request that waits."""
        words = {"request_id": self.request_id, "granted": granted, "reason": "看过", "team_id": self.world.block.id}
        return self.deed(role, orders.decide, **words)

    def deeds(self) -> list[Deed]:
        """Everything that people may try at once."""
        hold = {"grounds": "等配件", "wish": Wish(until=NOW + DAY)}
        by_hand = {"performer_id": self.world.firms[3].id, "reason": "居民点名"}
        return [
            self.firm(orders.accept),
            self.firm(orders.decline, reason="忙"),
            self.decide(Role.DISPATCHER, granted=True),
            self.decide(Role.CENTRE, granted=False),
            self.deed(Role.DISPATCHER, orders.dispatch_by_hand, **by_hand),
            self.deed(Role.OPERATOR, orders.void, reason="居民撤回", by_resident=True),
            self.deed(Role.OPERATOR, orders.urge, reason="又来电", by_resident=True),
            self.deed(Role.CENTRE, orders.supervise, reason="批示"),
            self.deed(Role.TEAM_HEAD, orders.ask, kind=RequestKind.HOLD, **hold),
        ]


@pytest.mark.usefixtures("committed")
def test_a_request_is_decided_once_however_many_decide_it_at_once() -> None:
    crew = Crew()
    deciders = [
        crew.decide(role, granted=granted) for role in (Role.DISPATCHER, Role.CENTRE) for granted in (True, False)
    ]
    answers = at_once(deciders)
    assert sum(isinstance(answer, OrderRequest) for answer in answers) == 1
    assert sum(isinstance(answer, orders.AlreadyDecided) for answer in answers) == len(deciders) - 1


@pytest.mark.usefixtures("committed")
def test_whatever_people_do_at_once_the_history_stays_whole() -> None:
    for seed in range(ROUNDS):
        crew = Crew()
        chance = Random(seed)  # noqa: S311 - which deeds meet is no secret
        at_once(chance.sample(crew.deeds(), 4))
        with transaction(EVERYTHING) as session:
            order = session.get_one(Order, crew.order_id)
            events = orders.time_line(session, order)
            assert [event.version for event in events] == list(range(1, order.version + 1)), seed
            assert events[-1].to_state == order.state, seed
            is_open = select(func.count()).where(Offer.order_id == order.id, Offer.closed_at.is_(None))
            assert session.scalars(is_open).one() <= (order.state == OrderState.OFFERED), seed
            assert (order.performer_id is not None) <= (OrderState(order.state) in OPEN), seed
            working = select(func.count()).where(Assignment.order_id == order.id, Assignment.done_at.is_(None))
            assert (session.scalars(working).one() == 0) >= (order.state == OrderState.VOIDED), seed
    with transaction(EVERYTHING) as session:
        assert [*broken_facts(session), *broken_histories(session)] == []
