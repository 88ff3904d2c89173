-- Postgres 15+; privileges: any role that can connect.
select 'pg_class'::regclass::oid as classid, c.oid as objid, a.attnum::int as objsubid,
       format('%I.%I.%I', n.nspname, c.relname, a.attname) as name,
       format('%I.%I', n.nspname, c.relname) as table,
       format('%I', a.attname) as part,
       a.attnum::int as position,
       format_type(a.atttypid, a.atttypmod) as type,
       case when a.attcollation <> t.typcollation then a.attcollation::regcollation::text end as collation,
       a.attnotnull or nn.oid is not null as not_null,
       quote_ident(nn.conname) as not_null_name,
       coalesce(nn.convalidated, true) as not_null_validated,
       coalesce(nn.connoinherit, false) as not_null_no_inherit,
       coalesce(nn.conislocal, false) as not_null_local,
       d.oid as default_oid,
       case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end as default,
       case when a.attgenerated <> '' then pg_get_expr(d.adbin, d.adrelid) end as generated,
       a.attgenerated = 'v' as virtual,
       case a.attidentity when 'a' then 'ALWAYS' when 'd' then 'BY DEFAULT' end as identity,
       (select jsonb_build_object('type', s.seqtypid::regtype::text, 'start', s.seqstart, 'increment', s.seqincrement,
                                  'minimum', s.seqmin, 'maximum', s.seqmax, 'cache', s.seqcache, 'cycle', s.seqcycle)
        from pg_depend x join pg_sequence s on s.seqrelid = x.objid
        where x.classid = 'pg_class'::regclass and x.refclassid = 'pg_class'::regclass
          and x.refobjid = c.oid and x.refobjsubid = a.attnum and x.deptype = 'i' and a.attidentity <> ''
        limit 1) as sequence,
       case when a.attstorage <> t.typstorage
            then case a.attstorage when 'p' then 'PLAIN' when 'e' then 'EXTERNAL' when 'm' then 'MAIN'
                                   else 'EXTENDED' end end as storage,
       case a.attcompression when 'p' then 'pglz' when 'l' then 'lz4' end as compression,
       nullif(a.attstattarget, -1)::int as statistics,
       (select coalesce(array_agg(o order by o), '{}') from unnest(a.attoptions) o) as options,
       a.attinhcount > 0 as inherited,
       a.attislocal as local
from pg_attribute a
join pg_class c on c.oid = a.attrelid
join pg_namespace n on n.oid = c.relnamespace
join pg_type t on t.oid = a.atttypid
left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
left join pg_constraint nn on nn.conrelid = c.oid and nn.contype = 'n' and nn.conkey = array[a.attnum]
where c.relkind in ('r', 'p') and c.relpersistence <> 't' and a.attnum > 0 and not a.attisdropped
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend x
                  where x.classid = 'pg_class'::regclass and x.objid = c.oid and x.deptype = 'e')
