"""An alarm about a duty is about the period that was missed: a second miss is told while the first one's stands."""

from alembic import op

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What was said of a duty was said of one of its periods, which its facts name."""
    op.execute(
        "UPDATE alarms SET subject = 'duty_period:' || period.id FROM duty_periods AS period "
        "WHERE alarms.kind IN ('duty_warning', 'duty_missed') AND alarms.subject = 'duty:' || period.duty_id "
        "AND period.name = alarms.facts ->> 'period'"
    )


def downgrade() -> None:
    """Which period an alarm was about is history: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)
