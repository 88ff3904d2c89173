-- Postgres 14+; privileges: any role that can connect.
select format('%I.%I', n.nspname, c.relname) as name,
       case c.relkind when 'v' then 'view' else 'materialized view' end as kind,
       pg_get_viewdef(c.oid) as definition,
       pg_get_userbyid(c.relowner) as owner,
       array_to_string(c.reloptions, ', ') as options
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('v', 'm')
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend x
                  where x.classid = 'pg_class'::regclass and x.objid = c.oid and x.deptype = 'e')
