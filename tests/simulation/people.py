"""The people of a seed: callers who repeat themselves, firms who know only what reached them, the desk."""

import json

from dispatch import clock
from dispatch.gateways.messages import Message
from dispatch.rules.access.roles import EVERYTHING, Actor
from dispatch.services import orders
from dispatch.services.orders import OrderDraft, WorkReport
from dispatch.transaction import retrying, transaction
from tests.simulation.stage import Stage, Step, nothing

MOST_ORDERS = 2
ANSWERS = ("accept", "decline", "arrive", "finish", "give_back")
ANSWER_WEIGHTS = (8, 3, 1, 3, 0.5)


def client(stage: Stage) -> Step:
    """Somebody calls, or says again what they said before with the same key."""
    if len(stage.drafts) < MOST_ORDERS and (not stage.drafts or stage.random.random() < 0.7):
        cast = stage.house.cast
        key = f"call-{len(stage.drafts) + 1}"
        found = stage.random.random() > 0.1
        stage.drafts[key] = OrderDraft(
            description="厨房下水道堵了",
            service_code=stage.random.choices(cast.services, (3, 1))[0],
            stairwell_id=stage.random.choice(cast.stairwells) if found else None,
            address_text="" if found else "月亮背面第三棵桂花树旁",
            source="simulation",
            source_number=key,
        )
    else:
        key = stage.random.choice(list(stage.drafts))
    return lambda: place(stage, key)


def place(stage: Stage, key: str) -> None:
    """Place the order of a key; a key that is known counts as answered."""
    actor = stage.house.cast.operator
    try:
        with transaction(actor.scope) as session:
            order = orders.place(session, stage.drafts[key], actor=actor, now=clock.now(session))
        stage.answered[key] = order.number
    except orders.AlreadyPlaced:
        stage.answered.setdefault(key, None)


def performer(stage: Stage) -> Step:
    """A firm answers a message: once, twice, too late, or says what it did."""
    return answering(stage, stage.random.choices(ANSWERS, ANSWER_WEIGHTS)[0], some_token(stage))


def some_token(stage: Stage) -> str | None:
    """The link of some message that arrived, mostly of a late one."""
    read = stage.receivers.inner.accepted
    if not read:
        return None
    return token_of(read[-1 - min(int(stage.random.expovariate(0.7)), len(read) - 1)])


def answering(stage: Stage, action: str, token: str | None) -> Step:
    """The step of an answer; nothing where nothing has arrived."""
    return nothing if token is None else (lambda: answer(stage, action, token))


def answer(stage: Stage, action: str, token: str) -> None:
    """Do as the phone page does: one transaction, repeated where the moment was bad."""

    @retrying
    def door() -> int | None:
        with transaction(EVERYTHING) as session:
            now = clock.now(session)
            match action:
                case "accept":
                    order = orders.accept(session, token, now=now)
                case "decline":
                    order = orders.decline(session, token, reason="忙不过来", now=now)
                case "arrive":
                    order = orders.arrive(session, token, now=now)
                case "give_back":
                    order = orders.give_back(session, token, reason="车坏了", now=now)
                case _:
                    order = orders.finish(session, token, WorkReport("done", note="通了"), now=now)
            return order.performer_id

    performer_id = door()
    if action == "accept" and performer_id is not None:
        stage.accepted.append((token, performer_id))


def desk(stage: Stage) -> Step:
    """Somebody of the desk takes the oldest order that waits for a person."""
    waiting = stage.house.rows(
        "SELECT id, state FROM orders WHERE state IN ('received', 'awaiting_dispatch', 'awaiting_human', "
        "'finished', 'fed_back', 'calling_back', 'offered') ORDER BY id"
    )
    if not waiting:
        return nothing
    order_id, state = stage.random.choice(waiting)
    solved = stage.random.random() < 0.6
    performer_id = stage.random.choice(stage.house.cast.performers)
    return lambda: by_hand(stage, order_id, state, solved=solved, performer_id=performer_id)


def by_hand(stage: Stage, order_id: int, state: str, *, solved: bool, performer_id: int) -> None:
    """What people do with an order in this state."""
    cast = stage.house.cast
    actor: Actor = cast.clerk if state in {"fed_back", "calling_back"} else cast.dispatcher
    with transaction(actor.scope) as session:
        now, order = clock.now(session), orders.lock(session, order_id)
        match state:
            case "received":
                orders.settle(session, order, stairwell_id=cast.stairwells[0], actor=actor, now=now)
            case "awaiting_human":
                orders.retry_routing(session, order, reason="再找一次", actor=actor, now=now)
            case "finished":
                orders.feed_back(session, order, answer="已修好", actor=actor, now=now)
            case "offered" | "awaiting_dispatch":
                orders.dispatch_by_hand(
                    session, order, performer_id=performer_id, reason="居民指定", actor=actor, now=now
                )
            case _:
                orders.record_callback(
                    session, order, reached=True, contacted=True, solved=solved,
                    satisfaction="satisfied" if solved else "dissatisfied", actor=actor, now=now,
                )  # fmt: skip


def token_of(message: Message) -> str | None:
    """The token of the link in a message, as the firm reads it."""
    if message.channel == "webhook":
        link = str(json.loads(message.body).get("link") or "")
    else:
        link = next((word for word in message.text.split() if "/w/" in word), "")
    return link.rsplit("/", 1)[-1] or None
