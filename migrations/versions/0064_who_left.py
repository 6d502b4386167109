"""Nothing begins for who is in the register no more, also while a death is being recorded."""

from pathlib import Path

from alembic import op

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "who_left.sql"


def upgrade() -> None:
    """Let the database refuse what begins for who has left; what began before stays as it is."""
    op.get_bind().connection.driver_connection.execute(SQL.read_text(encoding="utf-8"))


def downgrade() -> None:
    """Care for who has died is not wanted back: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
