-- Postgres 14+; privileges: any role that can connect. Indexes; `exact` tells keys apart by class and order.
select format('%I.%I', n.nspname, t.relname) as relation,
       n.nspname::text as schema,
       format('%I.%I', n.nspname, c.relname) as name,
       i.indisunique as is_unique,
       i.indisprimary as is_primary,
       i.indisvalid and i.indisready as valid,
       i.indisreplident as identifies,
       exists (select from pg_constraint k
               where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x')) as of_constraint,
       exists (select from pg_constraint k
               where k.conindid = i.indexrelid and k.contype = 'f') as referenced,
       m.amname::text as method,
       array(select pg_get_indexdef(i.indexrelid, k, true)
             from generate_series(1, i.indnkeyatts) k order by k) as keys,
       array(select concat_ws(' ', pg_get_indexdef(i.indexrelid, k, true), i.indclass[k - 1],
                              i.indcollation[k - 1], i.indoption[k - 1])
             from generate_series(1, i.indnkeyatts) k order by k) as exact,
       array(select pg_get_indexdef(i.indexrelid, k, true)
             from generate_series(i.indnkeyatts + 1, i.indnatts) k order by k) as included,
       array(select format_type(a.atttypid, null) from pg_attribute a
             where a.attrelid = i.indexrelid order by a.attnum) as types,
       pg_get_expr(i.indpred, i.indrelid) as condition,
       pg_relation_size(i.indexrelid) as bytes,
       coalesce(s.idx_scan, 0) as scans,
       (to_jsonb(s) ->> 'last_idx_scan')::timestamptz as last_scan
from pg_index i
join pg_class c on c.oid = i.indexrelid
join pg_class t on t.oid = i.indrelid
join pg_namespace n on n.oid = t.relnamespace
join pg_am m on m.oid = c.relam
left join pg_stat_all_indexes s on s.indexrelid = i.indexrelid
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and not c.relispartition
  and t.relpersistence <> 't'
  and not exists (select from pg_depend x
                  where x.classid = 'pg_class'::regclass and x.objid = t.oid and x.deptype = 'e')
order by 1, i.indisprimary desc, i.indisunique desc, i.indexrelid
