-- Postgres 14+; privileges: any role that can connect. What was done to each table, by whomever.
select format('%I.%I', t.schemaname, t.relname) as relation,
       t.n_tup_ins as inserted,
       t.n_tup_upd as updated,
       t.n_tup_del as deleted,
       coalesce(t.seq_scan, 0) + coalesce(t.idx_scan, 0) as reads,
       -- From 16 on a table says when it was last read.
       greatest((to_jsonb(t) ->> 'last_seq_scan')::timestamptz, (to_jsonb(t) ->> 'last_idx_scan')::timestamptz) as last_read
from pg_stat_user_tables t
where t.schemaname !~ '^pg_' and t.schemaname <> 'information_schema'
order by 1
