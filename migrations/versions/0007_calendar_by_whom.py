"""A day of the calendar that differs says who entered it, and a year too."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("calendar_days", sa.Column("edited_by", sa.BigInteger(), sa.ForeignKey("users.id")))
    op.add_column("calendar_days", sa.Column("edited_at", sa.DateTime(timezone=True)))
    op.add_column("calendar_years", sa.Column("entered_by", sa.BigInteger(), sa.ForeignKey("users.id")))


def downgrade() -> None:
    """Remove them."""
    op.drop_column("calendar_years", "entered_by")
    op.drop_column("calendar_days", "edited_at")
    op.drop_column("calendar_days", "edited_by")
