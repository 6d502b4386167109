"""What one has written oneself, or what is above the amount, is taken back by two people."""

from pathlib import Path

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "reversals.sql"


def upgrade() -> None:
    """Let reversals wait like spending, and refuse one that nobody else has approved."""
    op.get_bind().connection.driver_connection.execute(SQL.read_text(encoding="utf-8"))


def downgrade() -> None:
    """Who approved what is history: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
