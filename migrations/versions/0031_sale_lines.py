"""What was brought to a charity sale and how much of it was sold."""

from pathlib import Path

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "sale_lines.sql"


def upgrade() -> None:
    """Make the table and its fences; own goods may be on their way to a sale."""
    op.get_bind().connection.driver_connection.execute(SQL.read_text(encoding="utf-8"))


def downgrade() -> None:
    """What was sold is history: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
