"""The callback: who may make it, what is asked, and what follows from the answer."""

from collections.abc import Collection
from enum import StrEnum
from typing import Final

from dispatch.errors import Invalid
from dispatch.rules.orders.clocks import MOST_CALLBACK_TRIES

FREE_REOPENS: Final = 1
"""So often an order is done again without 督办. Source: hotline.md §1 #16 (published practice)."""


class Satisfaction(StrEnum):
    """The five-step scale. Source: hotline.md §4."""

    VERY_SATISFIED = "very_satisfied"
    SATISFIED = "satisfied"
    BASICALLY_SATISFIED = "basically_satisfied"
    DISSATISFIED = "dissatisfied"
    VERY_DISSATISFIED = "very_dissatisfied"


SATISFACTION_LABELS: Final[dict[Satisfaction, str]] = {
    Satisfaction.VERY_SATISFIED: "非常满意",
    Satisfaction.SATISFIED: "满意",
    Satisfaction.BASICALLY_SATISFIED: "基本满意",
    Satisfaction.DISSATISFIED: "不满意",
    Satisfaction.VERY_DISSATISFIED: "非常不满意",
}

COMPLAINING: Final = frozenset({Satisfaction.DISSATISFIED, Satisfaction.VERY_DISSATISFIED})
"""Answers after which an order is done again even when it counts as solved."""


class AfterCallback(StrEnum):
    """What follows from a try to call back."""

    CLOSE = "close"
    REOPEN = "reopen"
    SUPERVISE = "supervise"
    TRY_AGAIN = "try_again"
    UNREACHED = "unreached"


def may_call_back(clerk_id: int, handler_ids: Collection[int]) -> bool:
    """Tell whether this person may call back: nobody who took, assigned, performed or fed back the order.

    Source: hotline.md §1 #14 (callback clerk, never the handler) and its definition of a handler.
    """
    return clerk_id not in handler_ids


def after_callback(
    tries: int,
    *,
    reached: bool,
    solved: bool | None,
    satisfaction: Satisfaction | None,
    reopen_count: int,
    most_tries: int = MOST_CALLBACK_TRIES,
    free_reopens: int = FREE_REOPENS,
) -> AfterCallback:
    """Give what follows from a try to call back.

    `tries` counts different half-days, this one included; `reopen_count` how often the order was done again
    before. SUPERVISE means done again under 督办. Somebody reached who gives no satisfaction counts by
    `solved` alone; Invalid("solved") when he was not asked. Source: hotline.md §1 #14, #14a, #15 and #16.
    """
    if not reached:
        return AfterCallback.UNREACHED if tries >= most_tries else AfterCallback.TRY_AGAIN
    if solved is None:
        raise Invalid("solved", "已联系到居民，请记录问题是否解决")
    if solved and satisfaction not in COMPLAINING:
        return AfterCallback.CLOSE
    return AfterCallback.REOPEN if reopen_count < free_reopens else AfterCallback.SUPERVISE
