"""Merged orders and callers: every chain ends at an order that is not merged, and whoever called waits there, once."""

from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.orm import Session

CHECKS: tuple[tuple[str, str], ...] = (
    (
        "order {0} is merged, and the chain of its merges does not end at an order that is not",
        (
            "SELECT number FROM orders WHERE (merged_into_id IS NOT NULL OR state = 'merged') AND NOT EXISTS ("
            "SELECT FROM orders AS last WHERE last.id = end_of_merges(orders.merged_into_id) "
            "AND last.state <> 'merged') ORDER BY id"
        ),
    ),
    (
        "order {0} was merged, and its caller waits nowhere",
        (
            "SELECT number FROM orders WHERE state = 'merged' AND NOT EXISTS ("
            "SELECT FROM order_callers WHERE home_id = orders.id AND is_own) ORDER BY id"
        ),
    ),
    (
        "caller {0} called about order {1} and waits for order {2}, where that one has not gone",
        (
            "SELECT caller.id, home.number, place.number FROM order_callers AS caller "
            "JOIN orders AS home ON home.id = caller.home_id JOIN orders AS place ON place.id = caller.order_id "
            "WHERE end_of_merges(caller.home_id) IS DISTINCT FROM caller.order_id ORDER BY caller.id"
        ),
    ),
    (
        "order {0}: {1} rows wait for one caller",
        (
            "SELECT orders.number, count(*) FROM order_callers JOIN orders ON orders.id = order_callers.order_id "
            "WHERE order_callers.left_at IS NULL AND order_callers.phone_index IS NOT NULL "
            "GROUP BY orders.id, order_callers.phone_index HAVING count(*) > 1"
        ),
    ),
    (
        "order {0}: a number that called about it waits nowhere (caller {1})",
        (
            "SELECT orders.number, caller.id FROM order_callers AS caller JOIN orders ON orders.id = caller.order_id "
            "WHERE caller.left_at IS NOT NULL AND caller.phone_index IS NOT NULL "
            "AND caller.phone_index IS DISTINCT FROM orders.phone_index AND NOT EXISTS ("
            "SELECT FROM order_callers AS other WHERE other.order_id = caller.order_id AND other.left_at IS NULL "
            "AND other.phone_index = caller.phone_index) ORDER BY caller.id"
        ),
    ),
    (
        "{0} repeated calls were counted on orders, {1} on their callers",
        (
            "SELECT heard.calls, kept.calls FROM (SELECT coalesce(sum(repeat_calls), 0) AS calls FROM orders) AS heard "
            "CROSS JOIN (SELECT coalesce(sum(calls - is_own::integer), 0) AS calls FROM order_callers) AS kept "
            "WHERE heard.calls <> kept.calls"
        ),
    ),
)


def broken_callers(session: Session) -> Iterator[str]:
    """One line per merge or caller that does not hold."""
    for sentence, query in CHECKS:
        for row in session.execute(text(query)):
            yield sentence.format(*row)
