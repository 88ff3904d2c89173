-- What every Neon project has before its first own role: the group that API-made roles belong to.
create role neon_superuser createdb createrole bypassrls replication nologin;
grant pg_read_all_data, pg_write_all_data to neon_superuser;
grant pg_monitor, pg_signal_backend to neon_superuser with admin option;
grant execute on function pg_export_snapshot() to neon_superuser;
grant execute on function pg_show_replication_origin_status() to neon_superuser;
