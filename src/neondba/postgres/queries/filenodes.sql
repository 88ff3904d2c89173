-- Postgres 14+; privileges: any role that can connect. A new file node means the whole relation was written.
select c.oid, format('%I.%I', n.nspname, c.relname) as name, c.relkind::text as kind,
       coalesce(pg_relation_filenode(c.oid), 0) as filenode
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'm', 'i')
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
