-- Postgres 15+; privileges: any role that can connect.
select 'pg_rewrite'::regclass::oid as classid, r.oid as objid, 0 as objsubid,
       format('%I.%I.%I', n.nspname, c.relname, r.rulename) as name,
       format('%I.%I', n.nspname, c.relname) as table,
       format('%I', r.rulename) as part,
       pg_get_ruledef(r.oid) as definition,
       case r.ev_enabled when 'O' then 'ENABLE' when 'D' then 'DISABLE'
                         when 'R' then 'ENABLE REPLICA' else 'ENABLE ALWAYS' end as state
from pg_rewrite r
join pg_class c on c.oid = r.ev_class
join pg_namespace n on n.oid = c.relnamespace
where r.rulename <> '_RETURN' and c.relpersistence <> 't'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend x
                  where x.classid = 'pg_class'::regclass and x.objid = c.oid and x.deptype = 'e')
