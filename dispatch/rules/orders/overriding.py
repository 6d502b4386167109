"""Which rule of the router somebody set aside by choosing a performer by hand."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from dispatch.rules.orders.decision import Considered, Decision, Filter, Weights
from dispatch.rules.orders.routing import expected_minutes


class Overridden(StrEnum):
    """A rule that was set aside: a hard filter, a term of the score, or nothing of the kind."""

    KIND_OR_COVER = "kind_or_cover"
    PAPERS = "papers"
    SHIFT = "shift"
    SUSPENSION = "suspension"
    CAPACITY = "capacity"
    EXCLUDED = "excluded"
    REFUSED = "refused"
    MINUTES = "minutes"
    SATISFACTION = "satisfaction"
    OPEN_WORK = "open_work"
    LAST_OFFERED = "last_offered"
    NUMBER = "number"
    NONE = "none"


RULE_LABELS: Final[Mapping[Overridden, str]] = {
    Overridden.KIND_OR_COVER: "服务类别或服务范围",
    Overridden.PAPERS: "证照有效",
    Overridden.SHIFT: "当时在班",
    Overridden.SUSPENSION: "没有暂停派单",
    Overridden.CAPACITY: "手上的单不超过上限",
    Overridden.EXCLUDED: "居民要求不派",
    Overridden.REFUSED: "拒绝过的不再问",
    Overridden.MINUTES: "先到的优先",
    Overridden.SATISFACTION: "满意度高的优先",
    Overridden.OPEN_WORK: "手上单少的优先",
    Overridden.LAST_OFFERED: "最久没有询单的优先",
    Overridden.NUMBER: "条件相同时按编号",
    Overridden.NONE: "没有改动规则（选了排第一的）",
}

_OF_FILTER: Final[Mapping[Filter, Overridden]] = {
    Filter.SERVES_KIND: Overridden.KIND_OR_COVER,
    Filter.PAPERS_VALID: Overridden.PAPERS,
    Filter.COVERS_CELL: Overridden.KIND_OR_COVER,
    Filter.ON_SHIFT: Overridden.SHIFT,
    Filter.NOT_SUSPENDED: Overridden.SUSPENSION,
    Filter.UNDER_CAPACITY: Overridden.CAPACITY,
    Filter.NOT_EXCLUDED: Overridden.EXCLUDED,
    Filter.NOT_REFUSED: Overridden.REFUSED,
}
_OF_TERM: Final = (
    Overridden.MINUTES,
    Overridden.SATISFACTION,
    Overridden.OPEN_WORK,
    Overridden.LAST_OFFERED,
    Overridden.NUMBER,
)


def overridden(decision: Decision, chosen: int) -> tuple[Overridden, ...]:
    """Give the rules of a decision that did not allow the performer who was chosen, in the order of the rules.

    Every filter that the performer failed; for one who passed them all the first term of the score by which the
    one ranked first is better; NONE for the one ranked first. Who is not listed was out by kind or cover.
    Source: hotline.md §2 steps 3, 4 and 10 (“the report lists the rules most overridden”).
    """
    known = {one.performer_id: one for one in decision.considered}
    if chosen not in known:
        return (Overridden.KIND_OR_COVER,)
    if known[chosen].failed:
        return tuple(dict.fromkeys(_OF_FILTER[one] for one in Filter(known[chosen].failed)))
    if decision.winner is None or chosen == decision.winner:
        return (Overridden.NONE,)
    first, other = (_terms(one, decision.weights) for one in (known[decision.winner], known[chosen]))
    return (next(rule for rule, better, worse in zip(_OF_TERM, first, other, strict=True) if better != worse),)


def _terms(one: Considered, weights: Weights) -> tuple[int, ...]:
    """The score of one performer, term by term, as the router compares it."""
    return (
        expected_minutes(one, weights) // weights.minutes_step,
        (1000 - one.satisfaction_permille) // weights.satisfaction_step,
        one.open_work,
        -one.last_offered_minutes_ago,
        one.performer_id,
    )
