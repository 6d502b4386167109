"""Money that is taken over above the amount is counted by one and approved by another."""

from pathlib import Path

from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "openings.sql"


def upgrade() -> None:
    """Let what was counted wait like spending, and refuse an opening that nobody else has approved."""
    op.get_bind().connection.driver_connection.execute(SQL.read_text(encoding="utf-8"))


def downgrade() -> None:
    """Who approved what is history: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
