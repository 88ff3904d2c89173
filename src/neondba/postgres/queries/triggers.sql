-- Postgres 14+; privileges: any role that can connect.
select format('%I.%I.%I', n.nspname, c.relname, t.tgname) as name,
       pg_get_triggerdef(t.oid) as definition,
       case t.tgenabled when 'O' then 'enabled' when 'D' then 'disabled'
                        when 'R' then 'replica' else 'always' end as state
from pg_trigger t
join pg_class c on c.oid = t.tgrelid
join pg_namespace n on n.oid = c.relnamespace
where not t.tgisinternal
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
