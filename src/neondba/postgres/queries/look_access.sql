-- Postgres 14+; privileges: any role that can connect. What roles that own nothing may do with a relation.
select format('%I.%I', n.nspname, c.relname) as relation,
       r.rolname::text as role,
       has_any_column_privilege(r.oid, c.oid, 'select') as can_select,
       case when has_table_privilege(r.oid, c.oid, 'select') then null
            else array(select a.attname::text from pg_attribute a
                       where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                         and has_column_privilege(r.oid, c.oid, a.attnum, 'select')) end as only_columns,
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
  and not pg_has_role(r.oid, c.relowner, 'usage')
  and has_schema_privilege(r.oid, n.oid, 'usage')
  and (has_any_column_privilege(r.oid, c.oid, 'select, insert, update')
       or has_table_privilege(r.oid, c.oid, 'delete, truncate'))
order by 1, 2
