-- Postgres 14+; privileges: any role that can connect. Schemas, and whether every role may create in them.
select n.nspname::text as name,
       pg_get_userbyid(n.nspowner)::text as owner,
       exists (select from aclexplode(n.nspacl) x
               where x.grantee = 0 and x.privilege_type = 'CREATE') as open
from pg_namespace n
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
order by 1
