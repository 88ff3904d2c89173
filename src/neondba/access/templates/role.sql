do $$
begin
    if not exists (select from pg_roles where rolname = @NAME@) then
        create role @ROLE@ login noinherit nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
        comment on role @ROLE@ is @MARK@;
@SETTINGS@    elsif exists (select from pg_roles where rolname = @NAME@ and (rolsuper or rolbypassrls)) then
        raise exception 'role % passes row-level security by: give the application another one', @NAME@;
    end if;
end
$$
