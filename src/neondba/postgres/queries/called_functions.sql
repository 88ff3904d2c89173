-- Postgres 14+; privileges: any role that can connect. Every function of these names, and whether it may do more than read.
select n.nspname as schema, p.proname as name, bool_or(p.provolatile = 'v') as volatile
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where p.proname = any ($1)
group by n.nspname, p.proname
order by n.nspname, p.proname
