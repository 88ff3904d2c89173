-- Postgres 15+; privileges: any role that can connect. Indexes of constraints are read with those.
select 'pg_class'::regclass::oid as classid, c.oid as objid, 0 as objsubid,
       format('%I.%I', n.nspname, c.relname) as name,
       format('%I.%I', tn.nspname, t.relname) as table,
       format('%I', c.relname) as part,
       pg_get_indexdef(i.indexrelid) as definition,
       i.indisunique as unique,
       i.indisvalid as valid,
       i.indisclustered as clustered,
       c.relispartition as inherited,
       (select coalesce(jsonb_object_agg(a.attnum, a.attstattarget), '{}') from pg_attribute a
        where a.attrelid = c.oid and a.attstattarget >= 0) as statistics
from pg_index i
join pg_class c on c.oid = i.indexrelid
join pg_class t on t.oid = i.indrelid
join pg_namespace n on n.oid = c.relnamespace
join pg_namespace tn on tn.oid = t.relnamespace
where t.relkind in ('r', 'p', 'm') and t.relpersistence <> 't'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_constraint k
                  where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))
  and not exists (select from pg_depend x
                  where x.classid = 'pg_class'::regclass and x.objid = t.oid and x.deptype = 'e')
