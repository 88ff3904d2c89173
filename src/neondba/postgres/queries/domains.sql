-- Postgres 14+; privileges: any role that can connect.
select format('%I.%I', n.nspname, t.typname) as name,
       format_type(t.typbasetype, t.typtypmod) as type,
       t.typnotnull as not_null,
       t.typdefault as default,
       (select string_agg(pg_get_constraintdef(k.oid), ', ' order by k.conname)
        from pg_constraint k where k.contypid = t.oid and k.contype = 'c') as checks
from pg_type t
join pg_namespace n on n.oid = t.typnamespace
where t.typtype = 'd'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend x
                  where x.classid = 'pg_type'::regclass and x.objid = t.oid and x.deptype = 'e')
