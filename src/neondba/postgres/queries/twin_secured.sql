-- Postgres 14+; privileges: any role that can connect. Tables whose policies bind this session's role.
select format('%I.%I', n.nspname, c.relname) as name, n.nspname::text as schema
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and c.relrowsecurity and n.nspname !~ '^pg_'
  and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')
  and row_security_active(c.oid)
order by 1
limit 200
