"""Donors are thanked by e-mail where they left an address for it."""

from pathlib import Path

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "donor_thanks.sql"


def upgrade() -> None:
    """Keep the address, and let a notice of thanks leave the house."""
    op.get_bind().connection.driver_connection.execute(SQL.read_text(encoding="utf-8"))


def downgrade() -> None:
    """An address has no place in what was before: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
