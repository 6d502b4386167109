"""The statements by which benchmarks/ledger.py makes what follows from entries and hand-outs."""

from typing import Any

UNITS = ("fen", "gram", "piece")

BENEFICIARIES = """
INSERT INTO beneficiaries (id, community_id, household_id)
SELECT %(base)s + id, community_id, id FROM households AS h WHERE community_id = %(community)s AND NOT EXISTS (
    SELECT FROM beneficiaries AS b LEFT JOIN residents AS r ON r.id = b.resident_id
    WHERE h.id IN (b.household_id, r.household_id))
"""
CARDS = """
WITH made AS (
    INSERT INTO cards (id, community_id, beneficiary_id, number, token_hash)
    SELECT id, community_id, id, id, sha256(id::text::bytea) FROM beneficiaries
    WHERE id > %(base)s AND community_id = %(community)s RETURNING id, beneficiary_id
) SELECT made.id, b.household_id INTO TEMP bench_cards FROM made JOIN beneficiaries AS b ON b.id = made.beneficiary_id
"""
PLACE = """
SELECT f.id, f.holding_id, (SELECT id FROM holdings WHERE community_id = %(community)s AND kind = 'bank'),
    (SELECT id FROM funds WHERE community_id = %(community)s AND code = 'general'),
    (SELECT user_id FROM keepers WHERE facility_id = f.id AND until IS NULL LIMIT 1),
    (SELECT min(posted_on) - 1 FROM entries WHERE community_id = %(community)s)
FROM facilities AS f WHERE f.community_id = %(community)s AND f.kind = 'love_market'
"""
ACCOUNTS = """
SELECT a.commodity, a.holding_id IS NULL, a.id FROM accounts AS a JOIN funds ON funds.id = a.fund_id
LEFT JOIN facilities AS f ON f.holding_id = a.holding_id
WHERE a.community_id = %(community)s AND funds.code = 'general' AND a.earmark_id IS NULL
AND (a.holding_id IS NULL OR a.holding_kind = 'bank' OR f.kind = 'love_market')
"""
COPY_ENTRIES = """COPY entries (id, community_id, seq, previous, digest, kind, posted_on, posted_at, happened_on,
    line_count, purpose, origin, origin_id, made_by, facts) FROM STDIN"""
COPY_HAND_OUTS = """COPY hand_outs (id, uid, community_id, facility_id, card_id, household_id, month, points, list_hash,
    state, reserved_by, reserved_at, reserved_until, signed_at, way, signature, recorded_by, recorded_at) FROM STDIN"""
MAKE_ROOM = "UPDATE entries SET seq = seq + 1000000000 WHERE community_id = %(community)s"
RELINK = "UPDATE entries SET seq = %(seq)s, previous = %(previous)s, digest = %(digest)s WHERE id = %(id)s"

ENTRY_LINES = """
INSERT INTO entry_lines (entry_id, account_id, community_id, amount)
SELECT e.id, a.id, e.community_id, CASE a.commodity WHEN 'fen' THEN %(fen)s WHEN 'gram' THEN %(grams)s ELSE 1 END
    * CASE WHEN e.kind = 'hand_out' THEN -1 WHEN a.commodity = 'fen' THEN 1 ELSE %(hand_outs)s END
FROM entries AS e JOIN accounts AS a ON a.id = ANY(%(accounts)s)
    AND (a.commodity = 'fen') = (e.origin = 'market.gift')
WHERE e.id > %(base)s AND e.community_id = %(community)s ORDER BY e.id, a.id
"""
STOCK_MOVES = """
INSERT INTO stock_moves (id, community_id, kind, facility_id, entry_id, signed_on, movement_count, origin, origin_id,
    moved_by, moved_at)
SELECT id, community_id, facts ->> 'move', %(facility)s, id, posted_on, 2,
    CASE kind WHEN 'hand_out' THEN 'market.hand_out' END, CASE kind WHEN 'hand_out' THEN id END, made_by, posted_at
FROM entries WHERE id > %(base)s AND origin = 'market.move' ORDER BY id
"""
MOVEMENTS = """
INSERT INTO movements (community_id, move_id, lot_id, facility_id, spot, amount, last_good_day)
SELECT e.community_id, e.id, (p ->> 0)::bigint, (p ->> 1)::bigint, p ->> 2, (p ->> 3)::bigint, (p ->> 5)::date
FROM entries AS e CROSS JOIN LATERAL jsonb_array_elements(e.facts -> 'pieces') AS p
WHERE e.id > %(base)s AND e.origin = 'market.move' ORDER BY e.id
"""
LOTS = """
INSERT INTO lots (id, community_id, goods_id, is_food, commodity, fund_id, expires_on, received_on)
SELECT m.lot_id, s.community_id, g.id, g.is_food, g.commodity, %(fund)s,
    CASE WHEN g.is_food THEN m.last_good_day - %(until)s END, s.signed_on
FROM stock_moves AS s JOIN movements AS m ON m.move_id = s.id
JOIN goods AS g ON g.community_id = s.community_id
    AND g.code = CASE WHEN m.last_good_day IS NULL THEN 'towel' ELSE 'rice' END
WHERE s.id > %(base)s AND s.kind = 'receive' ORDER BY m.lot_id
"""
LOT_BALANCES = """
INSERT INTO lot_balances (lot_id, facility_id, spot, community_id, amount)
SELECT id, %(facility)s, 'shelf', community_id, 0 FROM lots WHERE id >= %(base)s
"""
HAND_OUT_LINES = """
INSERT INTO hand_out_lines (hand_out_id, lot_id, spot, community_id, facility_id, goods_id, amount, points)
SELECT m.move_id, m.lot_id, m.spot, m.community_id, m.facility_id, lots.goods_id, -m.amount, lots.is_food::int
FROM movements AS m JOIN lots ON lots.id = m.lot_id WHERE m.move_id > %(base)s AND m.amount < 0 ORDER BY m.move_id
"""
MONTHS = """
INSERT INTO household_months (household_id, month, community_id, allowed, used)
SELECT household_id, month, community_id, greatest(sum(points), 100), sum(points) FROM hand_outs WHERE id > %(base)s
GROUP BY 1, 2, 3
"""
BENEFITS = """
INSERT INTO benefits (community_id, household_id, programme, given_on, origin, origin_id)
SELECT community_id, household_id, 'supermarket', (signed_at AT TIME ZONE 'Asia/Shanghai')::date, 'market.hand_out', id
FROM hand_outs WHERE id > %(base)s ORDER BY id
"""
GIFTS = """
INSERT INTO gifts (id, uid, community_id, way, fund_id, is_named, happened_on, received_by, received_at)
SELECT id, gen_random_uuid(), community_id, 'desk', %(fund)s, false, posted_on, made_by, posted_at FROM entries
WHERE id > %(base)s AND origin = 'market.gift' ORDER BY id
"""
GIFT_LINES = """
INSERT INTO gift_lines (id, community_id, gift_id, position, item, commodity, amount, entry_id)
SELECT id, community_id, id, 1, '捐款', 'fen', %(fen)s, id FROM gifts WHERE id > %(base)s ORDER BY id
"""
RECEIPTS = """
INSERT INTO receipts (id, uid, community_id, year, number, entry_id, received_from, issued_by, issued_at)
SELECT e.id, gen_random_uuid(), e.community_id, extract(year FROM e.posted_on),
    coalesce(s.newest, 0) + row_number() OVER (PARTITION BY extract(year FROM e.posted_on) ORDER BY e.id), e.id,
    'nobody', e.made_by, e.posted_at FROM entries AS e
LEFT JOIN receipt_series AS s ON s.community_id = e.community_id AND s.year = extract(year FROM e.posted_on)
WHERE e.id > %(base)s AND e.origin = 'market.gift'
"""
SERIES = """
INSERT INTO receipt_series (community_id, year, newest) SELECT community_id, year, max(number) FROM receipts
WHERE community_id = %(community)s GROUP BY 1, 2
ON CONFLICT (community_id, year) DO UPDATE SET newest = excluded.newest
"""
OPEN_AT_THE_BANK = """
INSERT INTO bank_open_entries (holding_id, entry_id, community_id, happened_on, fen)
SELECT %(bank)s, id, community_id, happened_on, %(fen)s FROM entries
WHERE id > %(base)s AND origin = 'market.gift' AND posted_on > %(last_day)s - 30
"""
BALANCES = """
UPDATE balances AS b SET amount = l.amount FROM (
    SELECT account_id, sum(amount) AS amount FROM entry_lines GROUP BY 1
) AS l WHERE l.account_id = b.account_id
"""
HEAD = """
UPDATE journal_heads SET seq = %(seq)s, digest = %(digest)s WHERE community_id = %(community)s
"""
IDS = """
SELECT setval('entries_id_seq', %(after)s), setval('hand_outs_id_seq', %(after)s), setval('gifts_id_seq', %(after)s),
    setval('stock_moves_id_seq', %(after)s), setval('gift_lines_id_seq', %(after)s), setval('lots_id_seq', %(after)s),
    setval('receipts_id_seq', %(after)s), setval('cards_id_seq', %(after)s), setval('beneficiaries_id_seq', %(after)s)
"""
DERIVED = (
    ENTRY_LINES,
    STOCK_MOVES,
    MOVEMENTS,
    LOTS,
    LOT_BALANCES,
    HAND_OUT_LINES,
    MONTHS,
    BENEFITS,
    GIFTS,
    GIFT_LINES,
    RECEIPTS,
    SERIES,
    OPEN_AT_THE_BANK,
    BALANCES,
    HEAD,
    IDS,
)


def asked_of(shop: Any, link: Any) -> dict[str, Any]:
    """The parameters of the statements that hang on the place and the chain."""
    return {
        "community": shop.community,
        "facility": shop.facility,
        "bank": shop.bank,
        "fund": shop.fund,
        "accounts": sorted(shop.accounts.values()),
        "last_day": shop.last_day,
        "until": shop.until.days,
        "seq": link.seq,
        "digest": link.digest,
    }
