-- Postgres 14+; privileges: any role that can connect. Views and all tables they read, through views too.
with recursive reads(view, relation) as (
    select v.oid, d.refobjid
    from pg_class v
    join pg_rewrite w on w.ev_class = v.oid
    join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid
                    and d.refclassid = 'pg_class'::regclass and d.refobjid <> v.oid
    where v.relkind in ('v', 'm')
    union
    select r.view, d.refobjid
    from reads r
    join pg_rewrite w on w.ev_class = r.relation
    join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid
                    and d.refclassid = 'pg_class'::regclass and d.refobjid <> r.relation
)
select format('%I.%I', n.nspname, c.relname) as name,
       n.nspname::text as schema,
       c.relkind = 'm' as materialized,
       exists (select from unnest(c.reloptions) o
               where o ~* '^security_invoker=(on|true|yes|1)$') as invoker,
       pg_get_userbyid(c.relowner)::text as owner,
       array(select distinct format('%I.%I', tn.nspname, t.relname)
             from reads r join pg_class t on t.oid = r.relation
             join pg_namespace tn on tn.oid = t.relnamespace
             where r.view = c.oid and t.relkind in ('r', 'p')) as tables,
       array(select distinct format('%I.%I', tn.nspname, t.relname)
             from reads r join pg_class t on t.oid = r.relation
             join pg_namespace tn on tn.oid = t.relnamespace
             where r.view = c.oid and t.relkind in ('r', 'p') and t.relrowsecurity) as secured
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('v', 'm') and c.relpersistence <> 't'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend x
                  where x.classid = 'pg_class'::regclass and x.objid = c.oid and x.deptype = 'e')
order by 1
