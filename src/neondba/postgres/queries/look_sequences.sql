-- Postgres 14+; privileges: USAGE or SELECT on a sequence to see its value. Sequences and columns they feed.
with feeds as (
    select d.objid as sequence, d.refobjid as relation, d.refobjsubid as num, d.deptype = 'i' as identity
    from pg_depend d
    where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass
      and d.deptype in ('a', 'i') and d.refobjsubid > 0
    union
    select d.refobjid, f.adrelid, f.adnum, false
    from pg_depend d
    join pg_attrdef f on f.oid = d.objid
    where d.classid = 'pg_attrdef'::regclass and d.refclassid = 'pg_class'::regclass
      and pg_get_expr(f.adbin, f.adrelid) ~ 'nextval'
)
select format('%I.%I', sn.nspname, sc.relname) as name,
       format_type(q.seqtypid, null) as type,
       q.seqmax as most,
       q.seqmin as least,
       q.seqincrement as step,
       q.seqcycle as cycles,
       case when has_sequence_privilege(q.seqrelid, 'select, usage')
            then pg_sequence_last_value(q.seqrelid) end as last_value,
       has_sequence_privilege(q.seqrelid, 'select, usage')
           and has_column_privilege(c.oid, a.attnum, 'select') as seen,
       q.seqstart as first,
       exists (select from pg_index i
               where i.indrelid = c.oid and i.indisvalid and i.indpred is null
                 and i.indkey[0] = a.attnum) as looked_up,
       format('%I.%I', n.nspname, c.relname) as relation,
       n.nspname::text as schema,
       quote_ident(a.attname) as column,
       format_type(a.atttypid, null) as column_type,
       bool_or(f.identity) as identity
from pg_sequence q
join pg_class sc on sc.oid = q.seqrelid
join pg_namespace sn on sn.oid = sc.relnamespace
join feeds f on f.sequence = q.seqrelid
join pg_class c on c.oid = f.relation and c.relkind in ('r', 'p')
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum = f.num
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and not c.relispartition
  and sc.relpersistence <> 't'
  and not exists (select from pg_depend x
                  where x.classid = 'pg_class'::regclass and x.objid = c.oid and x.deptype = 'e')
group by sn.nspname, sc.relname, q.seqrelid, q.seqtypid, q.seqmax, q.seqmin, q.seqincrement, q.seqcycle,
         q.seqstart, n.nspname, c.relname, c.oid, a.attname, a.attnum, a.atttypid
order by 1, 8, 10
