"""Vouchers: grants, accounts, paper cards, redemptions, refunds and settlements."""

from pathlib import Path

from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "vouchers.sql"


def upgrade() -> None:
    """Make the tables, their fences, and what holds them to the journal."""
    op.get_bind().connection.driver_connection.execute(SQL.read_text(encoding="utf-8"))


def downgrade() -> None:
    """What was granted and redeemed is history: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
