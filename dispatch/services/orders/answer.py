"""直接答复: a call is closed in the call with an item of knowledge; afterwards the caller may say whether it helped."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.models.catalogue import KnowledgeItem, KnowledgeVersion
from dispatch.models.orders import KnowledgeUse, Order
from dispatch.rules.access.roles import Actor
from dispatch.rules.catalogue.knowledge import Useful
from dispatch.rules.orders.number import RANDOM_BITS, make_number
from dispatch.rules.orders.states import Action
from dispatch.services import catalogue, notify
from dispatch.services.access import audit, reach
from dispatch.services.catalogue import Knowledge
from dispatch.services.orders.draft import OrderDraft
from dispatch.services.orders.insert import INSERT_ANSWERED, insert_parameters
from dispatch.services.orders.place import (
    MOST_NUMBERS,
    AlreadyPlaced,
    Prepared,
    as_received,
    capacity_of,
    first_events,
    order_values,
    prepare,
)
from dispatch.services.orders.steps import check_version, step

MOST_LISTED = 200


class NotACall(Conflict):
    """这张订单是其他项目安排的工作,不能用知识条目直接答复"""


class NotAnswered(Conflict):
    """这张订单不是直接答复的,不用问有没有帮助"""


class AlreadyAsked(Conflict):
    """来电人的评价已经记过了"""


@dataclass(frozen=True, slots=True)
class Citation:
    """What a call is answered with: the item by id or code, the version that was read, what the caller said of it."""

    item_id: int | None = None
    code: str | None = None
    version: int | None = None
    useful: str = Useful.NOT_ASKED


@dataclass(frozen=True, slots=True)
class KnowledgeFigure:
    """How often an item closed a call, and how often callers called it useful or not."""

    item_id: int
    title: str
    used: int
    useful: int
    useless: int


def answer_call(session: Session, draft: OrderDraft, citation: Citation, *, actor: Actor, now: datetime) -> Order:
    """Close a call in the call: one durable statement for order, both steps, audit and citation; no job.

    The place may be unknown; without a kind the call counts under the item's first, without words it is about the
    item's title. Raises what place() raises, and NotFound, KnowledgeOutdated, KnowledgeWithdrawn for the item.
    Source: hotline.md §1 row 2.
    """
    if draft.origin is not None:
        raise NotACall
    cited = cite(session, citation, actor=actor, now=now)
    said = asked(citation.useful, actor=actor, now=now)
    prepared = prepare(session, completed(draft, cited), actor=actor, now=now)
    for _ in range(MOST_NUMBERS):
        number = make_number(clock.today(now), secrets.randbits(RANDOM_BITS))
        order_id = insert_answered(session, prepared, number, cited, said, actor=actor, now=now)
        if order_id is not None:
            return session.get_one(Order, order_id)
    raise AlreadyPlaced


def completed(draft: OrderDraft, cited: Knowledge) -> OrderDraft:
    """The draft with the kind and the words that its answer gives it."""
    description = draft.description if draft.description.strip() else cited.text.title
    if draft.service_id is None and draft.service_code is None:
        return replace(draft, description=description, service_code=cited.item.kinds[0])
    return replace(draft, description=description)


def insert_answered(
    session: Session,
    prepared: Prepared,
    number: str,
    cited: Knowledge,
    said: dict[str, Any],
    *,
    actor: Actor,
    now: datetime,
) -> int | None:
    """Insert the answered order under this number and return its id; None when the number is taken."""
    values = order_values(prepared, number, actor=actor, now=now)
    steps = [as_received(values), (Action.ANSWER_DIRECTLY, facts_of(cited))]
    events = first_events(number, steps, actor=actor, now=now)
    values |= {"version": len(events), "state": events[-1]["to_state"], "chain_head": events[-1]["digest"]}
    values["closed_at"] = now
    ending = {"knowledge_version_id": cited.text.id, **said}
    session.flush()
    try:
        parameters = insert_parameters(values, events, ending, actor=actor, now=now)
        return session.connection().execute(INSERT_ANSWERED, parameters).scalar_one_or_none()
    except IntegrityError as error:
        raise AlreadyPlaced from error


def answer_directly(
    session: Session, order: Order, citation: Citation, *, version: int | None = None, actor: Actor, now: datetime
) -> None:
    """Close a locked order in 受理中 with an item of knowledge; its alarms are cleared.

    Raises IllegalStep in every other state, NotACall for a programme's order, and what the item raises.
    """
    check_version(order, version)
    if order.origin is not None:
        raise NotACall
    cited = cite(session, citation, actor=actor, now=now)
    said = asked(citation.useful, actor=actor, now=now)
    step(
        session,
        order,
        Action.ANSWER_DIRECTLY,
        actor=actor,
        kind=capacity_of(actor),
        now=now,
        facts=facts_of(cited),
    )
    row = {
        "order_id": order.id,
        "order_version": order.version,
        "knowledge_version_id": cited.text.id,
        "cited_by": actor.user_id,
        "cited_at": now,
        **said,
    }
    session.execute(insert(KnowledgeUse), [row])
    audit.record(
        session,
        "orders.answer_directly",
        "orders",
        order.id,
        actor=actor,
        community_id=order.community_id,
        organisation_id=order.organisation_id,
    )
    notify.clear_alarms(session, order_id=order.id, kinds=("place_unresolved", "order_waits"), now=now)


def cite(session: Session, citation: Citation, *, actor: Actor, now: datetime) -> Knowledge:
    """The item that is cited, as it stands today; the citation is mandatory."""
    if citation.item_id is None and not citation.code:
        raise Invalid("knowledge_code", "请先选一条知识再直接答复")
    return catalogue.cite_knowledge(
        session,
        item_id=citation.item_id,
        code=citation.code,
        version=citation.version,
        day=clock.today(now),
        actor=actor,
    )


def facts_of(cited: Knowledge) -> dict[str, object]:
    """What the step of the history says of the citation."""
    return {"knowledge": cited.item.code, "knowledge_version": cited.item.version}


def asked(useful: str, *, actor: Actor, now: datetime) -> dict[str, Any]:
    """The columns that say whether the caller found it useful, who asked, and when; raises Invalid."""
    if useful not in set(Useful):
        raise Invalid("useful", "请选择有用、没用或没有问")
    is_asked = useful != Useful.NOT_ASKED
    return {
        "useful": str(useful),
        "asked_by": actor.user_id if is_asked else None,
        "asked_at": now if is_asked else None,
    }


def record_usefulness(session: Session, order: Order, *, useful: str, actor: Actor, now: datetime) -> None:
    """Record once what the caller of a locked, answered order says of the answer.

    Raises NotAnswered, AlreadyAsked, Invalid.
    """
    use = session.get(KnowledgeUse, order.id, populate_existing=True)
    if use is None:
        raise NotAnswered
    if use.asked_at is not None:
        raise AlreadyAsked
    said = asked(useful, actor=actor, now=now)
    if said["asked_at"] is None:
        raise Invalid("useful", "请选择有用或没用")
    for name, value in said.items():
        setattr(use, name, value)
    session.flush()
    audit.record(
        session,
        "orders.record_usefulness",
        "orders",
        order.id,
        actor=actor,
        community_id=order.community_id,
        organisation_id=order.organisation_id,
        fields={"useful": str(useful)},
    )


def citation_of(session: Session, order: Order) -> tuple[KnowledgeUse, KnowledgeItem, KnowledgeVersion] | None:
    """What an order was answered with, as it was said then; None for an order that was not. Found within reach."""
    query = (
        select(KnowledgeUse, KnowledgeItem, KnowledgeVersion)
        .join(KnowledgeVersion, KnowledgeVersion.id == KnowledgeUse.knowledge_version_id)
        .join(KnowledgeItem, KnowledgeItem.id == KnowledgeVersion.item_id)
        .where(KnowledgeUse.order_id == order.id)
    )
    row = session.execute(query).one_or_none()
    return None if row is None else (row[0], row[1], row[2])


def answered_with(session: Session, order: Order) -> tuple[KnowledgeUse, KnowledgeItem, KnowledgeVersion]:
    """The same; raises NotFound for an order that was not answered directly."""
    found = citation_of(session, order)
    if found is None:
        raise NotFound
    return found


def knowledge_figures(session: Session, *, since: datetime, actor: Actor) -> Sequence[KnowledgeFigure]:
    """The items that closed calls within the actor's reach since then, most used first; one query, 200 at most."""
    used = func.count().label("used")
    query = (
        select(
            KnowledgeItem.id,
            KnowledgeItem.title,
            used,
            func.count().filter(KnowledgeUse.useful == Useful.YES),
            func.count().filter(KnowledgeUse.useful == Useful.NO),
        )
        .join(KnowledgeVersion, KnowledgeVersion.item_id == KnowledgeItem.id)
        .join(KnowledgeUse, KnowledgeUse.knowledge_version_id == KnowledgeVersion.id)
        .join(Order, Order.id == KnowledgeUse.order_id)
        .where(KnowledgeUse.cited_at >= since, reach.visible_orders(actor))
        .group_by(KnowledgeItem.id, KnowledgeItem.title)
        .order_by(used.desc(), KnowledgeItem.id)
        .limit(MOST_LISTED)
    )
    return [KnowledgeFigure(*row) for row in session.execute(query)]
