"""What family far away may see of an elder, by consent, behind a secret link."""

from pathlib import Path

from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "family.sql"


def upgrade() -> None:
    """Make the table and its fence."""
    op.get_bind().connection.driver_connection.execute(SQL.read_text(encoding="utf-8"))


def downgrade() -> None:
    """Who agreed to what is history: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
