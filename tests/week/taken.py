"""How often each side path was taken, as the books have it: one plain question each, whoever tells what."""


def steps(condition: str) -> str:
    """So many steps in the histories."""
    people = "order_id IN (SELECT id FROM orders WHERE NOT is_canary)"
    return f"SELECT count(*) FROM order_events WHERE {people} AND {condition}"


def orders(condition: str) -> str:
    """So many orders of people."""
    return f"SELECT count(*) FROM orders WHERE NOT is_canary AND {condition}"


def asked(condition: str) -> str:
    """So many requests."""
    return f"SELECT count(*) FROM order_requests WHERE {condition}"


def answers(outcome: str) -> str:
    """So many of those who were asked ended so."""
    return f"SELECT count(*) FROM offer_recipients WHERE outcome = '{outcome}'"


TAKEN: dict[str, str] = {
    "declined": answers("declined"),
    "lapsed": answers("lapsed"),
    "five rounds used up": steps("action = 'round_failed' AND facts ->> 'reason' = 'rounds_used_up'"),
    "given by hand": steps("action = 'open_round' AND facts ? 'by_hand'"),
    "place settled": "SELECT count(*) FROM audit_entries WHERE action = 'orders.settle_place'",
    "given back": steps("action = 'withdraw_performer'"),
    "urged": steps("action = 'urge' AND actor_kind <> 'clock'"),
    "called again": steps("action = 'repeat_call'"),
    "return upheld": steps("action = 'return_to_desk'"),
    "return refused": asked("kind = 'return' AND state = 'refused'"),
    "return refused twice": (
        "SELECT count(*) FROM (SELECT order_id FROM order_requests WHERE kind = 'return' AND state = 'refused' "
        "GROUP BY order_id HAVING count(*) > 1) AS twice"
    ),
    "extended": steps("action = 'extend'"),
    "hold ended by the clock": steps("action = 'resume' AND actor_kind = 'clock'"),
    "hold ended by hand": steps("action = 'resume' AND actor_kind = 'centre'"),
    "helped": steps("action = 'help_done'"),
    "rerouted": asked("kind = 'reroute' AND state = 'granted'"),
    "final answer": steps("action = 'final_answer'"),
    "supervision ended": steps("action = 'end_supervision'"),
    "supervised by the centre": steps("action = 'supervise' AND actor_kind = 'centre'"),
    "supervised by the clock": steps("action = 'supervise' AND actor_kind = 'clock'"),
    "answered directly": steps("action = 'answer_directly'"),
    "asked whether it was useful": "SELECT count(*) FROM knowledge_uses WHERE asked_at IS NOT NULL",
    "merged": steps("action = 'merge'"),
    "unmerged": steps("action = 'unmerge'"),
    "split": orders("split_from_id IS NOT NULL"),
    "voided by two": steps("action = 'void' AND NOT (facts ->> 'by_resident')::boolean"),
    "voided by the resident": steps("action = 'void' AND (facts ->> 'by_resident')::boolean"),
    "confidential": orders("confidential"),
    "done again": orders("reopened > 0"),
    "done again twice": orders("reopened > 1"),
    "unreached": steps("action = 'close' AND facts ->> 'outcome' = 'unreached'"),
    "booked": orders("wanted_from IS NOT NULL"),
    "emergency": orders("urgency = 'emergency'"),
    "lost to a faster one": answers("lost"),
    "told the performer": steps("action = 'escalate' AND facts ->> 'audience' = 'performer'"),
    "told the team head": steps("action = 'escalate' AND facts ->> 'audience' = 'team_head'"),
    "told the area chief": steps("action = 'escalate' AND facts ->> 'audience' = 'area_chief'"),
    "told the centre": steps("action = 'escalate' AND facts ->> 'audience' = 'centre'"),
    "told supervision": steps("action = 'escalate' AND facts ->> 'audience' = 'supervision'"),
    "told by levels of its kind": steps(
        "action = 'escalate' AND facts ->> 'audience' = 'supervision' AND facts ->> 'level' = '3'"
    ),
    "told together in a digest": "SELECT count(*) FROM notices WHERE template = 'escalations'",
    "complaint raised": "SELECT count(*) FROM complaints",
    "complaint answered by the firm": "SELECT count(*) FROM complaints WHERE answered_at IS NOT NULL",
    "complaint decided": "SELECT count(*) FROM complaints WHERE state IN ('upheld', 'rejected')",
    "limits after a calendar's correction": steps("action = 'recompute'"),
    "firm suspended": "SELECT count(*) FROM firm_decisions WHERE action = 'suspend'",
    "suspension lifted": "SELECT count(*) FROM firm_decisions WHERE action = 'lift'",
    "paper given up": "SELECT count(*) FROM papers WHERE given_up_at IS NOT NULL",
    "visit of a schedule": orders("origin = 'care.visit' AND state IN ('closed', 'archived')"),
}
"""Each path by its name."""
