-- Postgres 14+; privileges: SELECT on a table to have its size estimated. What the tables' counters say.
with widths as (
    select a.attrelid as relation,
           sum(case when s.avg_width is not null then (1 - s.null_frac) * s.avg_width end) as wide,
           bool_and(s.avg_width is not null) as known,
           bool_or(s.avg_width is not null) as any_known,
           count(*) as columns
    from pg_attribute a
    join pg_class c on c.oid = a.attrelid and c.relkind = 'r'
    join pg_namespace n on n.oid = c.relnamespace
    left join pg_stats s on s.schemaname = n.nspname and s.tablename = c.relname and s.attname = a.attname
                        and not s.inherited
    where a.attnum > 0 and not a.attisdropped and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    group by 1
)
select format('%I.%I', n.nspname, c.relname) as relation,
       n.nspname::text as schema,
       greatest(c.reltuples, 0)::bigint as rows,
       greatest(s.n_live_tup, 0) as live,
       greatest(s.n_dead_tup, 0) as dead,
       c.relpages::bigint * current_setting('block_size')::bigint as bytes,
       case when w.known and c.reltuples > 0
            then ceil(c.reltuples * (28 + ceil(w.columns / 8.0) + w.wide * 1.05)
                      * 100 / coalesce((select option_value::int from pg_options_to_table(c.reloptions)
                                        where option_name = 'fillfactor'), 100))::bigint end as expected,
       pg_relation_size(c.oid) > 1024 * 1024 and has_table_privilege(c.oid, 'select')
           and not coalesce(w.any_known, false) as unanalyzed,
       coalesce(s.seq_scan, 0) as whole_reads,
       coalesce(s.seq_tup_read, 0) as rows_in_whole_reads,
       coalesce(s.idx_scan, 0) as index_reads,
       greatest(s.last_vacuum, s.last_autovacuum) as vacuumed,
       age(c.relfrozenxid)::bigint as transaction_age,
       coalesce((select option_value::bigint from pg_options_to_table(c.reloptions)
                 where option_name = 'autovacuum_freeze_max_age'),
                current_setting('autovacuum_freeze_max_age')::bigint) as freeze_age,
       coalesce((select option_value::bigint from pg_options_to_table(c.reloptions)
                 where option_name = 'autovacuum_vacuum_threshold'),
                current_setting('autovacuum_vacuum_threshold')::bigint)
         + coalesce((select option_value::float8 from pg_options_to_table(c.reloptions)
                     where option_name = 'autovacuum_vacuum_scale_factor'),
                    current_setting('autovacuum_vacuum_scale_factor')::float8)
           * greatest(c.reltuples, 0) as vacuum_at
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_stat_all_tables s on s.relid = c.oid
left join widths w on w.relation = c.oid
where c.relkind in ('r', 'm') and c.relpersistence <> 't'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend x
                  where x.classid = 'pg_class'::regclass and x.objid = c.oid and x.deptype = 'e')
order by 1
