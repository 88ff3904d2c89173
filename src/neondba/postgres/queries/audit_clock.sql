-- Postgres 14+; privileges: any role that can connect. Whose session this is, and since when the server counts.
select current_user::text as role,
       current_database()::text as database,
       current_setting('server_version') as version,
       pg_postmaster_start_time() as started,
       now() as now,
       current_setting('password_encryption') as encryption,
       (select pg_get_userbyid(d.datdba)::text from pg_database d where d.datname = current_database()) as owner
