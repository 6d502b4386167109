"""Yearly rounds and relief shipments."""

from pathlib import Path

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "rounds.sql"


def upgrade() -> None:
    """Make the tables and their fences."""
    op.get_bind().connection.driver_connection.execute(SQL.read_text(encoding="utf-8"))


def downgrade() -> None:
    """What people were brought is history: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
