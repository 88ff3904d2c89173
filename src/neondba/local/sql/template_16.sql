-- What PostgreSQL 16 brought of it.
grant pg_create_subscription to neon_superuser;
grant execute on function pg_log_standby_snapshot() to neon_superuser;
