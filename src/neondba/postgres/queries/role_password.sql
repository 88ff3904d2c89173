-- Postgres 14+; privileges: CREATEROLE and the role made by this session's role. The password comes from a
-- table that was filled by COPY: neither the statement log nor pg_stat_statements ever see it, and an error
-- is raised anew because its context would quote the statement.
do $$
declare
    wanted record;
begin
    select role, password into strict wanted from pg_temp.neondba_password;
    execute format('alter role %I password %L', wanted.role, wanted.password);
exception when others then
    raise exception using errcode = sqlstate, message = sqlerrm;
end
$$
