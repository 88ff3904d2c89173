-- Postgres 15+; privileges: any role that can connect. Indexes that are made faster after the rows are there:
-- those that nothing else depends on, and that have nothing a definition does not say.
select n.nspname as schema, c.relname as table, pg_get_userbyid(c.relowner) as owner,
       format('drop index %I.%I', n.nspname, x.relname) as before, pg_get_indexdef(i.indexrelid) as after,
       format('comment on index %I.%I is %L', n.nspname, x.relname, obj_description(x.oid, 'pg_class')) as comment,
       obj_description(x.oid, 'pg_class') is not null as has_comment
from pg_index i
join pg_class x on x.oid = i.indexrelid
join pg_class c on c.oid = i.indrelid
join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'r' and not c.relispartition and not x.relispartition and i.indisvalid
  and not i.indisreplident and not i.indisclustered and not i.indisprimary
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype <> 'f')
  and not exists (select from pg_depend d where d.objid = c.oid and d.classid = 'pg_class'::regclass and d.deptype = 'e')
  and not exists (select from pg_attribute a where a.attrelid = i.indexrelid and coalesce(a.attstattarget, -1) >= 0)
order by x.oid
