-- Postgres 14+; privileges: any role that can connect.
select r.rolname as name, r.rolsuper as superuser, r.rolbypassrls as bypasses, r.rolcanlogin as can_login,
       r.oid >= 16384 as made_later
from pg_roles r
where r.rolname !~ '^pg_'
order by 1
