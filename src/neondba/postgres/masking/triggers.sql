-- Postgres 15+; privileges: any role that can connect. Triggers that would fire while rows are copied.
select n.nspname as schema, c.relname as table, pg_get_userbyid(c.relowner) as owner,
       format('alter table %I.%I disable trigger %I', n.nspname, c.relname, t.tgname) as before,
       format('alter table %I.%I enable %s trigger %I', n.nspname, c.relname,
              case t.tgenabled when 'A' then 'always' else '' end, t.tgname) as after,
       '' as comment, false as has_comment
from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
where not t.tgisinternal and t.tgenabled in ('O', 'A') and t.tgparentid = 0 and c.relkind in ('r', 'p')
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
order by t.oid
