-- Postgres 14+; privileges: pg_monitor, or the sessions' own role: others' statements are hidden.
select a.pid, a.usename as role, a.application_name, a.state,
       a.wait_event_type, a.wait_event, left(a.query, 2000) as statement,
       extract(epoch from clock_timestamp() - a.query_start)::float8 as seconds,
       pg_blocking_pids(a.pid) as blocked_by
from pg_stat_activity a
where a.datname = current_database() and a.pid <> pg_backend_pid() and a.backend_type = 'client backend'
order by a.query_start
