-- Postgres 14+; privileges: pg_monitor to see others' addresses. Sessions of roles ($1), but not our own.
select a.usename::text as role, coalesce(nullif(a.application_name, ''), '(no name)') as application,
       coalesce(host(a.client_addr), 'socket') as address, count(*)::int as sessions,
       count(*) filter (where a.state is distinct from 'idle')::int as busy,
       extract(epoch from clock_timestamp() - max(a.state_change))::float8 as unused,
       -- The pooler runs beside the server; what comes from elsewhere is a program's own connection.
       coalesce(bool_or(not a.client_addr <<= '127.0.0.0/8' and a.client_addr <> '::1'), false) as remote
from pg_stat_activity a
where a.usename::text = any ($1) and a.pid <> pg_backend_pid()
  and a.application_name <> 'neondba' and a.backend_type = 'client backend'
group by 1, 2, 3
order by 1, 2, 3
