-- Postgres 14+; privileges: any role that can connect.
select format('%s %s', o.type, o.identity) as name,
       d.description as text
from pg_description d
cross join lateral pg_identify_object(d.classoid, d.objoid, d.objsubid) o
where d.objoid >= 16384 and d.classoid <> 'pg_extension'::regclass
  and o.identity !~ '^pg_'
  and not exists (select from pg_depend x
                  where x.classid = d.classoid and x.objid = d.objoid and x.deptype = 'e')
