"""Which papers a kind of order needs, as data of the kind."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; a kind that names none asks as before that whatever is held is valid."""
    op.execute("ALTER TABLE services ADD COLUMN papers TEXT[] DEFAULT '{}'::text[] NOT NULL")


def downgrade() -> None:
    """Remove it."""
    op.drop_column("services", "papers")
