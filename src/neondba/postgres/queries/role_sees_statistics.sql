-- Postgres 14+; privileges: any role that can connect. Whether this session sees what others' sessions do.
select pg_has_role('pg_read_all_stats', 'usage') as sees, current_user::text as role
