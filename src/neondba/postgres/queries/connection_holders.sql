-- Postgres 14+; privileges: pg_monitor to see other roles' states. Who holds connections, our own left out.
select coalesce(application_name, '') as application,
       usename::text as role,
       datname::text as database,
       coalesce(state, 'not visible') as state,
       case when wait_event_type = 'Lock' then 'a lock'
            when state = 'active' and wait_event_type is not null and wait_event_type <> 'Client'
            then wait_event_type || ': ' || wait_event end as waits_for,
       count(*)::int as connections,
       coalesce(max(extract(epoch from clock_timestamp() - backend_start)), 0)::float8 as oldest_seconds,
       coalesce(max(extract(epoch from clock_timestamp() - state_change)), 0)::float8 as state_seconds,
       coalesce(max(extract(epoch from clock_timestamp() - xact_start)), 0)::float8 as transaction_seconds
from pg_stat_activity
where backend_type = 'client backend' and pid <> pg_backend_pid()
group by 1, 2, 3, 4, 5
order by connections desc, application, role, database, state, waits_for
