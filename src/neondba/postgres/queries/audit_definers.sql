-- Postgres 14+; privileges: any role that can connect. Functions that run with their owner's rights.
select format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) as name,
       case p.prokind when 'p' then 'procedure' else 'function' end as kind,
       pg_get_userbyid(p.proowner)::text as owner,
       o.rolsuper as owner_superuser,
       o.rolbypassrls as owner_bypasses,
       (select substr(c, 13) from unnest(p.proconfig) c where c like 'search_path=%') as path,
       l.lanname in ('c', 'internal') or p.prosqlbody is not null as fixed,
       array(select r.rolname::text from pg_roles r
             where r.rolcanlogin and not r.rolsuper and r.oid <> p.proowner
               and has_schema_privilege(r.oid, n.oid, 'usage')
               and has_function_privilege(r.oid, p.oid, 'execute') order by 1) as callers,
       exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) e where e.grantee = 0) as for_all
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
join pg_language l on l.oid = p.prolang
join pg_roles o on o.oid = p.proowner
where p.prosecdef and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and p.prorettype <> 'event_trigger'::regtype
  and not exists (select from pg_depend x
                  where x.classid = 'pg_proc'::regclass and x.objid = p.oid and x.deptype = 'e')
order by 1
