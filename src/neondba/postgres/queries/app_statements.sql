-- Postgres 14+; privileges: pg_read_all_stats to see other roles' statements; needs the extension pg_stat_statements.
select s.query, s.calls
from pg_stat_statements s
where s.dbid = (select oid from pg_database where datname = current_database())
  and s.query ~* '^\s*(select|update|delete|with)\y' and s.query !~* 'pg_catalog|pg_stat|pg_class|information_schema'
order by s.calls desc
limit 200
