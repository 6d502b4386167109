"""Knowledge with versions, and what calls were answered with."""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    """Make the tables with their grants, fences and the trigger."""
    driver = op.get_bind().connection.driver_connection
    driver.execute((SQL / "knowledge.sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """Remove them, unless a call was answered with them: that is history."""
    op.execute("DROP TRIGGER refuse_answer_without_knowledge ON orders")
    op.execute("DROP FUNCTION refuse_answer_without_knowledge")
    op.drop_column("daily_figures", "answered")
    op.drop_table("knowledge_uses")
    op.drop_constraint("fk_knowledge_items_current", "knowledge_items")
    op.drop_table("knowledge_versions")
    op.drop_table("knowledge_items")
