-- Postgres 15+; privileges: any role that can connect.
select 'pg_type'::regclass::oid as classid, t.oid as objid, 0 as objsubid,
       format('%I.%I', n.nspname, t.typname) as name,
       pg_get_userbyid(t.typowner) as owner,
       format_type(t.typbasetype, t.typtypmod) as type,
       case when t.typcollation <> b.typcollation then t.typcollation::regcollation::text end as collation,
       t.typnotnull as not_null,
       pg_get_expr(t.typdefaultbin, 0) as default,
       (select coalesce(jsonb_object_agg(format('%I', k.conname),
                                         jsonb_build_array(regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''),
                                                           k.convalidated)), '{}')
        from pg_constraint k where k.contypid = t.oid and k.contype = 'c') as checks
from pg_type t
join pg_type b on b.oid = t.typbasetype
join pg_namespace n on n.oid = t.typnamespace
where t.typtype = 'd'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend x
                  where x.classid = 'pg_type'::regclass and x.objid = t.oid and x.deptype = 'e')
