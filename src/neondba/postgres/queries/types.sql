-- Postgres 14+; privileges: any role that can connect. Composite types and ranges made by the project.
select format('%I.%I', n.nspname, t.typname) as name,
       case t.typtype when 'c' then 'composite type' else 'range type' end as kind,
       case when t.typtype = 'r'
            then (select format_type(r.rngsubtype, null) from pg_range r where r.rngtypid = t.oid)
            else (select string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)),
                                    ', ' order by a.attnum)
                  from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped)
       end as definition
from pg_type t
join pg_namespace n on n.oid = t.typnamespace
left join pg_class c on c.oid = t.typrelid
where (t.typtype = 'r' or (t.typtype = 'c' and c.relkind = 'c'))
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend x
                  where x.classid = 'pg_type'::regclass and x.objid = t.oid and x.deptype = 'e')
