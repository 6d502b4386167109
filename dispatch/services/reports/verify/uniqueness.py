"""What must be there once: orders per key, rounds, accepted offers, effects. Held by indexes, checked all the same.

An index that was dropped, or is corrupt after a crash, would not tell; a query over the rows does.
"""

from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.orm import Session

CHECKS: tuple[tuple[str, str], ...] = (
    (
        "source {0} number {1}: {2} orders ({3})",
        (
            "SELECT source, source_number, count(*), string_agg(number, ', ' ORDER BY id) FROM orders "
            "WHERE source_number IS NOT NULL GROUP BY source, source_number HAVING count(*) > 1"
        ),
    ),
    (
        "{0} {1} {2}: {3} orders ({4})",
        (
            "SELECT origin, origin_id, occasion, count(*), string_agg(number, ', ' ORDER BY id) FROM orders "
            "WHERE origin IS NOT NULL AND occasion IS NOT NULL "
            "GROUP BY origin, origin_id, occasion HAVING count(*) > 1"
        ),
    ),
    (
        "order number {0} stands on {1} orders",
        "SELECT number, count(*) FROM orders GROUP BY number HAVING count(*) > 1",
    ),
    (
        "idempotency key of {0} for {1} stands on {2} answers",
        "SELECT principal, route, count(*) FROM idempotency GROUP BY principal, route, key HAVING count(*) > 1",
    ),
    (
        "order {0}: round {1} stands {2} times",
        (
            "SELECT orders.number, offers.round, count(*) FROM offers JOIN orders ON orders.id = offers.order_id "
            "GROUP BY orders.number, offers.round HAVING count(*) > 1"
        ),
    ),
    (
        "order {0}: {1} open rounds",
        (
            "SELECT orders.number, count(*) FROM offers JOIN orders ON orders.id = offers.order_id "
            "WHERE offers.closed_at IS NULL GROUP BY orders.number HAVING count(*) > 1"
        ),
    ),
    (
        "order {0}: {1} performers hold it in cycle {2}",
        (
            "SELECT orders.number, count(*), offers.cycle FROM offer_recipients "
            "JOIN offers ON offers.id = offer_recipients.offer_id JOIN orders ON orders.id = offers.order_id "
            "WHERE offer_recipients.outcome = 'accepted' GROUP BY orders.number, offers.cycle HAVING count(*) > 1"
        ),
    ),
    (
        "order {0}: performer {1} has it, but accepted no offer of this cycle",
        (
            "SELECT number, performer_id FROM orders WHERE state IN ('accepted', 'arrived') AND NOT EXISTS ("
            "SELECT FROM offers JOIN offer_recipients ON offer_recipients.offer_id = offers.id "
            "WHERE offers.order_id = orders.id AND offers.cycle = orders.cycle "
            "AND offer_recipients.performer_id = orders.performer_id AND offer_recipients.outcome = 'accepted')"
        ),
    ),
    (
        "notice {0}: {1} messages were sent for it",
        "SELECT notice_id, count(*) FROM effects WHERE state = 'sent' GROUP BY notice_id HAVING count(*) > 1",
    ),
    (
        "effect {0} stands {1} times",
        "SELECT dedupe, count(*) FROM effects GROUP BY dedupe HAVING count(*) > 1",
    ),
    (
        "visit of schedule {0} at {1} stands {2} times",
        (
            "SELECT schedule_id, occurs_at, count(*) FROM visit_occurrences "
            "GROUP BY schedule_id, occurs_at HAVING count(*) > 1"
        ),
    ),
)


def broken_facts(session: Session) -> Iterator[str]:
    """One line per thing that is there more than once."""
    for sentence, query in CHECKS:
        for row in session.execute(text(query)):
            yield sentence.format(*row)
