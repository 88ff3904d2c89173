-- Postgres 15+; privileges: any role that can connect.
select 'pg_type'::regclass::oid as classid, t.oid as objid, 0 as objsubid,
       format('%I.%I', n.nspname, t.typname) as name,
       pg_get_userbyid(t.typowner) as owner,
       format_type(r.rngsubtype, null) as subtype,
       case when not o.opcdefault then format('%I.%I', on_.nspname, o.opcname) end as operator_class,
       case when r.rngcollation <> s.typcollation then r.rngcollation::regcollation::text end as collation,
       nullif(r.rngcanonical::text, '-') as canonical,
       nullif(r.rngsubdiff::text, '-') as subtype_diff,
       (select format('%I', m.typname) from pg_type m where m.oid = r.rngmultitypid) as multirange
from pg_range r
join pg_type t on t.oid = r.rngtypid
join pg_type s on s.oid = r.rngsubtype
join pg_opclass o on o.oid = r.rngsubopc
join pg_namespace on_ on on_.oid = o.opcnamespace
join pg_namespace n on n.oid = t.typnamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend x
                  where x.classid = 'pg_type'::regclass and x.objid = t.oid and x.deptype = 'e')
