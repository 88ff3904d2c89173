-- Postgres 14+; privileges: any role that can connect. Installed extensions and what the server offers.
select e.extname::text as name,
       n.nspname::text as schema,
       e.extrelocatable as relocatable,
       e.extversion as version,
       a.default_version as newest,
       exists (select from pg_available_extension_versions v
               where v.name = e.extname and v.version = e.extversion) as known
from pg_extension e
join pg_namespace n on n.oid = e.extnamespace
left join pg_available_extensions a on a.name = e.extname
order by 1
