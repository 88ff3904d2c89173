-- Postgres 14+; privileges: none. What other clients have left in this session, but for what a pooler keeps per client.
select 'setting' as kind, name::text as name, setting as value
from pg_settings
where source = 'session'
  and lower(name) not in ('application_name', 'client_encoding', 'datestyle', 'timezone', 'standard_conforming_strings',
                          'extra_float_digits', 'role', 'session_authorization')
union all
select 'role', 'role', current_user::text
where current_user <> session_user
union all
select 'advisory lock', count(*)::text, null
from pg_locks
where locktype = 'advisory' and pid = pg_backend_pid() and granted
having count(*) > 0
union all
select 'prepared statement', name, null
from pg_prepared_statements
where from_sql
union all
select 'held cursor', name, null
from pg_cursors
where is_holdable
union all
select 'temporary table', relname::text, null
from pg_class
where relnamespace = pg_my_temp_schema() and relkind in ('r', 'v', 'S')
union all
select 'listen', channel, null
from pg_listening_channels() as channel
