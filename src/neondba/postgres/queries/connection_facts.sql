-- Postgres 14+; privileges: any role that can connect. What a connection is worth: role, server, limits.
select current_user::text as role,
       current_database()::text as database,
       current_setting('server_version') as version,
       pg_postmaster_start_time() as started,
       extract(epoch from clock_timestamp() - pg_postmaster_start_time())::float8 as age,
       pg_is_in_recovery() as is_replica,
       r.rolsuper as superuser,
       r.rolbypassrls as bypasses,
       r.rolcreaterole as makes_roles,
       r.rolcreatedb as makes_databases,
       r.rolconnlimit as role_limit,
       exists (select from pg_roles n
               where n.rolname = 'neon_superuser' and pg_has_role(r.oid, n.oid, 'member')) as neon_superuser,
       current_setting('max_connections')::int as max_connections,
       current_setting('superuser_reserved_connections')::int
         + coalesce(current_setting('reserved_connections', true)::int, 0) as reserved,
       (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as connections,
       current_setting('statement_timeout') as statement_timeout,
       current_setting('idle_in_transaction_session_timeout') as idle_in_transaction,
       current_setting('idle_session_timeout') as idle_session,
       current_setting('lock_timeout') as lock_timeout
from pg_roles r
where r.rolname = current_user
