-- Postgres 15+; privileges: any role that can connect. An owner who holds what owners hold by default is left out.
with objects as (
    select 'pg_class'::regclass::oid as classid, c.oid as objid, 0 as objsubid, c.relowner as owner, c.relacl as acl,
           case c.relkind when 'S' then 's' else 'r' end::"char" as kind
    from pg_class c where c.relacl is not null
    union all
    select 'pg_class'::regclass, a.attrelid, a.attnum, c.relowner, a.attacl, 'c'
    from pg_attribute a join pg_class c on c.oid = a.attrelid where a.attacl is not null
    union all
    select 'pg_namespace'::regclass, n.oid, 0, n.nspowner, n.nspacl, 'n'
    from pg_namespace n where n.nspacl is not null
    union all
    select 'pg_proc'::regclass, p.oid, 0, p.proowner, p.proacl, 'f' from pg_proc p where p.proacl is not null
    union all
    select 'pg_type'::regclass, t.oid, 0, t.typowner, t.typacl, 'T' from pg_type t where t.typacl is not null
    union all
    select 'pg_default_acl'::regclass, d.oid, 0, d.defaclrole, d.defaclacl,
           case d.defaclobjtype when 'S' then 's' else d.defaclobjtype end
    from pg_default_acl d
)
select o.classid, o.objid, o.objsubid,
       case when e.grantee = 0 then 'PUBLIC' when e.grantee = o.owner then '@owner'
            else quote_ident(pg_get_userbyid(e.grantee)) end as grantee,
       array_agg(e.privilege_type || case when e.is_grantable then '*' else '' end order by e.privilege_type) as privileges,
       array_agg(e.privilege_type order by e.privilege_type)
         = (select array_agg(s.privilege_type order by s.privilege_type)
            from aclexplode(acldefault(o.kind, o.owner)) s where s.grantee = e.grantee) as standard
from objects o
left join lateral aclexplode(o.acl) e on true
group by o.classid, o.objid, o.objsubid, o.owner, o.kind, e.grantee
