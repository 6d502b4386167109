"""Who may be given something by the love supermarket: applications, decisions, cards, what was given."""

from pathlib import Path

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "beneficiaries.sql"


def upgrade() -> None:
    """Make the tables with their fences and guards."""
    op.get_bind().connection.driver_connection.execute(SQL.read_text(encoding="utf-8"))


def downgrade() -> None:
    """What was decided about people is history: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
