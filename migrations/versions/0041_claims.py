"""Named accounts of the journal: what is kept for a person by a voucher, what is owed to a firm that took some."""

from pathlib import Path

from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "claims.sql"


def upgrade() -> None:
    """Tell named accounts from wishes, with the kinds of entries that touch them and what refuses the others."""
    op.get_bind().connection.driver_connection.execute(SQL.read_text(encoding="utf-8"))


def downgrade() -> None:
    """What was granted and redeemed is history: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
