-- Postgres 14+; privileges: any role that can connect. Functions that are not of extensions or of C code.
select format('%I.%I', n.nspname, p.proname) as name,
       n.nspname::text as schema,
       pg_get_function_identity_arguments(p.oid) as arguments,
       p.prosecdef as definer,
       p.provolatile = 'v' as volatile,
       p.prorettype in ('trigger'::regtype, 'event_trigger'::regtype) as for_trigger,
       exists (select from unnest(p.proconfig) o where o like 'search_path=%') as has_path,
       pg_get_userbyid(p.proowner)::text as owner,
       p.prosrc as body,
       array(select r.rolname::text from pg_roles r
             where not r.rolsuper and r.rolname !~ '^pg_' and not pg_has_role(r.oid, p.proowner, 'usage')
               and has_schema_privilege(r.oid, n.oid, 'usage')
               and has_function_privilege(r.oid, p.oid, 'execute') order by 1) as executable_by
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
join pg_language l on l.oid = p.prolang
where l.lanname not in ('c', 'internal') and p.prokind in ('f', 'p')
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend x
                  where x.classid = 'pg_proc'::regclass and x.objid = p.oid and x.deptype = 'e')
order by 1, 3
