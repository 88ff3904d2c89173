-- Postgres 14+; privileges: any role that can connect. Tables that show the acting role only what policies let through.
select distinct c.oid::regclass::text as name, n.nspname::text as schema
from unnest($1::text[], $2::text[]) as named (schema, relation)
join pg_catalog.pg_class c on c.relname = named.relation
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where (named.schema = n.nspname or (named.schema = '' and pg_catalog.pg_table_is_visible(c.oid)))
  and pg_catalog.row_security_active(c.oid)
order by name
