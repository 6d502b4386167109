"""Orders whose whole lives are known: what reports must come to can be counted by hand."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.models.notify import Notice
from dispatch.models.orders import Offer, OfferRecipient, Order
from dispatch.rules.access.roles import Actor, Role
from dispatch.services import notify, orders, reports
from dispatch.services.orders import OrderDraft, WorkReport
from tests.factories.world import World, staff

MORNING = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
"""Monday the 2nd of November, nine in the morning in Shanghai."""
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LATER = MORNING + 300 * DAY
"""When every limit of an order placed about that morning has passed."""


@dataclass(frozen=True, slots=True)
class Lives:
    """A world in which orders are lived through the services."""

    session: Session
    world: World
    operator: Actor
    dispatcher: Actor
    clerk: Actor
    head: Actor

    def placed(self, at: datetime = MORNING, **changes: object) -> Order:
        """An order placed and routed at an instant."""
        values: dict[str, object] = {
            "description": "下水道堵了",
            "service_code": "drain_clearing",
            "stairwell_id": self.world.stairwells[0].id,
        }
        draft = OrderDraft(**(values | changes))  # type: ignore[arg-type]
        order = orders.place(self.session, draft, actor=self.operator, now=at)
        orders.route(self.session, order.id, now=at)
        return order

    def token(self, order: Order) -> str:
        """The link of an order's newest offer."""
        query = select(Notice).where(Notice.order_id == order.id, Notice.template == "offer")
        return notify.link_token(self.session.scalars(query.order_by(Notice.id.desc()).limit(1)).one()) or ""

    def declined(self, order: Order, at: datetime) -> None:
        """The performer who was asked says no; the next one is asked."""
        orders.decline(self.session, self.token(order), reason="忙", now=at)
        orders.route(self.session, order.id, now=at)

    def done(self, order: Order, at: datetime, *, after: timedelta = HOUR) -> None:
        """Accepted at once, worked at, and answered by the team."""
        token = self.token(order)
        orders.accept(self.session, token, now=at)
        orders.arrive(self.session, token, now=at + after)
        orders.finish(self.session, token, WorkReport(result="done"), now=at + after)
        orders.feed_back(self.session, order, answer="已疏通", actor=self.head, now=at + after)

    def called(
        self, order: Order, at: datetime, satisfaction: str | None, *, contacted: bool = True, solved: bool = True
    ) -> None:
        """One try to call back; nobody was reached when there is no satisfaction."""
        reached = satisfaction is not None
        orders.record_callback(
            self.session,
            order,
            reached=reached,
            contacted=contacted if reached else None,
            solved=solved if reached else None,
            satisfaction=satisfaction,
            actor=self.clerk,
            now=at,
        )

    def counted(self, now: datetime = LATER) -> None:
        """Have everything counted that has changed."""
        while reports.count_changes(self.session, now=now):
            pass


def lives_of(session: Session, world: World) -> Lives:
    """The people of a world who live its orders."""
    people = (Role.OPERATOR, Role.DISPATCHER, Role.CALLBACK_CLERK, Role.TEAM_HEAD)
    return Lives(session, world, *(staff(session, world, role) for role in people))


def live_a_week(lives: Lives) -> dict[str, Order]:
    """Ten orders with known ends, placed on Monday but for two; drains go to the line team, gossip to the block.

    satisfied: closed on Tuesday. reopened: done twice, closed on Wednesday. unreached: three tries, closed. late:
    answered after twenty days. declined: second round, closed on Tuesday, not contacted by the team. moved: given
    by hand to another firm, answered. open: accepted. voided: taken back. gossip (placed on Tuesday): dissatisfied
    on Wednesday, to be done again. repeat (placed on Thursday): as `satisfied`, three days later; nobody answers.
    """
    at, wells = MORNING, [one.id for one in lives.world.stairwells]
    names = ("satisfied", "reopened", "unreached", "late", "declined", "moved")
    made = {name: lives.placed(at + number * MINUTE, stairwell_id=wells[number]) for number, name in enumerate(names)}
    finish_drains(lives, made)
    gossip = {"service_code": "mediation"}
    made["open"] = lives.placed(at + 2 * HOUR, stairwell_id=wells[0], **gossip)
    orders.accept(lives.session, lives.token(made["open"]), now=at + 2 * HOUR + 5 * MINUTE)
    made["voided"] = lives.placed(at + 3 * HOUR, stairwell_id=wells[1], **gossip)
    orders.void(
        lives.session, made["voided"], reason="不用了", by_resident=True, actor=lives.operator, now=at + 4 * HOUR
    )
    made["gossip"] = lives.placed(at + DAY, stairwell_id=wells[2], **gossip)
    lives.done(made["gossip"], at + DAY + 5 * MINUTE)
    lives.called(made["gossip"], at + 2 * DAY, "very_dissatisfied", solved=False)
    orders.route(lives.session, made["gossip"].id, now=at + 2 * DAY)
    made["repeat"] = lives.placed(at + 3 * DAY, stairwell_id=wells[0])
    return made


def finish_drains(lives: Lives, made: dict[str, Order]) -> None:
    """What became of the drains."""
    at, session = MORNING, lives.session
    lives.done(made["satisfied"], at + 5 * MINUTE)
    lives.called(made["satisfied"], at + DAY, "very_satisfied")
    lives.done(made["reopened"], at + 6 * MINUTE)
    lives.called(made["reopened"], at + DAY, "dissatisfied", solved=False)
    orders.route(session, made["reopened"].id, now=at + DAY)
    lives.done(made["reopened"], at + DAY + 5 * MINUTE)
    lives.called(made["reopened"], at + 2 * DAY, "basically_satisfied")
    lives.done(made["unreached"], at + 7 * MINUTE)
    for hours in (24, 29, 48):
        lives.called(made["unreached"], at + hours * HOUR, None)
    lives.done(made["late"], at + 8 * MINUTE, after=20 * DAY)
    lives.declined(made["declined"], at + 6 * MINUTE)
    lives.done(made["declined"], at + 14 * MINUTE)
    lives.called(made["declined"], at + DAY, "satisfied", contacted=False)
    other = another_firm(lives, made["moved"])
    orders.dispatch_by_hand(
        session, made["moved"], performer_id=other, reason="居民点名", actor=lives.dispatcher, now=at + 10 * MINUTE
    )
    lives.done(made["moved"], at + 12 * MINUTE)


def another_firm(lives: Lives, order: Order) -> int:
    """A firm that has not been asked about an order."""
    query = (
        select(OfferRecipient.performer_id)
        .join(Offer, Offer.id == OfferRecipient.offer_id)
        .where(Offer.order_id == order.id)
    )
    asked = set(lives.session.scalars(query))
    return next(one.id for one in lives.world.firms if one.id not in asked)
