"""Money: what was asked and approved is what was booked, and the bank's months are their lines and their entries.

That no account was ever below zero is proven by the journal's own walk (services/funds/verify.py).
"""

from collections.abc import Iterator

from sqlalchemy.orm import Session

from dispatch.services.reports.verify.asked import said

OTHERWISE = """
    SELECT s.id FROM spendings AS s LEFT JOIN entries AS e ON e.id = s.entry_id WHERE s.state = 'booked' AND (
        e.id IS NULL OR (e.community_id, e.kind) <> (s.community_id, s.kind) OR e.approved_by = e.made_by
        OR (e.made_by, e.made_by_key, e.approved_by, e.purpose, e.reverses_id)
            IS DISTINCT FROM (s.asked_by, s.asked_by_key, s.decided_by, s.purpose, s.reverses_id)
    ) ORDER BY 1
"""
ANOTHER_AMOUNT = """
    SELECT id FROM (
        SELECT s.id, (wish ->> 0)::bigint AS fund_id, (wish ->> 1)::bigint AS earmark_id, place.holding_id,
            (wish ->> 2)::bigint AS amount, 0::bigint AS booked
        FROM spendings AS s, jsonb_array_elements(coalesce(s.counted,
            jsonb_build_array(jsonb_build_array(s.fund_id, s.earmark_id, -s.amount_fen)))) AS wish,
            (VALUES (true), (false)) AS side (lies),
            LATERAL (SELECT CASE WHEN lies THEN s.holding_id END AS holding_id) AS place
        WHERE s.state = 'booked' AND s.kind <> 'reversal'
        UNION ALL
        SELECT s.id, a.fund_id, a.earmark_id, a.holding_id, 0, l.amount
        FROM spendings AS s JOIN entry_lines AS l ON l.entry_id = s.entry_id JOIN accounts AS a ON a.id = l.account_id
        WHERE s.state = 'booked' AND s.kind <> 'reversal'
    ) AS both_of GROUP BY id, fund_id, earmark_id, holding_id HAVING sum(amount) <> sum(booked) ORDER BY 1
"""
UNASKED = """
    SELECT e.id FROM entries AS e LEFT JOIN spendings AS s ON s.entry_id = e.id
    WHERE e.origin = 'funds.spending' AND (s.id, s.state) IS DISTINCT FROM (e.origin_id, 'booked') ORDER BY 1
"""
AS_OF = """(
    SELECT (p.value #>> '{{}}')::bigint FROM policies AS p JOIN organisations AS o ON p.organisation_id = ANY (o.path)
    WHERE o.id = e.community_id AND p.key = 'funds.{}' AND p.valid_from <= e.posted_at
    ORDER BY array_position(o.path, p.organisation_id) DESC, p.valid_from DESC, p.id DESC LIMIT 1)"""
"""A policy as it was when an entry was posted."""
BY_HAND = """{0}.kind IN ('spend', 'given_back') AND {0}.approved_by IS NULL
    AND num_nonnulls({0}.made_by, {0}.made_by_key) > 0"""
ALONE = f"""
    SELECT e.id FROM entries AS e WHERE {BY_HAND.format("e")} AND (
        SELECT -sum(l.amount) FROM entries AS other JOIN entry_lines AS l ON l.entry_id = other.id
            JOIN accounts AS a ON a.id = l.account_id AND a.side = 'custody' AND a.commodity = 'fen'
        WHERE other.community_id = e.community_id AND other.kind = e.kind
            AND other.purpose IS NOT DISTINCT FROM e.purpose AND {BY_HAND.format("other")} AND other.seq <= e.seq
            AND other.posted_on > e.posted_on - coalesce({AS_OF.format("add_up_days")}, 1)::integer
            AND NOT EXISTS (SELECT FROM entries AS back WHERE back.reverses_id = other.id AND back.seq < e.seq)
    ) > {AS_OF.format("approve_above_fen")} ORDER BY 1
"""  # noqa: S608 - our own words
"""Many sums just under the amount are one sum above it, as they were when the last of them was booked."""
UNEQUAL = """
    SELECT line.id FROM bank_lines AS line JOIN bank_matches AS m ON m.bank_line_id = line.id
        JOIN bank_statements AS month ON month.id = line.statement_id
        LEFT JOIN (entry_lines AS l JOIN accounts AS a ON a.id = l.account_id)
            ON l.entry_id = m.entry_id AND a.holding_id = m.holding_id
    GROUP BY line.id, line.amount_fen, month.holding_id
    HAVING coalesce(sum(l.amount), 0) <> line.amount_fen OR max(m.holding_id) <> month.holding_id
        OR min(m.holding_id) <> month.holding_id ORDER BY 1
"""
TWICE = """
    SELECT entry_id FROM bank_matches GROUP BY holding_id, entry_id HAVING count(*) > 1 ORDER BY 1
"""
MONTHS = """
    SELECT month.id FROM bank_statements AS month LEFT JOIN bank_lines AS line ON line.statement_id = month.id
    WHERE month.replaced_at IS NULL GROUP BY month.id
    HAVING month.opening_fen + coalesce(sum(line.amount_fen), 0) <> month.closing_fen ORDER BY 1
"""
FOLLOWS = """
    SELECT id FROM (
        SELECT id, opening_fen, confirmed_at, lag(closing_fen) OVER months AS before FROM bank_statements
        WHERE replaced_at IS NULL WINDOW months AS (PARTITION BY holding_id ORDER BY month)
    ) AS month WHERE confirmed_at IS NOT NULL AND opening_fen <> before ORDER BY 1
"""
OPEN = """
    SELECT entry_id FROM (
        SELECT holding_id, coalesce(reverses_id, entry_id) AS entry_id, fen, 0 AS at_bank FROM bank_open_entries
        UNION ALL
        SELECT a.holding_id, coalesce(e.reverses_id, e.id), 0, l.amount
        FROM entries AS e JOIN entry_lines AS l ON l.entry_id = e.id
            JOIN accounts AS a ON a.id = l.account_id AND a.holding_kind = 'bank'
            LEFT JOIN entries AS first ON first.id = e.reverses_id
            LEFT JOIN bank_matches AS m ON m.entry_id = e.id AND m.holding_id = a.holding_id
        WHERE e.kind <> 'opening' AND first.kind IS DISTINCT FROM 'opening' AND m.entry_id IS NULL
    ) AS both_of GROUP BY holding_id, entry_id HAVING sum(fen) <> sum(at_bank) ORDER BY 1
"""
SENTENCES = (
    (OTHERWISE, "spending {}: its entry is not what was asked and approved"),
    (ANOTHER_AMOUNT, "spending {}: its entry moves another amount, or elsewhere"),
    (UNASKED, "entry {}: nobody has asked for it as it says"),
    (ALONE, "entry {}: more than one person may spend left without another's approval"),
    (UNEQUAL, "line {} of the bank: it is not worth what its entries come to"),
    (TWICE, "entry {}: it stands at the bank twice"),
    (MONTHS, "statement {} of the bank: opening and lines are not its closing"),
    (FOLLOWS, "statement {} of the bank: it was confirmed and does not follow the one before"),
    (OPEN, "entry {}: whether it is open at its bank is not what the matches say"),
)


def wrong_money(session: Session) -> Iterator[str]:
    """One line per spending, entry, line or month of the bank whose rows do not agree; each is asked of all at once."""
    yield from said(session, SENTENCES)
