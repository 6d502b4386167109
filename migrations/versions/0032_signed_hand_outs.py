"""Every step of stock that hands something out is that of a signed hand-out, whatever it calls its origin."""

from pathlib import Path

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "signed_hand_outs.sql"


def upgrade() -> None:
    """Hold every such step to its signature."""
    op.get_bind().connection.driver_connection.execute(SQL.read_text(encoding="utf-8"))


def downgrade() -> None:
    """What was refused since would be let in: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
