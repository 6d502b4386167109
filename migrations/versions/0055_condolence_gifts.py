"""Money that goes with a visit of 三访 is spending of a fund for party care."""

from pathlib import Path

from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "condolence_gifts.sql"


def upgrade() -> None:
    """Add the column with its key."""
    op.get_bind().connection.driver_connection.execute(SQL.read_text(encoding="utf-8"))


def downgrade() -> None:
    """What was asked for a visit is history: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
