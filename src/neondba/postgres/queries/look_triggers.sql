-- Postgres 14+; privileges: any role that can connect. Triggers that are switched off.
select format('%I.%I', n.nspname, c.relname) as relation,
       n.nspname::text as schema,
       t.tgname::text as name,
       t.tgisinternal as internal,
       k.conname::text as constraint,
       k.contype::text as constraint_type
from pg_trigger t
join pg_class c on c.oid = t.tgrelid
join pg_namespace n on n.oid = c.relnamespace
left join pg_constraint k on k.oid = t.tgconstraint
where t.tgenabled = 'D' and not c.relispartition
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
order by 1, 3
