-- Postgres 14+; privileges: any role that can connect. What stands in the way of a twin of a role ($1).
select pg_has_role(r.oid, 'usage with admin option')
         or (select rolsuper from pg_roles where rolname = current_user)
         or exists(select from pg_auth_members m join pg_roles c on c.oid = m.member
                   where m.roleid = r.oid and m.admin_option and c.rolname = current_user)
         -- Before 16, CREATEROLE reached every role that is no superuser.
         or (current_setting('server_version_num')::int < 160000 and not r.rolsuper and r.rolname <> current_user
             and (select rolcreaterole from pg_roles where rolname = current_user)) as may_manage,
       r.rolsuper as superuser, r.rolreplication as replicates, r.rolname = current_user as is_us,
       r.rolconnlimit as connection_limit, r.rolvaliduntil::text as valid_until,
       coalesce(r.rolconfig, '{}') as settings,
       coalesce((select jsonb_object_agg(d.datname, s.setconfig) from pg_db_role_setting s
                 join pg_database d on d.oid = s.setdatabase where s.setrole = r.oid), '{}') as by_database,
       array(select format('policy %I on %I.%I', p.policyname, p.schemaname, p.tablename) from pg_policies p
             where concat_ws(' ', p.qual, p.with_check) ~* 'session_user' order by 1) as policies_by_session,
       array(select format('function %I.%I', n.nspname, p.proname) from pg_proc p
             join pg_namespace n on n.oid = p.pronamespace
             where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and p.prosrc ~* 'session_user'
               and not exists (select from pg_depend x where x.classid = 'pg_proc'::regclass
                               and x.objid = p.oid and x.deptype = 'e')
             order by 1) as functions_by_session
from pg_roles r
where r.rolname = $1
