-- Postgres 14+; privileges: any role that can connect. Roles, what they carry and what they own here.
select r.rolname::text as name,
       quote_ident(r.rolname) as quoted,
       r.rolname ~ '^pg_' as predefined,
       r.rolcanlogin as can_login,
       r.rolsuper as superuser,
       r.rolbypassrls as bypasses,
       r.rolcreaterole as makes_roles,
       r.rolcreatedb as makes_databases,
       r.rolreplication as replicates,
       r.rolvaliduntil::text as valid_until,
       coalesce(r.rolvaliduntil < now(), false) as expired,
       (select count(*)::int from pg_class c where c.relowner = r.oid and c.relkind in ('r', 'p', 'v', 'm', 'f')) as tables,
       (select count(*)::int from pg_database d where d.datdba = r.oid) as databases,
       r.rolname = current_user as own_session
from pg_roles r
order by 1
