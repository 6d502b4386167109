"""Alarm devices are watched: who was last sent to one, and a minute's periods that go after some days."""

from pathlib import Path

from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "alarm_watch.sql"


def upgrade() -> None:
    """Rename the column and widen what clears periods away."""
    op.get_bind().connection.driver_connection.execute(SQL.read_text(encoding="utf-8"))


def downgrade() -> None:
    """What was reported is history: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
