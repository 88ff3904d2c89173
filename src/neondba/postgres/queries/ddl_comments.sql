-- Postgres 15+; privileges: any role that can connect.
select d.classoid as classid, d.objoid as objid, d.objsubid, d.description as text
from pg_description d
where d.objoid >= 16384 or d.classoid = 'pg_namespace'::regclass
