"""Counselling: times that nobody takes twice, and notes that open with a key that is not here."""

from pathlib import Path

from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "counselling.sql"


def upgrade() -> None:
    """Make the tables, with their fences."""
    op.get_bind().connection.driver_connection.execute(SQL.read_text(encoding="utf-8"))


def downgrade() -> None:
    """What was written in confidence has no place in what was before: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
