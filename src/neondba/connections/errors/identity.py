"""Who connects: passwords, roles, databases, rights, and from where."""

from __future__ import annotations

from typing import Final

from neondba.connections.errors import sources
from neondba.connections.errors.entry import Concern, Entry

_ADDRESS: Final = (Concern.ADDRESS, Concern.VARIABLE)

ENTRIES: Final = (
    Entry(
        "password-refused",
        "The password is not that of the role on this branch",
        (
            r"password authentication failed",
            r"\bp1000\b",
            r"authentication failed against database server",
            r"sqlstate 28p01",
            r"\binvalid_password\b",
            r"invalidpassword(?:error)?\b",
        ),
        "The password is old, belongs to another branch or project, or came through wrongly: quoted, cut "
        "at a $ or &, not percent-encoded. Child branches of a protected branch have passwords of their own. "
        "Neon says the same for a role that does not exist.",
        (
            "Copy the connection string of this very branch again: neondba branch checkout, or the Console.",
            "A role that SQL made has a password on each branch: neondba setup lets it in with that of .env.",
            "Check that role and branch fit: neondba branch list.",
            "Percent-encode @ : / ? # % in the password.",
            "If nobody knows it: reset the role's password, then change it everywhere it is used.",
        ),
        sources.NEON_ERRORS,
        concerns=_ADDRESS,
    ),
    Entry(
        "password-missing",
        "No password was given",
        (
            r"no password supplied",
            r"client password must be a string",
            r"password is missing",
            r"empty password returned by client",
        ),
        "The connection string has no password, or the variable it comes from is empty.",
        ("Check that the variable is set where the program runs, and that the string has :password@.",),
        sources.POSTGRES,
        concerns=(Concern.VARIABLE, Concern.ADDRESS),
        snippet="read-variable",
    ),
    Entry(
        "url-unreadable",
        "The connection string cannot be read as a URL",
        (
            r"invalid percent-encoded token",
            r"invalid port number",
            r"port could not be cast to integer",
            r"invalid integer value [^\n]+ for connection option \W*port",
            r"\bp1013\b",
            r"err_invalid_url",
            r"invalid database string",
            r"invalid dsn\b(?!: scheme)",
            r"failed to parse as (?:url|dsn|keyword)",
            r"could not parse sqlalchemy url",
            r"missing \W*=\W* after",
            r"invalid ipv6 url",
            r"typeerror: invalid url",
            r"invalid userinfo",
            r"first path segment in url cannot contain colon",
        ),
        "A character with a meaning of its own stands in the password (@ : / ? # %), a quote or "
        "a blank came along when copying, or the variable is empty.",
        (
            "Percent-encode the password: in Python urllib.parse.quote(password, safe=''), in Node "
            "encodeURIComponent(password).",
            "In a .env file put the whole value in quotes; take quotes out where the platform adds its own.",
        ),
        sources.GENERAL,
        concerns=_ADDRESS,
        snippet="encode-password",
    ),
    Entry(
        "role-missing",
        "The role does not exist on this branch",
        (
            r"role \W*(?P<name>[^\"' ]+)\W* does not exist",
            r"no postgresql user name specified",
            r"parameter 'user' is missing",
        ),
        "The connection string names no role, or one that was made on another branch, or after this branch.",
        ("List what is there: neondba branch list; then copy the string of this branch again.",),
        sources.POSTGRES,
        concerns=_ADDRESS,
    ),
    Entry(
        "role-without-login",
        "The role may not log in",
        (r"is not permitted to log in",),
        "The role was made with NOLOGIN (a group such as neon_superuser, or no_login in the API).",
        ("Log in as another role, or: alter role NAME login password '…'.",),
        sources.NEON_ROLES,
        concerns=_ADDRESS,
    ),
    Entry(
        "role-protected",
        "The role belongs to Neon",
        (r"\brole_protected\b", r"role name [^\n]+ is reserved", r"reserved role name"),
        "cloud_admin, neon_superuser, zenith_admin and pg_… are reserved; nobody logs in as them.",
        ("Use the role of your project, such as neondb_owner.",),
        sources.NEON_PROXY,
        concerns=_ADDRESS,
    ),
    Entry(
        "database-missing",
        "The database does not exist on this branch",
        (
            r"database \W*(?P<name>[^\"' ]+)\W* does not exist",
            r"\bp1003\b",
            r"sqlstate 3d000",
            r"invalidcatalognameerror",
        ),
        "The name after the last / is misspelt, belongs to another branch, or the default of another tool "
        "(postgres). Neon's own default is neondb.",
        (
            "Look at the databases of the branch in the Console or with psql -l.",
            "Correct the connection string.",
        ),
        sources.POSTGRES,
        concerns=_ADDRESS,
    ),
    Entry(
        "right-missing",
        "The role lacks a right",
        (
            r"permission denied for (?:table|schema|sequence|database|relation|function|view|column) "
            r"?(?P<name>[\w.]*)",
            r"\bp1010\b",
            r"was denied access on the database",
        ),
        "Roles made by SQL have no rights until they are granted, and none on tables that are made later. "
        "In schema public, CREATE belongs to the database's owner since PostgreSQL 15.",
        (
            "As the owner: grant usage on schema public to NAME; grant select, insert, update, delete on all "
            "tables in schema public to NAME.",
            "For tables to come: alter default privileges … grant … to NAME, as the role that makes them.",
        ),
        sources.POSTGRES,
    ),
    Entry(
        "not-owner",
        "Only the owner may do that",
        (r"must be owner of (?:table|relation|schema|database|view|sequence|function) ?(?P<name>\S*)",),
        "ALTER and DROP need the owner. neon_superuser is no superuser: it owns nothing by itself.",
        (
            "Run migrations as the role that made the tables.",
            "Or hand it over: reassign owned by OLD to NEW.",
        ),
        sources.NEON_ROLES,
    ),
    Entry(
        "not-superuser",
        "It needs a superuser, and Neon gives none",
        (
            r"must be superuser",
            r"permission denied to (?:create extension|create role|alter role|set parameter|"
            r"set role|grant role|create database)",
            r"only superusers? (?:can|may)",
        ),
        "Roles of the API belong to neon_superuser: they create databases and roles, but are no superusers. "
        "Roles made by SQL have not even that.",
        (
            "Run it as a role that was made through the Console or the API.",
            "Extensions: only those on Neon's list. Server parameters: only those that a session may set.",
        ),
        sources.NEON_ROLES,
    ),
    Entry(
        "policy-refused-row",
        "A row-level security policy refuses the row",
        (r"new row violates row-level security policy",),
        "The WITH CHECK of a policy does not hold for the new row; often the identity was not set in this "
        "transaction.",
        (
            "Set the identity in the same transaction: select set_config('app.user_id', '…', true).",
            "Never with SET for the session: behind the pooler the next statement may run elsewhere.",
        ),
        sources.POSTGRES,
    ),
    Entry(
        "no-pg-hba",
        "The server has no rule for this client",
        (r"no pg_hba\.conf entry for host",),
        "That is a PostgreSQL of your own or of another provider: Neon's proxy does not say this to clients.",
        ("Check the host in the connection string.",),
        sources.POSTGRES,
        concerns=_ADDRESS,
    ),
    Entry(
        "address-not-allowed",
        "The IP address is not on the allow list",
        (r"this ip address (?P<name>\S+) is not allowed to connect", r"ip address [^\n]{0,60}is not allowed"),
        "IP Allow is on for the project, and this address is not in it. The machine may leave by IPv6 where "
        "IPv4 is listed, or the other way round.",
        (
            "Add the address that the error names; IPv4 and IPv6 both, where the machine has both.",
            "Platforms without fixed addresses need a NAT with one, or no list.",
        ),
        sources.NEON_PROXY,
    ),
    Entry(
        "network-blocked",
        "The project is closed for this network",
        (r"trying to access this endpoint from a blocked network",),
        "block_public_connections or block_vpc_connections is on in the project's settings.",
        ("Connect from the network that is meant, or change the setting.",),
        sources.NEON_PROXY,
    ),
    Entry(
        "vpc-endpoint-missing",
        "The project takes private connections only",
        (r"vpc endpoint id is not specified",),
        "The connection came over the public way, and the project is restricted to VPC endpoints.",
        ("Connect through the VPC endpoint (AWS PrivateLink), with private DNS on.",),
        sources.NEON_PROXY,
        over=("endpoint-not-specified",),
    ),
    Entry(
        "vpc-endpoint-not-allowed",
        "This VPC endpoint is not assigned to the project",
        (r"this vpc endpoint id (?P<name>\S+) is not allowed",),
        "The VPC endpoint belongs to the organisation, but not to this project.",
        ("Assign it: project settings, network security, or the API's vpc_endpoints of the project.",),
        sources.NEON_PROXY,
    ),
    Entry(
        "method-unknown",
        "The driver does not know how Neon asks for passwords",
        (
            r"authentication method 10 not supported",
            r"scram authentication requires libpq",
            r"unknown authentication method\b",
            r"unknown authenticationok message type",
            r"authentication type 10 is not supported",
        ),
        "Neon uses SCRAM-SHA-256; the driver is older than that.",
        ("Update the driver (libpq 10, pg 7.9, JDBC 42.2 and newer know SCRAM).",),
        sources.NEON_ERRORS,
    ),
    Entry(
        "passwords-not-stored",
        "The project stores no passwords",
        (r"storing passwords is disabled",),
        "store_passwords is false: a password is shown once, when it is made.",
        ("Reset the role's password, and keep the new one: neondba role rotate.",),
        sources.NEON_API,
    ),
)
