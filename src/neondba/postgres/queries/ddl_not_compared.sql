-- Postgres 15+; privileges: any role that can connect. Kinds of objects that a Schema leaves out.
with left_out as (
    select 'foreign table' as kind, 'pg_class'::regclass as classid, oid from pg_class where relkind = 'f'
    union all select 'foreign server', 'pg_foreign_server'::regclass, oid from pg_foreign_server
    union all select 'foreign data wrapper', 'pg_foreign_data_wrapper'::regclass, oid from pg_foreign_data_wrapper
    union all select 'user mapping', 'pg_user_mapping'::regclass, umid from pg_user_mappings
    union all select 'cast', 'pg_cast'::regclass, oid from pg_cast
    union all select 'operator', 'pg_operator'::regclass, oid from pg_operator
    union all select 'operator class', 'pg_opclass'::regclass, oid from pg_opclass
    union all select 'collation', 'pg_collation'::regclass, oid from pg_collation
    union all select 'conversion', 'pg_conversion'::regclass, oid from pg_conversion
    union all select 'language', 'pg_language'::regclass, oid from pg_language
    union all select 'transform', 'pg_transform'::regclass, oid from pg_transform
    union all select 'access method', 'pg_am'::regclass, oid from pg_am
    union all select 'text search configuration', 'pg_ts_config'::regclass, oid from pg_ts_config
    union all select 'text search dictionary', 'pg_ts_dict'::regclass, oid from pg_ts_dict
    union all select 'base type', 'pg_type'::regclass, oid from pg_type where typtype = 'b' and typelem = 0
    union all select 'publication', 'pg_publication'::regclass, oid from pg_publication
)
select l.kind, count(*)::int as number
from left_out l
where l.oid >= 16384
  and not exists (select from pg_depend x
                  where x.classid = l.classid and x.objid = l.oid and x.deptype in ('e', 'i'))
group by l.kind
order by l.kind
