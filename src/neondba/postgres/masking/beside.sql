-- Postgres 15+; privileges: any role that can connect. What holds data and is not copied by table.
select (select count(*) from pg_largeobject_metadata) as large_objects,
       (select count(*) from pg_foreign_table) as foreign_tables,
       (select count(*) from pg_user_mappings) as user_mappings,
       (select count(*) from pg_class c
        where c.relkind = 'r' and c.relpages > 0 and c.oid = any (
            select unnest(e.extconfig) from pg_extension e)) as extension_tables
