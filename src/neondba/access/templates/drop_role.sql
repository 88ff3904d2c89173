do $$
begin
    if exists (select from pg_roles r where r.rolname = @NAME@
               and shobj_description(r.oid, 'pg_authid') = @MARK@
               and not exists (select from pg_shdepend d
                               where d.refclassid = 'pg_authid'::regclass and d.refobjid = r.oid)
               and not exists (select from pg_stat_activity a where a.usesysid = r.oid)) then
        drop role @ROLE@;
    end if;
end
$$
