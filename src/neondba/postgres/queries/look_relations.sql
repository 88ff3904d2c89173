-- Postgres 14+; privileges: any role that can connect. Tables, views and foreign tables, not of extensions.
select format('%I.%I', n.nspname, c.relname) as name,
       n.nspname::text as schema,
       case c.relkind when 'v' then 'view' when 'm' then 'materialized view'
                      when 'f' then 'foreign table' else 'table' end as kind,
       pg_get_userbyid(c.relowner)::text as owner,
       c.relrowsecurity as secured,
       c.relforcerowsecurity as forced,
       c.relpersistence = 'u' as unlogged,
       c.relispartition as is_partition,
       exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary) as has_key,
       coalesce(c.reloptions, '{}') as options,
       array(select lower(x.privilege_type) from aclexplode(c.relacl) x where x.grantee = 0
             order by 1) as public_may,
       array(select a.attname::text from pg_attribute a
             where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
             order by a.attnum) as columns
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f') and c.relpersistence <> 't'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend x
                  where x.classid = 'pg_class'::regclass and x.objid = c.oid and x.deptype = 'e')
order by 1
