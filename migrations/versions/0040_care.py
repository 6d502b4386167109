"""Care: programmes, enrolments and helpers, duties with their periods, what came of visits and calls, calendars."""

from pathlib import Path

from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "care.sql"


def upgrade() -> None:
    """Make the tables with their fences and guards."""
    op.get_bind().connection.driver_connection.execute(SQL.read_text(encoding="utf-8"))


def downgrade() -> None:
    """Who was visited and who was not is history: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
