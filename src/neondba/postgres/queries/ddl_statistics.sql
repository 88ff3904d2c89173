-- Postgres 15+; privileges: any role that can connect.
select 'pg_statistic_ext'::regclass::oid as classid, s.oid as objid, 0 as objsubid,
       format('%I.%I', n.nspname, s.stxname) as name,
       pg_get_userbyid(s.stxowner) as owner,
       pg_get_statisticsobjdef(s.oid) as definition,
       nullif(s.stxstattarget, -1)::int as target
from pg_statistic_ext s
join pg_namespace n on n.oid = s.stxnamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
