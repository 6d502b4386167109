"""Spending above an amount is asked by one person and approved by another before it is booked."""

from pathlib import Path

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "spendings.sql"


def upgrade() -> None:
    """Make the table, its fences, and what refuses an entry that nobody has approved."""
    op.get_bind().connection.driver_connection.execute(SQL.read_text(encoding="utf-8"))


def downgrade() -> None:
    """Who approved what is history: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
