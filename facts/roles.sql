-- Roles belong to the whole server, so they are made once.
create role grp bypassrls nologin;
create role member login in role grp;
create role plain login;
create role holder login;
create role passer login bypassrls;
