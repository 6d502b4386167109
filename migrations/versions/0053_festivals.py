"""Festivals with the elders: each year's event, invitations, helpers, pictures of who consented."""

from pathlib import Path

from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "festivals.sql"


def upgrade() -> None:
    """Make the tables with their fences."""
    op.get_bind().connection.driver_connection.execute(SQL.read_text(encoding="utf-8"))


def downgrade() -> None:
    """Who was invited and came is history: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
