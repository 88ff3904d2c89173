-- Postgres 14+; privileges: any role that can connect. Indexes that a failed CREATE or REINDEX … CONCURRENTLY left behind.
select i.indexrelid::bigint as oid, format('%I.%I', n.nspname, c.relname) as name, i.indrelid::regclass::text as "table"
from pg_index i
join pg_class c on c.oid = i.indexrelid
join pg_namespace n on n.oid = c.relnamespace
where not i.indisvalid and c.relkind = 'i' and n.nspname !~ '^pg_'
  and not exists (select from pg_stat_progress_create_index p where p.index_relid = i.indexrelid and p.pid <> pg_backend_pid())
order by 2
