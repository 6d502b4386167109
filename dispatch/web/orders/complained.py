"""What the page of an order shows of complaints, and what it lets somebody do about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext
from sqlalchemy.orm import Session

from dispatch.models.orders import Complaint, Order, OrderEvent
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.orders.complaints import (
    COMPLAINT_LABELS,
    CONSEQUENCE_LABELS,
    WAITING,
    ComplaintKind,
    ComplaintState,
    may_decide,
    may_raise,
)
from dispatch.rules.orders.states import Action, OrderState
from dispatch.services import orders


@dataclass(frozen=True, slots=True)
class ComplainedView:
    """The complaints about an order, and which of them this reader may answer, decide or take back.

    `kinds` and `taken_by` (the last first) are there when one may be raised.
    """

    complaints: Sequence[Complaint]
    answerable: frozenset[int]
    decidable: frozenset[int]
    own: frozenset[int]
    kinds: Sequence[tuple[str, str]]
    taken_by: Sequence[int]
    consequences: Sequence[tuple[str, str]]


def read_complained(
    session: Session, order: Order, events: Sequence[OrderEvent], actor: Actor, *, now: datetime
) -> ComplainedView:
    """Read it in one query."""
    complaints = orders.complaints_of(session, order)
    waiting = [one for one in complaints if ComplaintState(one.state) in WAITING]
    own = frozenset(one.id for one in waiting if actor.user_id is not None and one.raised_by == actor.user_id)
    speaks = actor.may(Right.CALLERS_READ) and may_raise(actor.kind)
    taken_by = takers(events) if speaks and order.state != OrderState.ARCHIVED else []
    return ComplainedView(
        complaints=complaints,
        answerable=frozenset(one.id for one in waiting if speaks and one.state == ComplaintState.OPEN),
        decidable=frozenset(
            one.id
            for one in waiting
            if actor.may(Right.FIRMS_EDIT)
            and may_decide(actor.kind, is_raiser=one.id in own)
            and (one.state == ComplaintState.ANSWERED or one.answer_due_at <= now)
        ),
        own=own,
        kinds=kind_choices({one.kind for one in waiting}) if taken_by else [],
        taken_by=taken_by,
        consequences=[(str(one), gettext(word)) for one, word in CONSEQUENCE_LABELS.items()],
    )


def takers(events: Sequence[OrderEvent]) -> list[int]:
    """Who took the order, the last first; each once."""
    taken = [one.performer_id for one in events if one.action == Action.ACCEPT and one.performer_id is not None]
    return list(dict.fromkeys(reversed(taken)))


def kind_choices(waiting: set[str]) -> list[tuple[str, str]]:
    """The kinds that do not wait already, with their words."""
    return [(str(kind), gettext(COMPLAINT_LABELS[kind])) for kind in ComplaintKind if str(kind) not in waiting]
