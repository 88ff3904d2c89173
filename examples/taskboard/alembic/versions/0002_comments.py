"""Comments, visible to their author only

Revision ID: 0002
Revises: 0001
Create Date: 2026-03-09 16:40:12
"""

import sqlalchemy as sa

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "comment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("body", sa.String(length=2000), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute("ALTER TABLE comment ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY comment_author ON comment "
        "USING (user_id = current_setting('app.user_id', true))"
    )


def downgrade() -> None:
    op.drop_table("comment")
