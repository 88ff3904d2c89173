-- Postgres 15+; privileges: any role that can connect.
select 'pg_type'::regclass::oid as classid, t.oid as objid, 0 as objsubid,
       format('%I.%I', n.nspname, t.typname) as name,
       pg_get_userbyid(t.typowner) as owner,
       c.oid as relation,
       (select coalesce(jsonb_agg(jsonb_build_array(format('%I', a.attname),
                                                    format_type(a.atttypid, a.atttypmod)
                                                    || case when a.attcollation <> b.typcollation
                                                            then ' COLLATE ' || a.attcollation::regcollation else '' end)
                                  order by a.attnum), '[]')
        from pg_attribute a join pg_type b on b.oid = a.atttypid
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as attributes
from pg_type t
join pg_class c on c.oid = t.typrelid and c.relkind = 'c'
join pg_namespace n on n.oid = t.typnamespace
where t.typtype = 'c'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend x
                  where x.classid = 'pg_type'::regclass and x.objid = t.oid and x.deptype = 'e')
