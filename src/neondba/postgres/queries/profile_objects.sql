-- Postgres 14+; privileges: any role that can connect. Tables, sequences and functions of schemas ($1), and
-- what a role ($2) may do with them. Those of extensions are left out.
with objects as (
    select 'table' as kind, c.oid, n.nspname, format('%I.%I', n.nspname, c.relname) as name, c.relowner as owner
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f') and c.relpersistence <> 't'
      and not exists (select from pg_depend x where x.classid = 'pg_class'::regclass and x.objid = c.oid
                      and x.deptype = 'e')
    union all
    select 'sequence', c.oid, n.nspname, format('%I.%I', n.nspname, c.relname), c.relowner
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'S' and c.relpersistence <> 't'
      and not exists (select from pg_depend x where x.classid = 'pg_class'::regclass and x.objid = c.oid
                      and x.deptype = 'e')
    union all
    select 'routine', p.oid, n.nspname,
           format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)), p.proowner
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where not exists (select from pg_depend x where x.classid = 'pg_proc'::regclass and x.objid = p.oid
                      and x.deptype = 'e')
)
select o.kind, o.nspname::text as schema, o.name, w.rolname::text as owner,
       pg_has_role(o.owner, 'usage') as grantable,
       case when r.oid is null then '{}'::text[]
            when o.kind = 'table' then
              array(select p from unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references',
                                               'trigger']) p where has_table_privilege(r.oid, o.oid, p))
            when o.kind = 'sequence' then
              array(select p from unnest(array['select', 'usage', 'update']) p
                    where has_sequence_privilege(r.oid, o.oid, p))
            else array(select p from unnest(array['execute']) p where has_function_privilege(r.oid, o.oid, p))
       end as held
from objects o
join pg_roles w on w.oid = o.owner
left join pg_roles r on r.rolname = $2
where o.nspname = any ($1)
order by 1, 2, 3
