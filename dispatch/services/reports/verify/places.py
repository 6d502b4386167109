"""Every open order is in a known place: somebody has it, or a job or an alarm will come back to it."""

from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.orm import Session

OPEN_JOB = (
    "EXISTS (SELECT FROM jobs WHERE jobs.kind = '{kind}' AND jobs.reference = {reference} "
    "AND jobs.done_at IS NULL AND jobs.dead_at IS NULL)"
)
ALARM = (
    "EXISTS (SELECT FROM alarms WHERE alarms.order_id = orders.id "
    "AND (alarms.cleared_at IS NULL OR alarms.cleared_by IS NOT NULL))"
)


def job(kind: str, reference: str = "orders.id") -> str:
    """The condition that a job of the kind is open for the order."""
    return OPEN_JOB.format(kind=kind, reference=reference)


OPEN_OFFER = (
    "EXISTS (SELECT FROM offers WHERE offers.order_id = orders.id AND offers.closed_at IS NULL AND "
    + job("orders.lapse", "offers.id")
    + ")"
)
NO_OFFER = "NOT EXISTS (SELECT FROM offers WHERE offers.order_id = orders.id AND offers.closed_at IS NULL)"

PLACES: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("received",), f"({ALARM} OR {job('orders.place_alarm')})", "no alarm, and no job that will raise one"),
    (("awaiting_human",), ALARM, "no alarm tells anybody of it"),
    (("awaiting_dispatch", "signed"), job("orders.route"), "no job will route it"),
    (
        ("dispatched",),
        f"({job('orders.route')} OR {job('orders.escalate')} OR {ALARM})",
        "no job and no alarm will come back to it",
    ),
    (
        ("offered",),
        f"({OPEN_OFFER} OR ({NO_OFFER} AND {job('orders.route')}))",
        "no open offer that will lapse, and no job that will route it",
    ),
    (("accepted", "arrived"), "orders.performer_id IS NOT NULL", "nobody holds it"),
    (("finished",), job("orders.feed_back"), "no job will answer the resident"),
    (("fed_back",), job("orders.callback_due"), "no job will have it called back"),
    (("calling_back",), "orders.callback_due_at IS NOT NULL", "no day to call back"),
)
"""States, where an order in one of them must be known to be, and what is said when it is not."""


def lost_orders(session: Session) -> Iterator[str]:
    """One line per open order that is nowhere."""
    for states, condition, sentence in PLACES:
        where = f"state = ANY (:states) AND NOT {condition}"
        query = text(f"SELECT number, state FROM orders WHERE {where} ORDER BY id")  # noqa: S608 - our own texts
        for number, state in session.execute(query, {"states": list(states)}):
            yield f"order {number} ({state}): {sentence}"
