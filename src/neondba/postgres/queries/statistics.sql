-- Postgres 14+; privileges: any role that can connect.
select format('%I.%I', n.nspname, s.stxname) as name,
       pg_get_statisticsobjdef(s.oid) as definition
from pg_statistic_ext s
join pg_namespace n on n.oid = s.stxnamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
