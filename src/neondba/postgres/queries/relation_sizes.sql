-- Postgres 14+; privileges: any role that can connect. Bytes of each table with its indexes and its large values.
select format('%I.%I', n.nspname, c.relname) as name, pg_total_relation_size(c.oid) as bytes
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'm')
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
