"""Replace done by a status

Revision ID: 0004
Revises: 0003
Create Date: 2026-04-14 10:21:07
"""

import sqlalchemy as sa

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "task",
        sa.Column("status", sa.String(length=20), server_default="open", nullable=False),
    )
    op.execute("UPDATE task SET status = 'done' WHERE done")
    op.drop_column("task", "done")


def downgrade() -> None:
    op.add_column(
        "task", sa.Column("done", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.drop_column("task", "status")
