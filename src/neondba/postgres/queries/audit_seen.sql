-- Postgres 14+; privileges: any role that can connect. Which roles have sessions now, and since when anybody counts.
select a.usename::text as role,
       count(*)::int as sessions,
       max(a.backend_start) as last_login,
       pg_postmaster_start_time() as counted_since
from pg_stat_activity a
where a.backend_type = 'client backend' and a.pid <> pg_backend_pid()
group by 1
order by 1
