"""A link to a calendar is only ever revoked, and stays so."""

from pathlib import Path

from alembic import op

revision = "0065"
down_revision = "0064"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "feeds.sql"


def upgrade() -> None:
    """Let the database refuse that a link lives again, or becomes another's."""
    op.get_bind().connection.driver_connection.execute(SQL.read_text(encoding="utf-8"))


def downgrade() -> None:
    """Revoked links are not wanted back: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
