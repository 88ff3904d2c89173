-- Postgres 15+; privileges: any role that can connect. Columns of tables that hold rows of their own;
-- partitions are read through the table that they are part of.
with recursive types as (
    select t.oid, t.oid as base, t.typtypmod as typmod from pg_type t where t.typtype <> 'd'
    union all
    select d.oid, b.base, case when d.typtypmod >= 0 then d.typtypmod else b.typmod end
    from pg_type d join types b on b.oid = d.typbasetype where d.typtype = 'd'
)
select c.oid::bigint as table_oid, n.nspname as schema, c.relname as table, a.attname as column, a.attnum::int as position,
       c.relkind = 'p' as partitioned, pg_get_userbyid(c.relowner) as owner,
       format_type(a.atttypid, a.atttypmod) as type,
       coalesce(nullif(e.typname, ''), b.typname)::text as base,
       b.typtype::text as sort, e.oid is not null as is_array,
       case when b.typname in ('varchar', 'bpchar')
            then nullif(greatest(a.atttypmod, y.typmod) - 4, -5) end as room,
       a.attnotnull or t.typnotnull as not_null, a.attgenerated <> '' as generated,
       exists (select from pg_index i where i.indrelid = c.oid and i.indisunique
                 and (a.attnum = any (i.indkey)
                      or 0 = any (i.indkey) and position(quote_ident(a.attname) in pg_get_indexdef(i.indexrelid)) > 0))
           as is_unique,
       exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary and a.attnum = any (i.indkey))
           as is_key
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
join pg_type t on t.oid = a.atttypid
join types y on y.oid = t.oid
join pg_type b on b.oid = y.base
left join pg_type e on e.oid = b.typelem and b.typcategory = 'A'
where c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence <> 't'
  and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'neondba_mask')
  and not exists (select from pg_depend x where x.classid = 'pg_class'::regclass and x.objid = c.oid and x.deptype = 'e')
order by n.nspname, c.relname, a.attnum
