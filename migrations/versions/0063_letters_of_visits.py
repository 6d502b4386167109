"""A letter that tells children of the month's visit is to nobody of the house either."""

from alembic import op

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None

OUTSIDE = "template IN ('thanks', 'alarm_raised', 'alarm_ended', 'monthly_visit') OR template LIKE 'appointment%'"


def upgrade() -> None:
    """Name the letter among those without a receiver of the house."""
    op.drop_constraint("ck_notices_receiver", "notices")
    op.create_check_constraint(
        op.f("ck_notices_receiver"),
        "notices",
        f"num_nonnulls(performer_id, user_id) = CASE WHEN {OUTSIDE} THEN 0 ELSE 1 END "
        "AND (num_nonnulls(performer_id, user_id) = 1 OR channel = 'email')",
    )


def downgrade() -> None:
    """Letters of the kind may have been written: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
