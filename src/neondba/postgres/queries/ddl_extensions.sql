-- Postgres 15+; privileges: any role that can connect.
select 'pg_extension'::regclass::oid as classid, e.oid as objid, 0 as objsubid,
       format('%I', e.extname) as name,
       e.extversion as version,
       format('%I', n.nspname) as in_schema
from pg_extension e
join pg_namespace n on n.oid = e.extnamespace
where e.extname <> 'plpgsql'
