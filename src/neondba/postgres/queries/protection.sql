-- Postgres 14+; privileges: any role that can connect. What stands between role $1 and each table's rows.
select format('%I.%I', n.nspname, c.relname) as name,
       c.relrowsecurity as enabled,
       c.relforcerowsecurity as forced,
       pg_get_userbyid(c.relowner) as owner,
       pg_has_role($1, c.relowner, 'usage') as owns,
       has_table_privilege($1, c.oid, 'select') as can_select,
       has_table_privilege($1, c.oid, 'insert') as can_insert,
       has_table_privilege($1, c.oid, 'update') as can_update,
       has_table_privilege($1, c.oid, 'delete') as can_delete,
       has_table_privilege($1, c.oid, 'truncate') as can_truncate,
       coalesce((select json_agg(json_build_object(
                     'name', p.polname,
                     'roles', (select coalesce(json_agg(pg_get_userbyid(r)) filter (where r <> 0), '[]')
                               from unnest(p.polroles) r),
                     'applies', (select bool_or(r = 0 or pg_has_role($1, r, 'usage'))
                                 from unnest(p.polroles) r),
                     'using', pg_get_expr(p.polqual, p.polrelid),
                     'check', pg_get_expr(p.polwithcheck, p.polrelid)) order by p.polname)
                 from pg_policy p where p.polrelid = c.oid), '[]') as policies
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and not c.relispartition
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
order by 1
