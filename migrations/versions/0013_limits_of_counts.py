"""A limit counts in the figures from when it was met or has passed: the order is counted again then."""

from pathlib import Path

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "limits_of_counts.sql"


def upgrade() -> None:
    """Make the columns, and have every order with an open limit counted again."""
    op.get_bind().connection.driver_connection.execute(SQL.read_text(encoding="utf-8"))


def downgrade() -> None:
    """The totals would hold counts of another rule: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
