-- Postgres 14+; privileges: any role that can connect. Locks of other sessions on relations of this database.
select c.oid, format('%I.%I', n.nspname, c.relname) as name, l.mode, l.granted, l.pid
from pg_locks l
join pg_class c on c.oid = l.relation
join pg_namespace n on n.oid = c.relnamespace
where l.locktype = 'relation' and l.pid <> pg_backend_pid()
  and l.database = (select d.oid from pg_database d where d.datname = current_database())
  and c.relkind in ('r', 'p', 'm')
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
