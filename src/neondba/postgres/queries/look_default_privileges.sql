-- Postgres 14+; privileges: any role that can connect. What objects made later will be granted to whom.
select pg_get_userbyid(d.defaclrole)::text as maker,
       n.nspname::text as schema,
       case d.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions'
                            when 'T' then 'types' when 'n' then 'schemas' else 'large objects' end as kind,
       case x.grantee when 0 then 'public' else pg_get_userbyid(x.grantee)::text end as grantee,
       array_agg(lower(x.privilege_type) order by x.privilege_type) as privileges
from pg_default_acl d
left join pg_namespace n on n.oid = d.defaclnamespace
cross join aclexplode(d.defaclacl) x
where x.grantee <> d.defaclrole
group by 1, 2, 3, 4
order by 1, 2, 3, 4
