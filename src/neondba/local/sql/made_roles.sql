-- The roles that the API lists: everybody's but the platform's own.
select rolname, not rolcanlogin
from pg_roles
where not rolsuper and rolname <> 'neon_superuser' and rolname !~ '^pg_'
order by oid
