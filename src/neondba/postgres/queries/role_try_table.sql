-- Postgres 14+; privileges: any role that can connect. One table of schemas ($1) with a plain column,
-- not called so ($2).
select format('%I.%I', n.nspname, c.relname) as name, quote_ident(a.attname) as column
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                   and a.attgenerated = '' and a.attidentity <> 'a'
where c.relkind in ('r', 'p') and c.relpersistence = 'p' and n.nspname = any ($1)
  and c.relname <> all ($2)
  and not exists (select from pg_depend x where x.classid = 'pg_class'::regclass and x.objid = c.oid
                  and x.deptype = 'e')
order by 1, a.attnum
limit 1
