"""The sheet of an order: every fact that a figure asks of it, read anew from the order and its history."""

from typing import Final

from dispatch.rules.orders.callers import WORST_FIRST

LOCAL_DAY: Final = "({} AT TIME ZONE 'Asia/Shanghai')::date"
OPEN: Final = "CASE WHEN NOT orders.confidential THEN {} END"
"""What a count tells of an order that is not confidential only: a total of one day and one kind is one order."""
KEPT: Final = "orders.state NOT IN ('voided', 'merged', 'answered')"
UNDECIDED: Final = f"CASE WHEN {KEPT} AND {{due}} >= :now THEN 'not_due' ELSE 'open' END"
"""Not due yet, or open; what nobody owes any more is never due, so its sheet does not change when a limit passes."""
IN_TIME: Final = f"CASE WHEN {{at}} IS NULL THEN {UNDECIDED} WHEN {{at}} <= {{due}} THEN 'in_time' ELSE 'late' END"
STILL_TO_COME: Final = "CASE WHEN {undecided} AND {due} >= :now THEN {due} END"
"""A limit that decides something when it passes, and has not passed yet."""
BY_HAND: Final = "action IN ('dispatch', 'open_round', 'reassign') AND (action = 'reassign' OR facts ? 'by_hand')"
BY_ROUTER: Final = "action IN ('open_round', 'next_round') AND NOT facts ? 'by_hand'"

LIMITS: Final = (
    ("lead.signed_at IS NULL", "lead.sign_due_at"),
    ("orders.arrived_at IS NULL", "orders.arrive_due_at"),
    ("NOT is_closed", "orders.civic_due_at"),
)
"""The limits that figures are due by, each while it has not been met."""
WORST: Final = ", ".join(f"'{step}'" for step in WORST_FIRST)

COLUMNS: Final[dict[str, str]] = {
    "order_id": "orders.id",
    "community_id": "orders.community_id",
    "version": "orders.version",
    "area_id": "orders.area_id",
    "building_id": OPEN.format("orders.building_id"),
    "stairwell_id": OPEN.format("orders.stairwell_id"),
    "service_id": OPEN.format("orders.service_id"),
    "lead_team_id": "orders.lead_team_id",
    "accountable_team_id": "orders.accountable_team_id",
    "performer_id": "coalesce(orders.performer_id, history.performer_id)",
    "first_lead_team_id": "history.lead_team_id",
    "first_accountable_team_id": "history.accountable_team_id",
    "first_performer_id": "first_round.performer_id",
    "fate": "CASE WHEN orders.state IN ('voided', 'merged', 'answered') THEN orders.state ELSE 'kept' END",
    "placed_at": "orders.created_at",
    "placed_on": LOCAL_DAY.format("orders.created_at"),
    "placed_hour": "extract(hour FROM orders.created_at AT TIME ZONE 'Asia/Shanghai')::smallint",
    "dispatched_on": LOCAL_DAY.format("history.dispatched_at"),
    "sign_due_on": LOCAL_DAY.format("lead.sign_due_at"),
    "offered_on": LOCAL_DAY.format("first_round.opened_at"),
    "arrive_due_on": LOCAL_DAY.format("orders.arrive_due_at"),
    "due_on": LOCAL_DAY.format("orders.civic_due_at"),
    "finished_on": LOCAL_DAY.format("history.finished_at"),
    "closed_on": f"CASE WHEN is_closed THEN {LOCAL_DAY.format('history.closed_at')} END",
    "called_on": LOCAL_DAY.format("callback.at"),
    "is_repeat": "repeated.is_repeat",
    "is_returned": "history.is_returned",
    "is_rerouted": "history.is_rerouted",
    "is_overridden": "coalesce(history.hand_version > history.router_version, false)",
    "signing": (
        "CASE WHEN lead.signed_at = lead.assigned_at THEN 'by_house' ELSE "
        + IN_TIME.format(at="lead.signed_at", due="lead.sign_due_at")
        + " END"
    ),
    "first_round": "coalesce(first_round.outcome, 'open')",
    "rounds": "coalesce(first_round.rounds, 0)",
    "accept_seconds": "extract(epoch FROM history.accepted_at - first_round.opened_at)::integer",
    "arrival": IN_TIME.format(at="orders.arrived_at", due="orders.arrive_due_at"),
    "closing": (
        f"CASE WHEN is_closed THEN {IN_TIME.format(at='history.closed_at', due='orders.civic_due_at')} "
        f"ELSE {UNDECIDED.format(due='orders.civic_due_at')} END"
    ),
    "answering": (
        f"CASE WHEN is_answered THEN {IN_TIME.format(at='history.answered_at', due='orders.civic_due_at')} "
        f"ELSE {UNDECIDED.format(due='orders.civic_due_at')} END"
    ),
    "is_reached": "coalesce(callback.reached, false)",
    "is_final": "history.is_final",
    "is_contacted": "coalesce(callback.contacted, false)",
    "is_solved": "coalesce(callback.solved, false)",
    "satisfaction": "CASE WHEN callback.reached THEN callback.satisfaction END",
    "is_reopened": "history.is_reopened",
    "count_again_at": (
        f"CASE WHEN {KEPT} THEN least("
        + ", ".join(STILL_TO_COME.format(undecided=undecided, due=due) for undecided, due in LIMITS)
        + ") END"
    ),
}
"""The columns of order_counts, each with where it comes from."""

STATES: Final = (
    "CROSS JOIN LATERAL (SELECT orders.state IN ('closed', 'archived') AS is_closed, "
    "orders.state IN ('fed_back', 'calling_back', 'closed', 'archived') AS is_answered) AS states "
)
HISTORY: Final = (
    "CROSS JOIN LATERAL (SELECT "
    "min(at) FILTER (WHERE action = 'dispatch') AS dispatched_at, "
    "(array_agg((facts ->> 'lead')::bigint ORDER BY version) FILTER (WHERE action = 'dispatch'))[1] AS lead_team_id, "
    "(array_agg((facts ->> 'accountable')::bigint ORDER BY version) FILTER (WHERE action = 'dispatch'))[1] "
    "AS accountable_team_id, "
    "(array_agg(event.performer_id ORDER BY version DESC) FILTER (WHERE action = 'accept'))[1] AS performer_id, "
    "min(at) FILTER (WHERE action = 'accept') AS accepted_at, "
    "max(at) FILTER (WHERE action = 'finish') AS finished_at, "
    "max(at) FILTER (WHERE action IN ('feed_back', 'final_answer')) AS answered_at, "
    "max(at) FILTER (WHERE action = 'close') AS closed_at, "
    f"max(version) FILTER (WHERE {BY_HAND}) AS hand_version, "
    f"min(version) FILTER (WHERE {BY_ROUTER}) AS router_version, "
    "coalesce(bool_or(action = 'return_to_desk'), false) AS is_returned, "
    "coalesce(bool_or(action = 'reassign'), false) AS is_rerouted, "
    "coalesce(bool_or(action = 'reopen'), false) AS is_reopened, "
    "coalesce(bool_or(action = 'final_answer'), false) AS is_final "
    "FROM order_events AS event WHERE event.order_id = orders.id) AS history "
)
LEAD: Final = (
    "LEFT JOIN LATERAL (SELECT assigned_at, signed_at, sign_due_at FROM assignments "
    "WHERE assignments.order_id = orders.id AND role = 'lead' ORDER BY cycle DESC, id DESC LIMIT 1) AS lead ON true "
)
FIRST_ROUND: Final = (
    "LEFT JOIN LATERAL (SELECT offers.opened_at, offers.outcome, "
    "(SELECT count(*) FROM offers AS each WHERE each.order_id = orders.id)::smallint AS rounds, "
    "(SELECT CASE WHEN count(*) = 1 THEN min(asked.performer_id) "
    "ELSE min(asked.performer_id) FILTER (WHERE asked.outcome = 'accepted') END "
    "FROM offer_recipients AS asked WHERE asked.offer_id = offers.id) AS performer_id "
    "FROM offers WHERE offers.order_id = orders.id ORDER BY offers.round LIMIT 1) AS first_round ON true "
)
CALLBACK: Final = (
    # one order stands once in V, however many called about it: the worst answer of its callers in the last cycle
    # in which anybody was reached decides (rules/orders/callers.worst)
    "LEFT JOIN LATERAL (SELECT coalesce(max(at) FILTER (WHERE reached), max(at)) AS at, bool_or(reached) AS reached, "
    "bool_and(contacted) FILTER (WHERE reached) AS contacted, bool_and(solved) FILTER (WHERE reached) AS solved, "
    f"(array_agg(satisfaction ORDER BY array_position(ARRAY[{WORST}], satisfaction)) "
    "FILTER (WHERE reached AND satisfaction IS NOT NULL))[1] AS satisfaction FROM callbacks "
    "WHERE callbacks.order_id = orders.id GROUP BY cycle ORDER BY bool_or(reached) DESC, cycle DESC LIMIT 1) "
    "AS callback ON true "
)
REPEATED: Final = (
    "CROSS JOIN LATERAL (SELECT NOT orders.confidential AND EXISTS (SELECT FROM order_counts AS before "
    "WHERE before.stairwell_id = orders.stairwell_id AND before.service_id = orders.service_id "
    "AND before.fate NOT IN ('voided', 'merged') "
    "AND (before.placed_at, before.order_id) < (orders.created_at, orders.id) "
    "AND before.placed_at >= orders.created_at - make_interval(days => span.days)) AS is_repeat) AS repeated "
)
SPAN: Final = (
    "JOIN unnest(cast(:communities AS bigint[]), cast(:days AS integer[])) AS span (community_id, days) "
    "ON span.community_id = orders.community_id "
)

FRESH: Final = (
    f"SELECT {', '.join(f'{source} AS {name}' for name, source in COLUMNS.items())} FROM orders "
    f"JOIN services ON services.id = orders.service_id {SPAN}{STATES}{HISTORY}{LEAD}{FIRST_ROUND}{CALLBACK}{REPEATED}"
    "WHERE services.in_figures AND NOT orders.is_canary AND orders.id = ANY (cast(:orders AS bigint[]))"
)
"""The sheets of some orders as they are now (`orders`: their ids; `communities` with `days`: those that count; `now`).

Whatever is of a kind outside the figures, the canary's, of a hidden community or of no community yet has none.
"""
