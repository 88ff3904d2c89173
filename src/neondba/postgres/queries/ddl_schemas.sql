-- Postgres 15+; privileges: any role that can connect.
select 'pg_namespace'::regclass::oid as classid, n.oid as objid, 0 as objsubid,
       format('%I', n.nspname) as name,
       pg_get_userbyid(n.nspowner) as owner
from pg_namespace n
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend x
                  where x.classid = 'pg_namespace'::regclass and x.objid = n.oid and x.deptype = 'e')
