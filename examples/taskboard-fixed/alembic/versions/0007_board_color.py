"""Board color

Revision ID: 0007
Revises: 0006
Create Date: 2026-06-18 08:30:02
"""

import sqlalchemy as sa

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "board",
        sa.Column("color", sa.String(length=7), server_default="#888888", nullable=False),
    )


def downgrade() -> None:
    op.drop_column("board", "color")
