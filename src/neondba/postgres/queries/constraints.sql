-- Postgres 14+; privileges: any role that can connect. Not-null constraints are read with the columns.
select format('%I.%I.%I', n.nspname, c.relname, k.conname) as name,
       regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', '') as definition,
       k.convalidated as validated
from pg_constraint k
join pg_class c on c.oid = k.conrelid
join pg_namespace n on n.oid = c.relnamespace
where k.contype in ('c', 'f', 'p', 'u', 'x')
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend x
                  where x.classid = 'pg_class'::regclass and x.objid = c.oid and x.deptype = 'e')
