-- Postgres 14+; privileges: any role that can connect. What each role may do with each schema.
select r.rolname::text as role,
       n.nspname::text as schema,
       quote_ident(n.nspname) as quoted,
       has_schema_privilege(r.oid, n.oid, 'usage') as can_use,
       has_schema_privilege(r.oid, n.oid, 'create') as can_create,
       pg_has_role(r.oid, n.nspowner, 'usage') as owns
from pg_namespace n
cross join pg_roles r
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not r.rolsuper and r.rolname !~ '^pg_'
order by 1, 2
