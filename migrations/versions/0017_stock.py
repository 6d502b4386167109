"""The stock of the love supermarket: goods, facilities, lots, movements, counts, rounds, disposals, recalls."""

from pathlib import Path

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"
PARTS = ("stock_rules.sql", "stock.sql", "stock_fences.sql")


def upgrade() -> None:
    """Make what dates mean, the tables, and the fences."""
    for part in PARTS:
        op.get_bind().connection.driver_connection.execute((SQL / part).read_text(encoding="utf-8"))


def downgrade() -> None:
    """What was given and destroyed is history: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
