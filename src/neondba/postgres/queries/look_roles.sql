-- Postgres 14+; privileges: any role that can connect. Roles that may reach this database.
select r.rolname::text as name,
       r.rolcanlogin as can_login,
       r.rolsuper as superuser,
       r.rolbypassrls as bypasses,
       array(select m.rolname::text from pg_roles m
             where m.oid <> r.oid and not r.rolsuper and pg_has_role(r.oid, m.oid, 'usage')
             order by 1) as has_rights_of
from pg_roles r
where r.rolname !~ '^pg_' and has_database_privilege(r.oid, current_database(), 'connect')
order by 1
