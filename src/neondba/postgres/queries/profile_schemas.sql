-- Postgres 14+; privileges: any role that can connect. Schemas ($1) and what a role ($2) may do in them.
select n.nspname::text as name,
       case when r.oid is null then '{}'::text[]
            else array(select p from unnest(array['usage', 'create']) p
                       where has_schema_privilege(r.oid, n.oid, p)) end as held,
       has_schema_privilege(n.oid, 'usage with grant option')
         and has_schema_privilege(n.oid, 'create with grant option') as grantable
from pg_namespace n
left join pg_roles r on r.rolname = $2
where n.nspname = any ($1)
order by 1
