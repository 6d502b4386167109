"""What the state of an order means for the programme that sent somebody: under way, done, come to nothing.

Source: rules.md §8 (a programme creates orders and hears of their end).
"""

from enum import StrEnum

from dispatch.rules.orders.states import AFTER_WORK, OrderState

NOT_DONE = "not_done"
WITHOUT_WORK = frozenset({OrderState.VOIDED, OrderState.MERGED, OrderState.ANSWERED})


class Errand(StrEnum):
    """How it went."""

    UNDER_WAY = "under_way"
    DONE = "done"
    FAILED = "failed"


def errand_of(state: OrderState, result: str | None) -> Errand:
    """How an order in this state, with this result of its work, went so far; a re-opened one is under way again."""
    worked = state in AFTER_WORK or state in {OrderState.CLOSED, OrderState.ARCHIVED}
    if state in WITHOUT_WORK or (worked and result == NOT_DONE):
        return Errand.FAILED
    return Errand.DONE if worked else Errand.UNDER_WAY
