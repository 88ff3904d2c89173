-- A role as Neon's API makes it. BYPASSRLS is not inherited through neon_superuser, so the role carries it.
create role neondb_owner login inherit createrole createdb bypassrls replication in role neon_superuser;
