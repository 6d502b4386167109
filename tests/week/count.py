"""The figures counted a second time, by plain SQL of its own over orders, histories, rounds and callbacks.

Nothing of the product's counting is used: what each count means is read from docs/decisions (figures), one question
to the database for each, straight from the rows that people and clocks have written.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

Rows = Callable[[str, Mapping[str, object]], list[tuple[Any, ...]]]
Counted = dict[Any, dict[str, int]]
GROUPINGS = ("team", "area", "kind", "firm")


def first(column: str, action: str) -> str:
    """What the first step of a kind says."""
    steps = f"FROM order_events e WHERE e.order_id = o.id AND action = '{action}'"
    return f"(SELECT {column} {steps} ORDER BY version LIMIT 1)"


def last(column: str, *actions: str) -> str:
    """What the last step of these kinds says."""
    among = ", ".join(f"'{action}'" for action in actions)
    return (
        f"(SELECT {column} FROM order_events e WHERE e.order_id = o.id AND action IN ({among}) "
        "ORDER BY version DESC LIMIT 1)"
    )


def has(condition: str) -> str:
    """Whether there is such a step."""
    return f"EXISTS (SELECT FROM order_events e WHERE e.order_id = o.id AND {condition})"


FIRST_OFFER = "(SELECT min(round) FROM offers f WHERE f.order_id = o.id)"
OPENED = f"(SELECT opened_at FROM offers f WHERE f.order_id = o.id AND round = {FIRST_OFFER})"
OUTCOME = f"(SELECT coalesce(outcome, 'open') FROM offers f WHERE f.order_id = o.id AND round = {FIRST_OFFER})"
ASKED = (
    "(SELECT {what} FROM offer_recipients r JOIN offers f ON f.id = r.offer_id "
    f"WHERE f.order_id = o.id AND f.round = {FIRST_OFFER}{{more}})"
)
FIRST_FIRM = (
    f"CASE WHEN {ASKED.format(what='count(*)', more='')} = 1 THEN {ASKED.format(what='min(r.performer_id)', more='')} "
    f"ELSE {ASKED.format(what='min(r.performer_id)', more=chr(32) + 'AND r.outcome = ' + repr('accepted'))} END"
)
LEAD = (
    "(SELECT {what} FROM assignments a WHERE a.order_id = o.id AND a.role = 'lead' "
    "AND a.cycle = (SELECT max(cycle) FROM assignments b WHERE b.order_id = o.id AND b.role = 'lead') "
    "ORDER BY a.id DESC LIMIT 1)"
)
# several may have called about one order: it counts once, by the worst that any of them said when last reached
CALLED = (
    "(SELECT {what} FROM callbacks k WHERE k.order_id = o.id AND k.reached AND k.cycle = "
    "(SELECT max(cycle) FROM callbacks m WHERE m.order_id = o.id AND m.reached))"
)
REACHED = "EXISTS (SELECT FROM callbacks k WHERE k.order_id = o.id AND k.reached)"
CALLED_AT = CALLED.format(what="max(at)")
SATISFACTION = CALLED.format(
    what="substr(min(CASE k.satisfaction WHEN 'very_dissatisfied' THEN '1' WHEN 'dissatisfied' THEN '2' "
    "WHEN 'basically_satisfied' THEN '3' WHEN 'satisfied' THEN '4' WHEN 'very_satisfied' THEN '5' END "
    "|| k.satisfaction), 2)"
)
FINAL = has("action = 'final_answer'")
V = f"{REACHED} AND NOT {FINAL}"
KEPT = "o.state NOT IN ('voided', 'merged', 'answered')"
STANDS = "o.state NOT IN ('voided', 'merged')"
COMPARED = "o.stairwell_id IS NOT NULL AND NOT o.confidential"
CLOSED = "o.state IN ('closed', 'archived')"
ANSWERED = "o.state IN ('fed_back', 'calling_back', 'closed', 'archived')"
CLOSED_AT = last("at", "close")
ANSWERED_AT = last("at", "feed_back", "final_answer")
PASSED = "({met} OR {due} < dispatch_now())"
SIGN_DUE = LEAD.format(what="a.sign_due_at")
SIGNS = f"{SIGN_DUE} IS NOT NULL AND {LEAD.format(what='a.signed_at IS DISTINCT FROM a.assigned_at')}"
SIGNED = LEAD.format(what="a.signed_at IS NOT NULL")
SIGNED_IN_TIME = f"coalesce({LEAD.format(what='a.signed_at <= a.sign_due_at')}, false)"
STEPS = "FROM order_events e WHERE e.order_id = o.id AND"
CHOSEN = "action IN ('dispatch', 'open_round') AND facts ? 'by_hand'"
BY_HAND = f"(SELECT max(version) {STEPS} (action = 'reassign' OR {CHOSEN}))"
BY_ROUTER = f"(SELECT min(version) {STEPS} action IN ('open_round', 'next_round') AND NOT facts ? 'by_hand')"
REOPENED = has("action = 'reopen'")
RETURNED, REASSIGNED = has("action = 'return_to_desk'"), has("action = 'reassign'")
BEFORE = (
    "EXISTS (SELECT FROM orders b JOIN services t ON t.id = b.service_id AND t.in_figures "
    "WHERE b.stairwell_id = o.stairwell_id AND b.service_id = o.service_id AND NOT b.is_canary "
    "AND NOT b.confidential AND b.state NOT IN ('voided', 'merged') "
    "AND b.created_at >= o.created_at - interval '7 days' "
    "AND (b.created_at, b.id) < (o.created_at, o.id))"
)

NOW = {
    "team": "o.lead_team_id",
    "area": "o.area_id",
    "kind": "CASE WHEN NOT o.confidential THEN o.service_id END",
    "firm": f"coalesce(o.performer_id, {last('performer_id', 'accept')})",
}
THEN = NOW | {"team": first("(facts ->> 'lead')::bigint", "dispatch"), "firm": FIRST_FIRM}


@dataclass(frozen=True, slots=True)
class Question:
    """What a count asks of an order: its instant, whether it counts, how much, and whose it is."""

    at: str
    counts: str = "true"
    amount: str = "1"
    whose: Mapping[str, str] | None = None


PLACED = "o.created_at"
DISPATCHED = first("at", "dispatch")
QUESTIONS: dict[str, Question] = {
    "placed": Question(PLACED),
    "answered": Question(PLACED, "o.state = 'answered'"),
    "repeat_base": Question(PLACED, f"{STANDS} AND {COMPARED}"),
    "repeated": Question(PLACED, f"{STANDS} AND {COMPARED} AND {BEFORE}"),
    "dispatched": Question(DISPATCHED, whose=THEN),
    "returned": Question(DISPATCHED, RETURNED, whose=THEN),
    "misrouted": Question(DISPATCHED, f"({RETURNED} OR {REASSIGNED})", whose=THEN),
    "overridden": Question(DISPATCHED, f"{BY_HAND} > {BY_ROUTER}", whose=THEN),
    "to_sign": Question(SIGN_DUE, f"{KEPT} AND {SIGNS} AND {PASSED.format(met=SIGNED, due=SIGN_DUE)}"),
    "signed_in_time": Question(SIGN_DUE, f"{KEPT} AND {SIGNS} AND {SIGNED_IN_TIME}"),
    "offered": Question(OPENED, whose=THEN),
    "rounds": Question(OPENED, amount="(SELECT count(*) FROM offers f WHERE f.order_id = o.id)", whose=THEN),
    "first_answered": Question(OPENED, f"{OUTCOME} IN ('accepted', 'declined', 'lapsed')", whose=THEN),
    "first_accepted": Question(OPENED, f"{OUTCOME} = 'accepted'", whose=THEN),
    "accepted": Question(OPENED, has("action = 'accept'"), whose=THEN),
    "accept_seconds": Question(
        OPENED,
        has("action = 'accept'"),
        f"round(extract(epoch FROM {first('at', 'accept')} - {OPENED}))",
        THEN,
    ),
    "arrivals_due": Question(
        "o.arrive_due_at", f"{KEPT} AND {PASSED.format(met='o.arrived_at IS NOT NULL', due='o.arrive_due_at')}"
    ),
    "arrived_in_time": Question("o.arrive_due_at", f"{KEPT} AND o.arrived_at <= o.arrive_due_at"),
    "due": Question("o.civic_due_at", f"{KEPT} AND {PASSED.format(met=CLOSED, due='o.civic_due_at')}"),
    "due_closed": Question("o.civic_due_at", CLOSED),
    "closed_in_time": Question("o.civic_due_at", f"{CLOSED} AND {CLOSED_AT} <= o.civic_due_at"),
    "answers_due": Question("o.civic_due_at", f"{KEPT} AND {PASSED.format(met=ANSWERED, due='o.civic_due_at')}"),
    "answered_in_time": Question("o.civic_due_at", f"{ANSWERED} AND {ANSWERED_AT} <= o.civic_due_at"),
    "finished": Question(last("at", "finish")),
    "closed": Question(CLOSED_AT, CLOSED),
    "called": Question(CALLED_AT, REACHED),
    "reopened": Question(CALLED_AT, f"{REACHED} AND {REOPENED}"),
    "valued": Question(CALLED_AT, V),
    "contacted": Question(CALLED_AT, f"{V} AND {CALLED.format(what='bool_and(k.contacted)')}"),
    "solved": Question(CALLED_AT, f"{V} AND {CALLED.format(what='bool_and(k.solved)')}"),
    **{
        step: Question(CALLED_AT, f"{V} AND {SATISFACTION} = '{step}'")
        for step in ("very_satisfied", "satisfied", "basically_satisfied", "dissatisfied", "very_dissatisfied")
    },
}
"""Each count of a report by its name."""


def count(rows: Rows, by: str, begin: date, end: date) -> Counted:
    """Every count of the days by team, area, kind or firm (None: none yet)."""
    found: Counted = defaultdict(dict)
    for name, question in QUESTIONS.items():
        key = (question.whose or NOW)[by]
        for whose, amount in rows(statement(key, question), {"begin": begin, "end": end}):
            if amount:
                found[whose][name] = int(amount)
    return dict(found)


def by_day(rows: Rows, begin: date, end: date) -> Counted:
    """Every count of each day."""
    found: Counted = defaultdict(dict)
    for name, question in QUESTIONS.items():
        day = f"(({question.at}) AT TIME ZONE 'Asia/Shanghai')::date"
        for on, amount in rows(statement(day, question), {"begin": begin, "end": end}):
            if amount:
                found[on.isoformat()][name] = int(amount)
    return dict(found)


def statement(key: str, question: Question) -> str:
    """One question to the database: kinds of the figures, of communities that are not hidden, never the canary."""
    day = f"(({question.at}) AT TIME ZONE 'Asia/Shanghai')::date"
    return (
        f"SELECT {key} AS whose, sum({question.amount}) FROM orders o "
        "JOIN services s ON s.id = o.service_id AND s.in_figures "
        "JOIN organisations c ON c.id = o.community_id AND NOT c.is_hidden "
        f"WHERE NOT o.is_canary AND {day} BETWEEN %(begin)s AND %(end)s AND {question.counts} GROUP BY 1"
    )


def total(counted: Counted) -> dict[str, int]:
    """The sum over all rows."""
    return {name: sum(row.get(name, 0) for row in counted.values()) for name in QUESTIONS}


def rates(counts: Mapping[str, int]) -> dict[str, Decimal | None]:
    """The rates of some counts in percent, by the formulas of the practice; None where there is no data."""
    have = defaultdict(int, counts)
    good = have["very_satisfied"] + have["satisfied"] + Fraction(9, 10) * have["basically_satisfied"]
    score = Fraction(1, 10) * have["contacted"] + Fraction(5, 10) * have["solved"] + Fraction(4, 10) * good
    pairs: dict[str, tuple[Fraction | int, int]] = {
        "response": (have["contacted"], have["valued"]),
        "solved": (have["solved"], have["valued"]),
        "satisfied": (good, have["valued"]),
        "composite": (score, have["valued"]),
        "closed": (have["due_closed"], have["due"]),
        "closed_in_time": (have["closed_in_time"], have["due"]),
        "answered_in_time": (have["answered_in_time"], have["answers_due"]),
        "signed_in_time": (have["signed_in_time"], have["to_sign"]),
        "arrived_in_time": (have["arrived_in_time"], have["arrivals_due"]),
        "first_accepted": (have["first_accepted"], have["first_answered"]),
        "returned": (have["returned"], have["dispatched"]),
        "misrouted": (have["misrouted"], have["dispatched"]),
        "overridden": (have["overridden"], have["dispatched"]),
        "reopened": (have["reopened"], have["called"]),
        "repeated": (have["repeated"], have["repeat_base"]),
    }
    return {name: percent(Fraction(over), under) for name, (over, under) in pairs.items()}


def percent(over: Fraction, under: int) -> Decimal | None:
    """A rate with two places, half up."""
    if not under:
        return None
    exact = over * 100 / under
    return (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(Decimal("0.01"), ROUND_HALF_UP)


def differences(what: str, shown: Counted, counted: Counted) -> list[str]:
    """One line for each count that the product shows otherwise than it was counted here."""
    return [
        f"{what} {whose}: {name} is shown as {shown.get(whose, {}).get(name, 0)}, counted as "
        f"{counted.get(whose, {}).get(name, 0)}"
        for whose in sorted({*shown, *counted}, key=str)
        for name in QUESTIONS
        if shown.get(whose, {}).get(name, 0) != counted.get(whose, {}).get(name, 0)
    ]
