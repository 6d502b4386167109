"""The journal: funds, holdings, accounts with balances, entries in a chain and their lines."""

from pathlib import Path

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "journal.sql"


def upgrade() -> None:
    """Make the tables, the fences and what keeps the journal right."""
    op.get_bind().connection.driver_connection.execute(SQL.read_text(encoding="utf-8"))


def downgrade() -> None:
    """What was given and spent is history: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
