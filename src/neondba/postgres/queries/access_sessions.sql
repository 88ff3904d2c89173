-- Postgres 14+; privileges: pg_read_all_stats to see other roles' addresses. Who is connected now.
select a.usename::text as role,
       a.datname::text as database,
       host(a.client_addr) as address,
       a.application_name as application,
       a.backend_start as began,
       a.state_change as last_active,
       coalesce(a.state, 'hidden') as state
from pg_stat_activity a
where a.backend_type = 'client backend' and a.pid <> pg_backend_pid() and a.datname = current_database()
order by a.backend_start
