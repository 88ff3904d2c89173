-- Postgres 15+; privileges: any role that can connect.
select 'pg_type'::regclass::oid as classid, t.oid as objid, 0 as objsubid,
       format('%I.%I', n.nspname, t.typname) as name,
       pg_get_userbyid(t.typowner) as owner,
       (select coalesce(array_agg(e.enumlabel::text order by e.enumsortorder), '{}')
        from pg_enum e where e.enumtypid = t.oid) as labels
from pg_type t
join pg_namespace n on n.oid = t.typnamespace
where t.typtype = 'e'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend x
                  where x.classid = 'pg_type'::regclass and x.objid = t.oid and x.deptype = 'e')
