-- Postgres 15+; privileges: any role that can connect. Materialised views, in the order they were made.
select n.nspname as schema, c.relname as table, pg_get_userbyid(c.relowner) as owner,
       format('refresh materialized view %I.%I', n.nspname, c.relname) as after,
       c.relispopulated as populated
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'm' order by c.oid
