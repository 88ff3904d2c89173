-- Postgres 14+; privileges: pg_read_all_stats to see other roles' statements; needs the extension pg_stat_statements.
select /* neondba watches */ s.userid || ':' || s.queryid || ':' || s.toplevel as id, s.query, s.calls
from pg_stat_statements s
where s.dbid = (select oid from pg_database where datname = current_database())
  and s.userid = (select oid from pg_roles where rolname = $1)
  and s.query not like $2
