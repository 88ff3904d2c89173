-- Postgres 15+; privileges: any role that can connect.
select 'pg_class'::regclass::oid as classid, c.oid as objid, 0 as objsubid,
       format('%I.%I', n.nspname, c.relname) as name,
       pg_get_userbyid(c.relowner) as owner,
       c.relkind = 'm' as materialized,
       pg_get_viewdef(c.oid) as definition,
       (select coalesce(array_agg(o order by o), '{}') from unnest(c.reloptions) o) as options,
       c.relispopulated as populated,
       (select coalesce(jsonb_agg(jsonb_build_array(format('%I', a.attname),
                                                    format_type(a.atttypid, a.atttypmod)
                                                    || case when a.attcollation <> t.typcollation
                                                            then ' COLLATE ' || a.attcollation::regcollation else '' end,
                                                    col_description(c.oid, a.attnum)) order by a.attnum), '[]')
        from pg_attribute a join pg_type t on t.oid = a.atttypid
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('v', 'm') and c.relpersistence <> 't'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend x
                  where x.classid = 'pg_class'::regclass and x.objid = c.oid and x.deptype = 'e')
