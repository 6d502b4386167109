"""What life brings, the visits of 三访 that it raises, and the groups for whom it does."""

from pathlib import Path

from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "life_events.sql"


def upgrade() -> None:
    """Make the tables with their fences."""
    op.get_bind().connection.driver_connection.execute(SQL.read_text(encoding="utf-8"))


def downgrade() -> None:
    """What happened to people is history: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
