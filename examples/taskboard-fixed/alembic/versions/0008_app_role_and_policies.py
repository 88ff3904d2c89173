"""A role for the service, and policies that bind it

Roles made in the Neon console carry BYPASSRLS, so the service gets one made in SQL. It cannot log in
with a password until an administrator sets one (docs/setup.md); none stands in this file.

Revision ID: 0008
Revises: 0007
Create Date: 2026-07-01 13:05:19
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


TABLES = ("board", "task", "comment")
CREATE_ROLE = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'taskboard_app') THEN
        CREATE ROLE taskboard_app LOGIN NOBYPASSRLS;
    END IF;
END
$$
"""
TIMEOUTS = {
    "statement_timeout": "15s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "30s",
}


def upgrade() -> None:
    op.execute(CREATE_ROLE)
    for name, value in TIMEOUTS.items():
        op.execute(f"ALTER ROLE taskboard_app SET {name} = '{value}'")
    op.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO taskboard_app")
    for table in TABLES:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO taskboard_app")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY {table}_owner ON {table} TO taskboard_app "
            "USING (user_id = (SELECT current_setting('app.user_id', true))) "
            "WITH CHECK (user_id = (SELECT current_setting('app.user_id', true)))"
        )


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"DROP POLICY {table}_owner ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
        op.execute(f"REVOKE ALL ON {table} FROM taskboard_app")
    op.execute("REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM taskboard_app")
    op.execute("DROP ROLE taskboard_app")
