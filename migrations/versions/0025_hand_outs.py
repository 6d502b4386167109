"""Hand-outs at the counter: points, months, reservations, signatures; what is reserved is promised to nobody else."""

from pathlib import Path

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "hand_outs.sql"


def upgrade() -> None:
    """Make the tables with their fences and guards, and the reserved part of a balance."""
    op.get_bind().connection.driver_connection.execute(SQL.read_text(encoding="utf-8"))


def downgrade() -> None:
    """What was handed out is history: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
