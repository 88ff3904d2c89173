-- Postgres 14+; privileges: any role that can connect. Tables of schemas ($1) called so ($3) on which a role ($2)
-- itself was granted something.
select format('%I.%I', n.nspname, c.relname) as name, pg_has_role(c.relowner, 'usage') as grantable
from pg_class c
join pg_namespace n on n.oid = c.relnamespace and n.nspname = any ($1)
where c.relkind in ('r', 'p') and c.relname = any ($3)
  and pg_get_userbyid(c.relowner) <> $2
  and exists (select from aclexplode(c.relacl) e join pg_roles r on r.oid = e.grantee where r.rolname = $2)
order by 1
