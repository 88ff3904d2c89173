-- Postgres 15+; privileges: any role that can connect.
select 'pg_trigger'::regclass::oid as classid, t.oid as objid, 0 as objsubid,
       format('%I.%I.%I', n.nspname, c.relname, t.tgname) as name,
       format('%I.%I', n.nspname, c.relname) as table,
       format('%I', t.tgname) as part,
       pg_get_triggerdef(t.oid) as definition,
       case t.tgenabled when 'O' then 'ENABLE' when 'D' then 'DISABLE'
                        when 'R' then 'ENABLE REPLICA' else 'ENABLE ALWAYS' end as state,
       t.tgparentid <> 0 as inherited
from pg_trigger t
join pg_class c on c.oid = t.tgrelid
join pg_namespace n on n.oid = c.relnamespace
where not t.tgisinternal and c.relpersistence <> 't' and c.relkind in ('r', 'p', 'v')
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend x
                  where x.classid = 'pg_class'::regclass and x.objid = c.oid and x.deptype = 'e')
