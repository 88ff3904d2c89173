"""Task priority

Revision ID: 0006
Revises: 0005
Create Date: 2026-05-05 14:55:40
"""

import sqlalchemy as sa

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


priority = sa.Enum("low", "normal", "high", name="task_priority")


def upgrade() -> None:
    priority.create(op.get_bind())
    op.add_column(
        "task", sa.Column("priority", priority, server_default="normal", nullable=False)
    )


def downgrade() -> None:
    op.drop_column("task", "priority")
    priority.drop(op.get_bind())
