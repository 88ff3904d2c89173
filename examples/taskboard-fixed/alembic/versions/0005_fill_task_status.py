"""Fill the status from done, a thousand rows at a time

Revision ID: 0005
Revises: 0004
Create Date: 2026-04-14 10:40:51
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


FILL = """
DO $$
BEGIN
    LOOP
        UPDATE task SET status = 'done'
        WHERE id IN (SELECT id FROM task WHERE done AND status = 'open' LIMIT 1000);
        EXIT WHEN NOT FOUND;
        COMMIT;
    END LOOP;
END
$$
"""
RESTORE = """
DO $$
BEGIN
    LOOP
        UPDATE task SET done = (status = 'done')
        WHERE id IN (SELECT id FROM task WHERE done <> (status = 'done') LIMIT 1000);
        EXIT WHEN NOT FOUND;
        COMMIT;
    END LOOP;
END
$$
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(FILL)
    op.execute("ALTER TABLE task VALIDATE CONSTRAINT task_status_known")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(RESTORE)
