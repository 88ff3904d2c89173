"""Index tasks by user

Revision ID: 0003
Revises: 0002
Create Date: 2026-03-27 11:02:33
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_task_user_id", "task", ["user_id"])


def downgrade() -> None:
    op.drop_index("ix_task_user_id", table_name="task")
