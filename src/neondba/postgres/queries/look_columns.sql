-- Postgres 14+; privileges: any role that can connect. Columns of tables.
select format('%I.%I', n.nspname, c.relname) as relation,
       n.nspname::text as schema,
       a.attname::text as name,
       format_type(a.atttypid, a.atttypmod) as type,
       a.attnotnull as not_null
from pg_attribute a
join pg_class c on c.oid = a.attrelid
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence <> 't'
  and a.attnum > 0 and not a.attisdropped
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend x
                  where x.classid = 'pg_class'::regclass and x.objid = c.oid and x.deptype = 'e')
order by 1, a.attnum
