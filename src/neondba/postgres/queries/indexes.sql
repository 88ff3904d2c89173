-- Postgres 14+; privileges: any role that can connect. Indexes of constraints are read with those.
select format('%I.%I', n.nspname, c.relname) as name,
       pg_get_indexdef(i.indexrelid) as definition,
       i.indisvalid as valid
from pg_index i
join pg_class c on c.oid = i.indexrelid
join pg_namespace n on n.oid = c.relnamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_constraint k
                  where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))
  and not exists (select from pg_depend x
                  where x.classid = 'pg_class'::regclass and x.objid = i.indrelid and x.deptype = 'e')
