"""Totals by one thing alone beside those of every combination: a report over years is a sum of few rows."""

from pathlib import Path

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "kept_totals.sql"


def upgrade() -> None:
    """Make the columns and fences, and add up what is there."""
    op.get_bind().connection.driver_connection.execute(SQL.read_text(encoding="utf-8"))


def downgrade() -> None:
    """Building and hour cannot be put together again: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
