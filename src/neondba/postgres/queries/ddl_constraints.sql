-- Postgres 15+; privileges: any role that can connect. Not-null constraints are read with the columns.
select 'pg_constraint'::regclass::oid as classid, k.oid as objid, 0 as objsubid,
       format('%I.%I.%I', n.nspname, c.relname, k.conname) as name,
       format('%I.%I', n.nspname, c.relname) as table,
       format('%I', k.conname) as part,
       case k.contype when 'p' then 'primary key' when 'u' then 'unique' when 'c' then 'check'
                      when 'f' then 'foreign key' else 'exclude' end as type,
       regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', '') as definition,
       k.convalidated as validated,
       k.conparentid <> 0 or k.coninhcount > 0 as inherited,
       (select format('%I.%I', fn.nspname, f.relname)
        from pg_class f join pg_namespace fn on fn.oid = f.relnamespace
        where f.oid = k.confrelid) as references,
       (select coalesce(array_agg(format('%I', a.attname) order by x.place), '{}')
        from unnest(k.conkey) with ordinality x (number, place)
        join pg_attribute a on a.attrelid = k.conrelid and a.attnum = x.number) as columns,
       exists (select from pg_index i
               where i.indexrelid = k.conindid and i.indisclustered and k.contype in ('p', 'u', 'x')) as clustered
from pg_constraint k
join pg_class c on c.oid = k.conrelid
join pg_namespace n on n.oid = c.relnamespace
where k.contype in ('c', 'f', 'p', 'u', 'x') and c.relkind in ('r', 'p') and c.relpersistence <> 't'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend x
                  where x.classid = 'pg_class'::regclass and x.objid = c.oid and x.deptype = 'e')
