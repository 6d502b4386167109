"""The database knows what a household may take in a month; nobody writes more, by whatever statement."""

from pathlib import Path

from alembic import op

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "quota_rule.sql"


def upgrade() -> None:
    """Make the triggers."""
    op.get_bind().connection.driver_connection.execute(SQL.read_text(encoding="utf-8"))


def downgrade() -> None:
    """Take them away."""
    for name in ("market_hold_quota", "market_raise_quota"):
        op.execute(f"DROP TRIGGER {name} ON household_months")
    op.execute("DROP FUNCTION market_hold_quota")
