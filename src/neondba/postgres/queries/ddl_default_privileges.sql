-- Postgres 15+; privileges: any role that can connect.
select 'pg_default_acl'::regclass::oid as classid, d.oid as objid, 0 as objsubid,
       concat_ws(' ', format('%I', pg_get_userbyid(d.defaclrole)), k.word,
                 'in ' || quote_ident(n.nspname)) as name,
       format('%I', pg_get_userbyid(d.defaclrole)) as role,
       quote_ident(n.nspname) as in_schema,
       k.word as objects
from pg_default_acl d
left join pg_namespace n on n.oid = d.defaclnamespace
join (values ('r'::"char", 'TABLES'), ('S', 'SEQUENCES'), ('f', 'FUNCTIONS'), ('T', 'TYPES'), ('n', 'SCHEMAS'))
     k (letter, word) on k.letter = d.defaclobjtype
