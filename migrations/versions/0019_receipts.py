"""Receipts in numbered series, and the statements of the bank against the journal."""

from pathlib import Path

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "receipts.sql"


def upgrade() -> None:
    """Make the tables, the fences and what keeps them right."""
    op.get_bind().connection.driver_connection.execute(SQL.read_text(encoding="utf-8"))


def downgrade() -> None:
    """Numbers that were given stay given: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
