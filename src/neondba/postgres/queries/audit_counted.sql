-- Postgres 14+; privileges: any role that can connect; needs the extension pg_stat_statements.
select pg_get_userbyid(s.userid)::text as role,
       sum(s.calls)::bigint as calls,
       (select i.stats_reset from pg_stat_statements_info i) as counted_since
from pg_stat_statements s
group by 1
order by 1
