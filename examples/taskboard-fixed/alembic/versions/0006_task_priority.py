"""Task priority

Revision ID: 0006
Revises: 0005
Create Date: 2026-05-05 14:55:40
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TYPE task_priority AS ENUM ('low', 'normal', 'high')")
    op.execute("ALTER TABLE task ADD COLUMN priority task_priority NOT NULL DEFAULT 'normal'")


def downgrade() -> None:
    op.drop_column("task", "priority")
    op.execute("DROP TYPE task_priority")
