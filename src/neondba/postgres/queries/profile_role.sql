-- Postgres 14+; privileges: any role that can connect. One role's attributes ($1: its name).
select r.rolcanlogin as can_login, r.rolinherit as inherits, r.rolsuper as superuser,
       r.rolbypassrls as bypasses, r.rolcreatedb as creates_databases, r.rolcreaterole as creates_roles,
       coalesce(r.rolconfig, '{}') as settings,
       shobj_description(r.oid, 'pg_authid') as comment,
       array(select m.rolname::text from pg_auth_members a join pg_roles m on m.oid = a.roleid
             where a.member = r.oid order by 1) as member_of
from pg_roles r
where r.rolname = $1
