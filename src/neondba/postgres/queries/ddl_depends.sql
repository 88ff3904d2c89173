-- Postgres 15+; privileges: any role that can connect.
select distinct d.classid, d.objid, d.objsubid, d.refclassid, d.refobjid, d.refobjsubid, d.deptype::text as type
from pg_depend d
where d.objid >= 16384 and d.deptype in ('n', 'a', 'i', 'e', 'P', 'S')
