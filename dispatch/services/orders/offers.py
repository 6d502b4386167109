"""The performer's side: the link of an offer, accept, decline, on the way, arrived, finished; and the lapse."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from dispatch import queue
from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.models.catalogue import Performer, Service
from dispatch.models.orders import Offer, OfferRecipient, Order
from dispatch.rules.access.roles import CLOCK, EVERYTHING, Actor, ActorKind
from dispatch.rules.catalogue.papers import days_wanted
from dispatch.rules.orders.intake import check_text
from dispatch.rules.orders.states import Action, OrderState
from dispatch.rules.orders.urgency import PRESSING
from dispatch.rules.queue import Lane
from dispatch.services import catalogue, notify
from dispatch.services.access import audit, policies
from dispatch.services.orders import supervising, work
from dispatch.services.orders.limits import renew_arrival
from dispatch.services.orders.rounds import link_hash
from dispatch.services.orders.route import close_cycle
from dispatch.services.orders.steps import lock, step

NO_PAPERS = "证照在上门那天无效"
WITH_PERFORMER = frozenset({OrderState.ACCEPTED, OrderState.ARRIVED})
AFTER_WORK = frozenset(
    {
        OrderState.FINISHED,
        OrderState.FED_BACK,
        OrderState.CALLING_BACK,
        OrderState.CLOSED,
        OrderState.ARCHIVED,
    }
)


class LinkDead(NotFound):
    """这个链接无效或已经失效"""


class OfferLapsed(Conflict):
    """接单时间已过,这一单已转给别人"""


class OfferTaken(Conflict):
    """这一单已由别人接下"""


class PapersEnded(Conflict):
    """您的证照在上门那天已经无效,这一单不能接,已转给下一家。续办后请告诉中心"""


class AlreadyAccepted(Conflict):
    """您已经接下这一单,不用再接一次"""


class AlreadyAnswered(Conflict):
    """您已经回复过这一单"""


class NotYours(Conflict):
    """这一单现在不在您手里"""


@dataclass(frozen=True, slots=True)
class PhoneView:
    """What the phone page shows of the one order that its link opens."""

    order: Order
    service: Service
    performer: Performer
    offer: Offer
    recipient: OfferRecipient
    is_mine: bool
    is_open: bool


@dataclass(frozen=True, slots=True)
class NamedRound:
    """A round as the performer's own system names it; the door has believed the signature before."""

    performer_id: int
    number: str
    round: int


Key = str | NamedRound
"""What opens a performer's part in a round: the token of a link, or the round's name."""


def actor_of(recipient: OfferRecipient) -> Actor:
    """The performer behind a link."""
    return Actor(kind=ActorKind.PERFORMER, performer_id=recipient.performer_id, scope=EVERYTHING)


def find_recipient(session: Session, token: Key) -> tuple[OfferRecipient, Offer]:
    """The recipient and round of a link or name; raises LinkDead for an unknown or altered one."""
    query = select(OfferRecipient, Offer).join(Offer, Offer.id == OfferRecipient.offer_id)
    if isinstance(token, NamedRound):
        query = query.join(Order, Order.id == Offer.order_id).where(
            OfferRecipient.performer_id == token.performer_id,
            Order.number == token.number,
            Offer.round == token.round,
        )
    else:
        query = query.where(OfferRecipient.link_hash == link_hash(token))
    row = session.execute(query).one_or_none()
    if row is None:
        raise LinkDead
    return row[0], row[1]


def order_of(session: Session, token: Key) -> Order:
    """The order of a link or named round; raises LinkDead."""
    _, offer = find_recipient(session, token)
    return session.get_one(Order, offer.order_id)


def open_link(session: Session, token: str, *, now: datetime) -> PhoneView:
    """What a link opens; it dies with its round, and once accepted lives until some hours after the finish."""
    recipient, offer = find_recipient(session, token)
    order = session.get_one(Order, offer.order_id)
    return view_of(session, order, offer, recipient, now=now)


def view_of(session: Session, order: Order, offer: Offer, recipient: OfferRecipient, *, now: datetime) -> PhoneView:
    """The phone page's picture of an order; raises LinkDead where the link has no life any more."""
    is_mine = recipient.outcome == "accepted" and order.performer_id == recipient.performer_id
    is_open = recipient.outcome == "open" and offer.closed_at is None and now < offer.hold_until
    if is_mine and order.finished_at is not None:
        hours = int(policies.policy(session, order.organisation_id, "orders.link_after_finish_hours"))
        if now > order.finished_at + timedelta(hours=hours):
            raise LinkDead
    service = catalogue.find_service(session, order.organisation_id, service_id=order.service_id)
    performer = session.get_one(Performer, recipient.performer_id)
    return PhoneView(order, service, performer, offer, recipient, is_mine, is_open)


def locked(session: Session, token: Key) -> tuple[Order, Offer, OfferRecipient]:
    """The order of a link, locked, with its round and recipient read fresh behind the lock."""
    recipient, offer = find_recipient(session, token)
    order = lock(session, offer.order_id)
    session.refresh(offer)
    session.refresh(recipient)
    return order, offer, recipient


def check_open(offer: Offer, recipient: OfferRecipient, *, now: datetime) -> None:
    """Refuse an answer to an offer that is not open to this recipient any more, each case by its name."""
    if recipient.outcome == "accepted":
        raise AlreadyAccepted
    if recipient.outcome == "declined":
        raise AlreadyAnswered
    if recipient.outcome == "lost" or offer.outcome == "accepted":
        raise OfferTaken
    if recipient.reason == NO_PAPERS:
        raise PapersEnded
    if recipient.outcome == "lapsed" or offer.outcome == "lapsed" or now >= offer.hold_until:
        raise OfferLapsed
    if offer.closed_at is not None or recipient.outcome != "open":
        raise LinkDead


def accept(session: Session, token: Key, *, now: datetime) -> Order:
    """The performer takes the order; of accept and lapse, and of many who accept, the row's lock lets one win.

    Raises PapersEnded where the papers do not hold any more: the door then lets them step aside.
    """
    order, offer, recipient = locked(session, token)
    check_open(offer, recipient, now=now)
    check_papers(session, order, recipient, now=now)
    recipient.outcome, recipient.answered_at = "accepted", now
    offer.outcome, offer.closed_at = "accepted", now
    tell_losers(session, order, recipient, now=now)
    order.performer_id, order.accepted_at = recipient.performer_id, now
    renew_arrival(session, order, now=now)
    actor = actor_of(recipient)
    step(session, order, Action.ACCEPT, actor=actor, now=now, facts={"round": offer.round})
    supervising.watch_arrival(session, order)
    audit.record(session, "orders.accept", "orders", order.id, actor=actor, community_id=order.community_id)
    notify.clear_alarms(session, order_id=order.id, kinds=("order_waits", "order_urgent"), now=now)
    return order


def tell_losers(session: Session, order: Order, winner: OfferRecipient, *, now: datetime) -> None:
    """The others of a round that have not answered have lost it, and are told once."""
    lost = session.execute(
        update(OfferRecipient)
        .where(
            OfferRecipient.offer_id == winner.offer_id,
            OfferRecipient.outcome == "open",
            OfferRecipient.id != winner.id,
        )
        .values(outcome="lost")
        .returning(OfferRecipient.id, OfferRecipient.performer_id)
        .execution_options(synchronize_session=False)
    ).all()
    if lost:
        notices = [
            notify.PerformerNotice(
                dedupe=f"taken:{row.id}",
                template="taken",
                performer_id=row.performer_id,
                order_id=order.id,
                lane=Lane.NOTIFY,
                community_id=order.community_id,
            )
            for row in lost
        ]
        notify.tell_performers(session, notices, now=now)


def check_papers(session: Session, order: Order, recipient: OfferRecipient, *, now: datetime) -> None:
    """Refuse an acceptance on papers that have ended since the offer; raises PapersEnded."""
    performer = session.get_one(Performer, recipient.performer_id)
    service = catalogue.find_service(session, order.organisation_id, service_id=order.service_id)
    if not catalogue.papers_hold(session, performer, service, days_wanted(order.wanted_from, order.wanted_until, now)):
        raise PapersEnded


def step_aside(session: Session, token: Key, *, now: datetime) -> None:
    """After PapersEnded: the recipient is out of the round, and when nobody is left in it the next one follows."""
    order, offer, recipient = locked(session, token)
    if recipient.outcome != "open" or offer.closed_at is not None:
        return
    recipient.outcome, recipient.answered_at, recipient.reason = "withdrawn", now, NO_PAPERS
    session.flush()
    actor = actor_of(recipient)
    audit.record(session, "orders.step_aside", "orders", order.id, actor=actor, community_id=order.community_id)
    if not others_open(session, offer):
        close_round(session, order, offer, "withdrawn", now=now)


def decline(session: Session, token: Key, *, reason: str, now: datetime) -> Order:
    """The performer says no, with a reason; when nobody is left in the round the next one follows at once."""
    check_text("reason", reason, 200)
    if not reason.strip():
        raise Invalid("reason", "请说明不接的原因")
    order, offer, recipient = locked(session, token)
    check_open(offer, recipient, now=now)
    recipient.outcome, recipient.answered_at, recipient.reason = "declined", now, reason
    session.flush()
    audit.record(
        session,
        "orders.decline",
        "orders",
        order.id,
        actor=actor_of(recipient),
        community_id=order.community_id,
    )
    if not others_open(session, offer):
        close_round(session, order, offer, "declined", now=now)
    return order


def others_open(session: Session, offer: Offer) -> bool:
    """Whether somebody of the round has not answered yet."""
    query = select(OfferRecipient.id).where(OfferRecipient.offer_id == offer.id, OfferRecipient.outcome == "open")
    return session.execute(query.limit(1)).one_or_none() is not None


def close_round(session: Session, order: Order, offer: Offer, outcome: str, *, now: datetime) -> None:
    """Close a round without a taker and have the next one routed."""
    offer.outcome, offer.closed_at = outcome, now
    lane = Lane.EMERGENCY if order.urgency in PRESSING else Lane.DISPATCH
    queue.enqueue(
        session,
        "orders.route",
        lane=lane,
        reference=order.id,
        dedupe=f"orders.route:{order.number}:after:{offer.id}",
    )


def lapse(session: Session, offer_id: int, *, now: datetime) -> None:
    """The hold time of a round is over: it counts like a refusal. A round that was answered is left alone."""
    found = session.get(Offer, offer_id)
    if found is None or found.closed_at is not None:
        return
    order = lock(session, found.order_id)
    offer = session.get_one(Offer, offer_id, populate_existing=True)
    if offer.closed_at is not None or now < offer.hold_until:
        return
    session.execute(
        update(OfferRecipient)
        .where(OfferRecipient.offer_id == offer.id, OfferRecipient.outcome == "open")
        .values(outcome="lapsed", answered_at=now)
    )
    audit.record(session, "orders.lapse", "orders", order.id, actor=CLOCK, community_id=order.community_id)
    close_round(session, order, offer, "lapsed", now=now)


def mine(session: Session, token: Key) -> tuple[Order, OfferRecipient]:
    """The locked order of a link whose performer holds it; raises NotYours, LinkDead."""
    order, _, recipient = locked(session, token)
    if recipient.outcome != "accepted":
        raise LinkDead
    if order.performer_id != recipient.performer_id:
        raise NotYours
    return order, recipient


def set_out(session: Session, token: Key, *, now: datetime) -> Order:
    """The performer is on the way (an event; said twice is said once)."""
    order, recipient = mine(session, token)
    if order.set_out_at is None and order.state == OrderState.ACCEPTED:
        order.set_out_at = now
        step(session, order, Action.SET_OUT, actor=actor_of(recipient), now=now)
    return order


def arrive(session: Session, token: Key, *, now: datetime, how: str = "resident") -> Order:
    """The performer is at the door; `how` is code, photo or resident. Said twice is said once."""
    order, recipient = mine(session, token)
    if order.state == OrderState.ACCEPTED:
        order.arrived_at = now
        step(session, order, Action.ARRIVE, actor=actor_of(recipient), now=now, facts={"how": how})
    return order


def finish(session: Session, token: Key, report: work.WorkReport, *, now: datetime) -> Order:
    """The work is done, with result, cost, photos and signature; said twice with the same token is said once."""
    order, recipient = mine(session, token)
    if OrderState(order.state) in AFTER_WORK:
        return order
    actor = actor_of(recipient)
    if order.state == OrderState.ACCEPTED:
        order.arrived_at = order.arrived_at or now
        step(session, order, Action.ARRIVE, actor=actor, now=now, facts={"how": "with_finish"})
    work.finish(session, order, report, actor=actor, now=now)
    return order


def give_back(session: Session, token: Key, *, reason: str, now: datetime) -> Order:
    """The performer accepted but cannot come: the order is routed anew, without them."""
    check_text("reason", reason, 200)
    order, recipient = mine(session, token)
    if order.state != OrderState.ACCEPTED:
        raise NotYours
    recipient.outcome, recipient.reason = "withdrawn", reason
    actor = actor_of(recipient)
    route_without(session, order, recipient.performer_id, reason=reason, actor=actor, kind=actor.kind, now=now)
    return order


def route_without(
    session: Session,
    order: Order,
    performer_id: int,
    *,
    reason: str,
    actor: Actor,
    kind: ActorKind,
    now: datetime,
) -> None:
    """Whoever had accepted an order does not come: it is routed anew, without them."""
    step(session, order, Action.WITHDRAW_PERFORMER, actor=actor, kind=kind, now=now, reason=reason)
    close_cycle(session, order, now=now)
    order.excluded_performers = [*order.excluded_performers, performer_id]
    queue.enqueue(
        session,
        "orders.route",
        lane=Lane.EMERGENCY if order.urgency in PRESSING else Lane.DISPATCH,
        reference=order.id,
        dedupe=f"orders.route:{order.number}:{order.version}",
    )
