"""A line of the bank may be several entries; what no line has yet is kept by itself."""

from pathlib import Path

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "bank_matching.sql"


def upgrade() -> None:
    """Let a line have several entries, and know the entries that have none."""
    op.get_bind().connection.driver_connection.execute(SQL.read_text(encoding="utf-8"))


def downgrade() -> None:
    """A line with several entries has no place in what was before: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
