-- Postgres 14+; privileges: any role that can connect. Roles whose later objects in schemas ($1) need default
-- privileges: owners of what is there, this session's role, and migrators that we made.
select r.rolname::text as name, pg_has_role(r.oid, 'usage') as ours
from pg_roles r
where (r.rolname = current_user
       or shobj_description(r.oid, 'pg_authid') like 'neondba: migrator%'
       or exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
                  where c.relowner = r.oid and n.nspname = any ($1) and c.relpersistence <> 't'
                    and not exists (select from pg_depend x where x.classid = 'pg_class'::regclass
                                    and x.objid = c.oid and x.deptype = 'e')))
order by 1
