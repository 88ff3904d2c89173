-- Postgres 15+; privileges: any role that can connect.
select 'pg_event_trigger'::regclass::oid as classid, e.oid as objid, 0 as objsubid,
       format('%I', e.evtname) as name,
       pg_get_userbyid(e.evtowner) as owner,
       e.evtevent as event,
       (select format('%I.%I', n.nspname, p.proname)
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace where p.oid = e.evtfoid) as function,
       coalesce(e.evttags, '{}') as tags,
       case e.evtenabled when 'O' then 'ENABLE' when 'D' then 'DISABLE'
                         when 'R' then 'ENABLE REPLICA' else 'ENABLE ALWAYS' end as state
from pg_event_trigger e
where not exists (select from pg_depend x
                  where x.classid = 'pg_event_trigger'::regclass and x.objid = e.oid and x.deptype = 'e')
