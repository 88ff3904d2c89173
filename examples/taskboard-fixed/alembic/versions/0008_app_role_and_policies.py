"""A role for the service, and policies that bind it

Roles made in the Neon console carry BYPASSRLS, so the service gets one made in SQL. It has no
password until an administrator sets one (docs/setup.md); none stands in this file.

Revision ID: 0008
Revises: 0007
Create Date: 2026-07-01 13:05:19
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


CREATE_ROLE = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'taskboard_app') THEN
        CREATE ROLE taskboard_app LOGIN NOBYPASSRLS;
    END IF;
END
$$
"""


def upgrade() -> None:
    op.execute(CREATE_ROLE)
    op.execute("ALTER ROLE taskboard_app SET statement_timeout = '15s'")
    op.execute("ALTER ROLE taskboard_app SET lock_timeout = '5s'")
    op.execute("ALTER ROLE taskboard_app SET idle_in_transaction_session_timeout = '30s'")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON board, task, comment TO taskboard_app")
    op.execute("GRANT USAGE ON SEQUENCE board_id_seq, task_id_seq, comment_id_seq TO taskboard_app")

    op.execute("ALTER TABLE board ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE board FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY board_owner ON board TO taskboard_app "
        "USING (user_id = (SELECT current_setting('app.user_id', true))) "
        "WITH CHECK (user_id = (SELECT current_setting('app.user_id', true)))"
    )

    op.execute("ALTER TABLE task ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE task FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY task_owner ON task TO taskboard_app "
        "USING (user_id = (SELECT current_setting('app.user_id', true))) "
        "WITH CHECK (user_id = (SELECT current_setting('app.user_id', true)))"
    )

    op.execute("ALTER TABLE comment ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE comment FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY comment_owner ON comment TO taskboard_app "
        "USING (user_id = (SELECT current_setting('app.user_id', true))) "
        "WITH CHECK (user_id = (SELECT current_setting('app.user_id', true)))"
    )


def downgrade() -> None:
    op.execute("DROP POLICY comment_owner ON comment")
    op.execute("ALTER TABLE comment NO FORCE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE comment DISABLE ROW LEVEL SECURITY")

    op.execute("DROP POLICY task_owner ON task")
    op.execute("ALTER TABLE task NO FORCE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE task DISABLE ROW LEVEL SECURITY")

    op.execute("DROP POLICY board_owner ON board")
    op.execute("ALTER TABLE board NO FORCE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE board DISABLE ROW LEVEL SECURITY")

    op.execute("REVOKE ALL ON board, task, comment FROM taskboard_app")
    op.execute(
        "REVOKE ALL ON SEQUENCE board_id_seq, task_id_seq, comment_id_seq FROM taskboard_app"
    )
    op.execute("DROP ROLE taskboard_app")
