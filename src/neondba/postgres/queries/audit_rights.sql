-- Postgres 14+; privileges: any role that can connect. What each role may do with each relation in the end.
select r.rolname::text as role,
       n.nspname::text as schema,
       format('%I.%I', n.nspname, c.relname) as relation,
       has_schema_privilege(r.oid, n.oid, 'usage') as reaches,
       pg_has_role(r.oid, c.relowner, 'usage') as owns,
       has_any_column_privilege(r.oid, c.oid, 'select') as can_select,
       has_any_column_privilege(r.oid, c.oid, 'insert') as can_insert,
       has_any_column_privilege(r.oid, c.oid, 'update') as can_update,
       has_table_privilege(r.oid, c.oid, 'delete') as can_delete,
       has_table_privilege(r.oid, c.oid, 'truncate') as can_truncate
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
cross join pg_roles r
where c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition and c.relpersistence <> 't'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not r.rolsuper and r.rolname !~ '^pg_'
  and not exists (select from pg_depend x
                  where x.classid = 'pg_class'::regclass and x.objid = c.oid and x.deptype = 'e')
order by 1, 2, 3
