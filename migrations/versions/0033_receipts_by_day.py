"""The receipts of a period are found by their day: a statement reads its own and none before."""

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index("ix_receipts_issued_at", "receipts", ["community_id", "issued_at", "id"])


def downgrade() -> None:
    """Do without."""
    op.drop_index("ix_receipts_issued_at", "receipts")
