"""Expand: a status beside done

It stays empty until 0005. The service writes both until no running release reads done; a later
revision drops that.

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
    op.add_column("task", sa.Column("status", sa.String(length=20), nullable=True))
    op.execute(
        "ALTER TABLE task ADD CONSTRAINT task_status_known "
        "CHECK (status IN ('open', 'doing', 'done')) NOT VALID"
    )


def downgrade() -> None:
    op.drop_column("task", "status")
