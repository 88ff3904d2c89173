-- Postgres 15+; privileges: any role that can connect. Foreign keys, and constraints that old rows need not fit,
-- with the statements that drop and make them.
select n.nspname as schema, c.relname as table, pg_get_userbyid(c.relowner) as owner,
       format('alter table %I.%I drop constraint %I', n.nspname, c.relname, k.conname) as before,
       format('alter table %I.%I add constraint %I %s', n.nspname, c.relname, k.conname, pg_get_constraintdef(k.oid))
           as after,
       format('comment on constraint %I on %I.%I is %L', k.conname, n.nspname, c.relname,
              obj_description(k.oid, 'pg_constraint')) as comment,
       obj_description(k.oid, 'pg_constraint') is not null as has_comment
from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
where (k.contype = 'f' or k.contype in ('c', 'n') and not k.convalidated and k.coninhcount = 0)
  and k.conparentid = 0 and k.conrelid <> 0 and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
order by k.oid
