-- Postgres 14+; privileges: any role that can connect.
select format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) as name,
       case p.prokind when 'f' then 'function' when 'p' then 'procedure'
                      when 'a' then 'aggregate' else 'window function' end as kind,
       case when p.prokind <> 'a' then pg_get_functiondef(p.oid) end as definition,
       pg_get_userbyid(p.proowner) as owner
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend x
                  where x.classid = 'pg_proc'::regclass and x.objid = p.oid and x.deptype = 'e')
