"""What an event of life did is undone where the event was wrong: enrolments, periods, approvals, cards."""

from pathlib import Path

from alembic import op

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "corrections.sql"


def upgrade() -> None:
    """Let each be undone by a correction, and by nothing else."""
    op.get_bind().connection.driver_connection.execute(SQL.read_text(encoding="utf-8"))


def downgrade() -> None:
    """What was undone is history: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
