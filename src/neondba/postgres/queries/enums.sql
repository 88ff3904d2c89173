-- Postgres 14+; privileges: any role that can connect.
select format('%I.%I', n.nspname, t.typname) as name,
       (select string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder)
        from pg_enum e where e.enumtypid = t.oid) as labels
from pg_type t
join pg_namespace n on n.oid = t.typnamespace
where t.typtype = 'e'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend x
                  where x.classid = 'pg_type'::regclass and x.objid = t.oid and x.deptype = 'e')
