-- Postgres 14+; privileges: any role that can connect. Roles that people made, and what we noted on them.
select r.rolname::text as name, r.rolcanlogin as can_login, r.rolbypassrls as bypasses,
       r.rolsuper as superuser, shobj_description(r.oid, 'pg_authid') as comment,
       array(select g.rolname::text from pg_auth_members m join pg_roles g on g.oid = m.roleid
             where m.member = r.oid order by 1) as member_of,
       (select count(*)::int from pg_stat_activity a where a.usesysid = r.oid) as sessions
from pg_roles r
where r.oid >= 16384 and r.rolname not in ('cloud_admin', 'neon_superuser')
order by 1
