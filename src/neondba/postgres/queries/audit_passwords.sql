-- Postgres 14+; privileges: superuser. How passwords are stored; not what they are.
select r.rolname::text as role,
       r.rolpassword like 'md5%' as md5
from pg_authid r
where r.rolcanlogin and r.rolpassword is not null
order by 1
