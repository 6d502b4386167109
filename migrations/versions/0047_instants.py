"""What is written down now says that it is now: nothing is back-dated within its day."""

from pathlib import Path

from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "instants.sql"


def upgrade() -> None:
    """Hold the instants of hand-outs, gifts, receipts, cards and entries to the clock of the database."""
    op.get_bind().connection.driver_connection.execute(SQL.read_text(encoding="utf-8"))


def downgrade() -> None:
    """Back-dating is not wanted back: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
