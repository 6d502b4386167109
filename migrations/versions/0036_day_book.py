"""A statement keeps its day book: the journal of the period as everybody may have it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("disclosures", sa.Column("day_book", JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False))


def downgrade() -> None:
    """Do without."""
    op.drop_column("disclosures", "day_book")
