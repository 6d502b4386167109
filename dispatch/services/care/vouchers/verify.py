"""`dispatch verify` of the vouchers: accounts are the journal's, each redemption is once in it and settled once."""

from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.orm import Session

CHECKS = {
    "voucher {id}: its account holds {held} fen, its redemptions leave {owed}": """
        SELECT vouchers.id, coalesce(sum(balances.amount), 0)::bigint AS held,
            CASE WHEN vouchers.state = 'over' THEN 0 ELSE vouchers.fen - coalesce((
                SELECT sum(fen) FROM voucher_redemptions AS taken
                WHERE taken.voucher_id = vouchers.id AND taken.refunded_at IS NULL), 0) END::bigint AS owed
        FROM vouchers LEFT JOIN accounts ON accounts.earmark_id = vouchers.earmark_id AND accounts.side = 'custody'
        LEFT JOIN balances ON balances.account_id = accounts.id
        WHERE vouchers.state NOT IN ('asked', 'void') GROUP BY vouchers.id
    """,
    "firm {id} in fund {fund}: its account holds {held} fen, {owed} are owed to it": """
        SELECT payee.performer_id AS id, payee.fund_id AS fund, coalesce((
                SELECT sum(balances.amount) FROM accounts JOIN balances ON balances.account_id = accounts.id
                WHERE accounts.earmark_id = payee.earmark_id AND accounts.side = 'custody'), 0)::bigint AS held,
            coalesce((
                SELECT sum(taken.fen) FROM voucher_redemptions AS taken
                JOIN vouchers ON vouchers.id = taken.voucher_id
                JOIN voucher_grants AS granted ON granted.id = vouchers.grant_id AND granted.fund_id = payee.fund_id
                LEFT JOIN voucher_settlements AS settled ON settled.id = taken.settlement_id
                LEFT JOIN spendings ON spendings.id = settled.spending_id AND spendings.state = 'booked'
                WHERE taken.performer_id = payee.performer_id AND taken.refunded_at IS NULL AND (spendings.id IS NULL
                    OR EXISTS (SELECT FROM entries WHERE entries.reverses_id = spendings.entry_id))
            ), 0)::bigint AS owed
        FROM voucher_payees AS payee
    """,
    "entry {id} of a redemption: it moved {held} fen, its redemption says {owed}": """
        SELECT entries.id, coalesce(taken.fen, 0)::bigint AS owed, coalesce((
                SELECT max(abs(line.amount)) FROM entry_lines AS line WHERE line.entry_id = entries.id
            ), 0)::bigint AS held
        FROM entries LEFT JOIN voucher_redemptions AS taken ON taken.entry_id = entries.id
        WHERE entries.kind = 'redeem'
    """,
    "settlement {id}: it asks for {held} fen, its redemptions are {owed}": """
        SELECT settled.id, settled.fen AS held, coalesce(sum(taken.fen), 0)::bigint AS owed
        FROM voucher_settlements AS settled LEFT JOIN voucher_redemptions AS taken ON taken.settlement_id = settled.id
        WHERE settled.ended_at IS NULL GROUP BY settled.id
    """,
}
"""What is said of a difference, and the two sides of each thing that must be equal."""


def broken_vouchers(session: Session) -> Iterator[str]:
    """One line for each account, entry or settlement that does not hold what its redemptions say."""
    for said, check in CHECKS.items():
        unequal = f"SELECT * FROM ({check}) AS both_sides WHERE held <> owed ORDER BY id"  # noqa: S608 - our own words
        for row in session.execute(text(unequal)).mappings():
            yield said.format(**row)
