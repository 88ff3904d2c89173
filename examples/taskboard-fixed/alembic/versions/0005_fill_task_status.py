"""Fill the status from done, a thousand rows at a time

Only empty ones, so a status that somebody has set stays. The check on NULL is validated while people
write; with it, SET NOT NULL does not read the table again. A run that was interrupted can be
repeated, hence the drop before the check.

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
        UPDATE task SET status = CASE WHEN done THEN 'done' ELSE 'open' END
        WHERE id IN (SELECT id FROM task WHERE status IS NULL LIMIT 1000);
        EXIT WHEN NOT FOUND;
        COMMIT;
    END LOOP;
END
$$
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.alter_column("task", "status", server_default="open")
        op.execute(FILL)
        op.execute("ALTER TABLE task DROP CONSTRAINT IF EXISTS task_status_present")
        op.execute(
            "ALTER TABLE task ADD CONSTRAINT task_status_present "
            "CHECK (status IS NOT NULL) NOT VALID"
        )
        op.execute("ALTER TABLE task VALIDATE CONSTRAINT task_status_present")
        op.execute("ALTER TABLE task VALIDATE CONSTRAINT task_status_known")
    op.alter_column("task", "status", nullable=False)
    op.drop_constraint("task_status_present", "task")


def downgrade() -> None:
    op.alter_column("task", "status", nullable=True, server_default=None)
