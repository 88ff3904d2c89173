-- Postgres 14+; privileges: any role that can connect. Default privileges in schemas ($1).
select pg_get_userbyid(d.defaclrole)::text as maker, n.nspname::text as schema,
       case d.defaclobjtype when 'r' then 'table' when 'S' then 'sequence' when 'f' then 'routine' end as kind,
       g.rolname::text as grantee, array_agg(lower(e.privilege_type) order by lower(e.privilege_type)) as held
from pg_default_acl d
join pg_namespace n on n.oid = d.defaclnamespace and n.nspname = any ($1)
cross join aclexplode(d.defaclacl) e
join pg_roles g on g.oid = e.grantee
where d.defaclobjtype in ('r', 'S', 'f')
group by 1, 2, 3, 4
order by 1, 2, 3, 4
