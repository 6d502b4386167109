"""Who enrols a home may say that the two of it are husband and wife: the register knows no relations."""

import sqlalchemy as sa
from alembic import op

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what is said of a home; of those enrolled before nothing was."""
    op.add_column("enrolments", sa.Column("is_couple", sa.Boolean(), server_default=sa.text("false"), nullable=False))


def downgrade() -> None:
    """What was said is history: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
