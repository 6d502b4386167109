"""Who sees what of a confidential order (保密): the one rule, asked wherever an order leaves the house.

Source: hotline.md §1 (redacted in every output: Open311, exports, messages, phone page, reports, logs).
"""

from enum import StrEnum
from typing import Protocol

from dispatch.rules.access.roles import Actor, ActorKind, Right


class Sight(StrEnum):
    """How much somebody sees of an order."""

    FULL = "full"
    VISIT = "visit"
    SHELL = "shell"


class Detail(StrEnum):
    """What an order holds beside its shell.

    The shell is what work needs without the matter: number, state, urgency, clocks, the time wanted, area, teams,
    performer, result and cost.
    """

    KIND = "kind"
    """The service, its price and questions, the sentences of its decisions, the knowledge cited."""
    PLACE = "place"
    """Building, stairwell, room, coordinates, distance, the words of the address, the places it may mean."""
    PHONE = "phone"
    CALLER = "caller"
    """Name and resident, and those of every other caller."""
    MATTER = "matter"
    """What was said: description and answers."""
    WORDS = "words"
    """Whatever was written since: reasons, remarks, notes, grounds, tasks, findings, the answer to the resident."""
    PICTURES = "pictures"


DETAILS: dict[Sight, frozenset[Detail]] = {
    Sight.FULL: frozenset(Detail),
    Sight.VISIT: frozenset({Detail.PLACE, Detail.PHONE}),
    Sight.SHELL: frozenset(),
}


class Guarded(Protocol):
    """What the rule must know of an order."""

    @property
    def confidential(self) -> bool:
        """Whether it is confidential."""

    @property
    def created_by(self) -> int | None:
        """Who took the call."""

    @property
    def performer_id(self) -> int | None:
        """Who holds it."""


def sight_of(order: Guarded, actor: Actor) -> Sight:
    """How much the actor sees of an order within their reach.

    Everything of one that is not confidential. Of a confidential one: everything for a person who holds the right
    to confidential orders and for the person who took the call; for the performer who holds it what is needed to
    come; the shell for everybody else. A machine's key never sees more than the shell, whatever its scopes say:
    what it reads is copied to where nobody notes who looks.
    """
    if not order.confidential:
        return Sight.FULL
    if actor.user_id is not None and (actor.may(Right.ORDERS_CONFIDENTIAL) or order.created_by == actor.user_id):
        return Sight.FULL
    if actor.performer_id is not None and order.performer_id == actor.performer_id:
        return Sight.VISIT
    return Sight.SHELL


def sees(detail: Detail, order: Guarded, actor: Actor) -> bool:
    """Whether the actor sees this detail of an order."""
    return detail in DETAILS[sight_of(order, actor)]


def is_open_to(order: Guarded, actor: Actor) -> bool:
    """Whether nothing of the order is hidden from the actor."""
    return sight_of(order, actor) is Sight.FULL


CONCEALERS: frozenset[ActorKind] = frozenset({ActorKind.DISPATCHER, ActorKind.CENTRE})


def may_conceal(order: Guarded, actor: Actor) -> bool:
    """Whether the actor may make an order confidential: who took the call, a dispatcher, the centre.

    Hiding tells nobody anything, so a machine's key of such a capacity may do it too.
    """
    took_it = actor.user_id is not None and order.created_by == actor.user_id
    return (took_it and actor.may(Right.ORDERS_PLACE)) or actor.kind in CONCEALERS


def may_reveal(actor: Actor, concealed_by: int | None) -> bool:
    """Whether the actor may lift it again: a person of the centre, and not who made the order confidential."""
    is_centre = actor.user_id is not None and actor.kind is ActorKind.CENTRE
    return is_centre and actor.may(Right.ORDERS_CONFIDENTIAL) and actor.user_id != concealed_by
