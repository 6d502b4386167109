"""A firm's own system has a key; what a key asks for of vouchers is known as the key's; a frozen one may be thawed."""

from pathlib import Path

from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "voucher_doors.sql"


def upgrade() -> None:
    """Add the columns and let a frozen voucher be thawed."""
    op.get_bind().connection.driver_connection.execute(SQL.read_text(encoding="utf-8"))


def downgrade() -> None:
    """Who asked for what is history: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
