"""Group services: courses with roster, attendance, certificates and job outcome; the activity log."""

from pathlib import Path

from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "courses.sql"


def upgrade() -> None:
    """Make the tables with their fences."""
    op.get_bind().connection.driver_connection.execute(SQL.read_text(encoding="utf-8"))


def downgrade() -> None:
    """Who was on a roster and holds a certificate is history: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
