-- Postgres 14+; privileges: pg_read_all_settings to see the preloaded libraries. What this server records of its use.
select (select s.setting from pg_settings s where s.name = 'shared_preload_libraries') as libraries,
       exists (select from pg_available_extensions e where e.name = 'pgaudit') as pgaudit_there,
       exists (select from pg_extension e where e.extname = 'pgaudit') as pgaudit_made,
       current_setting('pgaudit.log', true) as pgaudit_log,
       current_setting('pgaudit.role', true) as pgaudit_role,
       array(select coalesce(pg_get_userbyid(nullif(d.setrole, 0))::text, 'all roles') || ': ' || c
             from pg_db_role_setting d cross join unnest(d.setconfig) c
             where c like 'pgaudit.%' order by 1) as pgaudit_roles,
       current_setting('log_connections') as log_connections,
       current_setting('log_disconnections') as log_disconnections,
       current_setting('log_statement') as log_statement,
       exists (select from pg_roles r where r.rolname = 'neon_superuser') as is_neon,
       pg_postmaster_start_time() as started,
       current_database()::text as database
