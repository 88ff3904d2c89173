-- Run inside a new database; the caller then gives the public schema to the database's owner.
alter default privileges in schema public grant all on tables to neon_superuser with grant option;
alter default privileges in schema public grant all on sequences to neon_superuser with grant option;
