create or replace function @FUNCTION@(wanted @TYPE@) returns boolean
    language sql stable security definer set search_path = ''
    as $$
        select not exists (select from @MEMBERS@ as member where member.@GROUP@ = wanted)
    $$
