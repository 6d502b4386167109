"""Figures: every changed order is counted by itself into totals that any report is a sum of."""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

FIGURES = Path(__file__).parent.parent / "sql" / "figures.sql"


def upgrade() -> None:
    """Make the tables, the trigger and the fences; the daily figures that nobody read go."""
    op.get_bind().connection.driver_connection.execute(FIGURES.read_text(encoding="utf-8"))


def downgrade() -> None:
    """The daily figures cannot be told from these: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
