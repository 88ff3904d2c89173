-- Postgres 14+; privileges: any role that can connect. The database itself, and since when it has counted.
select b.datname::text as database,
       current_user::text as role,
       current_setting('server_version_num')::int as version,
       extract(epoch from now() - greatest(d.stats_reset, pg_postmaster_start_time()))::float8 / 86400
           as counted_days,
       age(b.datfrozenxid)::bigint as transaction_age,
       current_setting('autovacuum_freeze_max_age')::bigint as freeze_age,
       current_setting('vacuum_failsafe_age')::bigint as failsafe_age,
       current_setting('autovacuum')::bool and current_setting('track_counts')::bool as autovacuum
from pg_database b
join pg_stat_database d on d.datid = b.oid
where b.datname = current_database()
