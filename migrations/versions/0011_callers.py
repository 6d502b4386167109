"""Callers of orders: repeated calls and merged orders, each called back; merges without circles."""

from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "callers.sql"


def upgrade() -> None:
    """Make the table, the triggers and the fence; a try to call back says whom."""
    op.get_bind().connection.driver_connection.execute(SQL.read_text(encoding="utf-8"))


def downgrade() -> None:
    """Who called and who was called back is history: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
