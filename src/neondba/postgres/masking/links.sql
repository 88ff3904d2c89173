-- Postgres 15+; privileges: any role that can connect. Columns that foreign keys tie together.
select hn.nspname as schema, h.relname as table, ha.attname as column,
       tn.nspname as to_schema, t.relname as to_table, ta.attname as to_column
from pg_constraint k
cross join lateral unnest(k.conkey, k.confkey) as pair (here, there)
join pg_class h on h.oid = k.conrelid join pg_namespace hn on hn.oid = h.relnamespace
join pg_class t on t.oid = k.confrelid join pg_namespace tn on tn.oid = t.relnamespace
join pg_attribute ha on ha.attrelid = h.oid and ha.attnum = pair.here
join pg_attribute ta on ta.attrelid = t.oid and ta.attnum = pair.there
where k.contype = 'f' and k.conparentid = 0
