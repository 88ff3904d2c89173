-- Postgres 15+; privileges: any role that can connect. Sequences of identity columns are read with those.
select 'pg_class'::regclass::oid as classid, c.oid as objid, 0 as objsubid,
       format('%I.%I', n.nspname, c.relname) as name,
       pg_get_userbyid(c.relowner) as owner,
       s.seqtypid::regtype::text as type,
       s.seqstart as start, s.seqincrement as increment,
       s.seqmin as minimum, s.seqmax as maximum, s.seqcache as cache, s.seqcycle as cycle,
       c.relpersistence = 'u' as unlogged,
       (select format('%I.%I.%I', tn.nspname, t.relname, a.attname)
        from pg_depend d
        join pg_class t on t.oid = d.refobjid
        join pg_namespace tn on tn.oid = t.relnamespace
        join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
        where d.classid = 'pg_class'::regclass and d.objid = c.oid
          and d.refclassid = 'pg_class'::regclass and d.deptype = 'a' limit 1) as owned_by
from pg_sequence s
join pg_class c on c.oid = s.seqrelid
join pg_namespace n on n.oid = c.relnamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend x
                  where x.classid = 'pg_class'::regclass and x.objid = c.oid and x.deptype in ('e', 'i'))
