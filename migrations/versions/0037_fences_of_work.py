"""Once both have signed for a disposal, its order may still tell that the work was done."""

from pathlib import Path

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "fences_of_work.sql"


def upgrade() -> None:
    """Let the word through, once."""
    op.get_bind().connection.driver_connection.execute(SQL.read_text(encoding="utf-8"))


def downgrade() -> None:
    """A job that fails for ever is not wanted back: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
