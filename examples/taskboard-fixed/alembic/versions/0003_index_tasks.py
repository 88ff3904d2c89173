"""Index tasks by due date, while people write

A build that was interrupted leaves an invalid index behind; hence the drop before it.

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
    with op.get_context().autocommit_block():
        op.drop_index(
            "ix_task_due_at", table_name="task", if_exists=True, postgresql_concurrently=True
        )
        op.create_index("ix_task_due_at", "task", ["due_at"], postgresql_concurrently=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index(
            "ix_task_due_at", table_name="task", if_exists=True, postgresql_concurrently=True
        )
