-- Postgres 14+; privileges: any role that can connect. Tables with row-level security.
select format('%I.%I', n.nspname, c.relname) as name,
       pg_get_userbyid(c.relowner)::text as owner,
       c.relforcerowsecurity as forced
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relrowsecurity and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
order by 1
