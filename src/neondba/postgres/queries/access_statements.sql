-- Postgres 14+; privileges: pg_read_all_stats to see other roles' statements; needs the extension pg_stat_statements.
select pg_get_userbyid(s.userid)::text as role,
       s.query,
       s.calls,
       s.rows,
       -- From 17 on each statement says since when it is counted.
       coalesce((to_jsonb(s) ->> 'stats_since')::timestamptz, (select i.stats_reset from pg_stat_statements_info i)) as since
from pg_stat_statements s
where s.dbid = (select d.oid from pg_database d where d.datname = current_database())
order by s.calls desc
limit 5000
