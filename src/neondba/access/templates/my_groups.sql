create or replace function @FUNCTION@() returns setof @TYPE@
    language sql stable security definer set search_path = ''
    as $$
        select member.@GROUP@ from @MEMBERS@ as member where member.@USER@ = @ME@@MORE@
    $$
