-- Postgres 14+; privileges: any role that can connect. What a role ($1) leaves behind when it goes: objects by
-- database, and here the policies that are for it alone.
select coalesce(d.datname::text, '') as database,
       count(*) filter (where s.deptype = 'o' and s.classid <> 'pg_default_acl'::regclass)::int as owned,
       count(*) filter (where s.deptype in ('a', 'r'))::int as rights,
       array(select format('%I on %s', p.polname, p.polrelid::regclass) from pg_policy p
             where p.polroles = array[r.oid] and d.datname = current_database() order by 1) as policies
from pg_roles r
join pg_shdepend s on s.refclassid = 'pg_authid'::regclass and s.refobjid = r.oid
left join pg_database d on d.oid = s.dbid
where r.rolname = $1 and (d.datname is not null or s.deptype = 'o')
group by r.oid, d.datname
order by 1
