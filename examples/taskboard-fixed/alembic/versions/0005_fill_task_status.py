"""Fill the status from done, a thousand rows at a time

Revision ID: 0005
Revises: 0004
Create Date: 2026-04-14 10:40:51
"""

import sqlalchemy as sa

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


FILL = sa.text(
    "UPDATE task SET status = 'done' WHERE id IN "
    "(SELECT id FROM task WHERE done AND status = 'open' LIMIT 1000)"
)
RESTORE = sa.text(
    "UPDATE task SET done = (status = 'done') WHERE id IN "
    "(SELECT id FROM task WHERE done <> (status = 'done') LIMIT 1000)"
)


def in_batches(statement: sa.TextClause) -> None:
    with op.get_context().autocommit_block():
        while op.get_bind().execute(statement).rowcount:
            pass


def upgrade() -> None:
    in_batches(FILL)
    op.execute("ALTER TABLE task VALIDATE CONSTRAINT task_status_known")


def downgrade() -> None:
    in_batches(RESTORE)
