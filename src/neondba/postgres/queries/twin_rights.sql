-- Postgres 14+; privileges: any role that can connect. Everything that this session's role may do here, and
-- which policies bind it: two roles with the same answer are the same to the database.
with own as (
    select n.oid, n.nspname from pg_namespace n
    where n.nspname !~ '^pg_(toast|temp)' and n.nspname not in ('information_schema', 'pg_catalog')
)
select 'acts as' as what, current_user::text as held
union all
select 'database ' || current_database(),
       array(select p from unnest(array['create', 'connect', 'temp']) p
             where has_database_privilege(current_database(), p))::text
union all
select format('schema %I', o.nspname),
       array(select p from unnest(array['usage', 'create']) p where has_schema_privilege(o.oid, p))::text
from own o
union all
select format('table %I.%I', o.nspname, c.relname),
       concat_ws(' ',
                 array(select p from unnest(array['select', 'insert', 'update', 'delete', 'truncate',
                                                  'references', 'trigger']) p
                       where has_table_privilege(c.oid, p))::text,
                 array(select p from unnest(array['select', 'insert', 'update']) p
                       where has_any_column_privilege(c.oid, p))::text,
                 case when row_security_active(c.oid) then 'bound by policies' end,
                 array(select p.polname from pg_policy p
                       where p.polrelid = c.oid
                         and (p.polroles = '{0}' or exists (select from unnest(p.polroles) r
                                                            where r <> 0 and pg_has_role(r, 'usage')))
                       order by 1)::text,
                 case when pg_has_role(c.relowner, 'usage') then 'owner' end)
from pg_class c join own o on o.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f') and has_schema_privilege(o.oid, 'usage')
union all
select format('sequence %I.%I', o.nspname, c.relname),
       array(select p from unnest(array['select', 'usage', 'update']) p
             where has_sequence_privilege(c.oid, p))::text
from pg_class c join own o on o.oid = c.relnamespace
where c.relkind = 'S'
union all
select format('function %s', p.oid::regprocedure), has_function_privilege(p.oid, 'execute')::text
from pg_proc p join own o on o.oid = p.pronamespace
union all
select 'setting ' || s.name, s.setting
from pg_settings s
where s.source in ('user', 'database', 'database user') and s.name <> 'role'
order by 1, 2
