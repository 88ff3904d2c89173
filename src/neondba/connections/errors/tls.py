"""Encryption: what is asked for, what is offered, whose certificate it is."""

from __future__ import annotations

from typing import Final

from neondba.connections.errors import sources
from neondba.connections.errors.entry import Concern, Entry

_ADDRESS: Final = (Concern.ADDRESS, Concern.ENGINE)

ENTRIES: Final = (
    Entry(
        "insecure",
        "Neon takes encrypted connections only",
        (r"connection is insecure \(try using",),
        "The client connects without TLS: sslmode is disable, or the driver's default is plain.",
        (
            "Add sslmode=require to the connection string (node-postgres: verify-full; asyncpg under "
            "SQLAlchemy: ssl=require).",
        ),
        sources.NEON_ERRORS,
        concerns=_ADDRESS,
        snippet="sslmode",
    ),
    Entry(
        "server-without-tls",
        "The server offers no TLS, so it is not Neon",
        (
            r"server does not support ssl",
            r"rejected ssl upgrade",
            r"ssl is not enabled on the server",
            r"server refused tls connection",
        ),
        "TLS is required by the client, and the server that answered has none: a PostgreSQL on this machine "
        "or in a container, not Neon.",
        (
            "Look at the host in the connection string: is it the endpoint's?",
            "For a local PostgreSQL without TLS, give that environment its own string, with sslmode=disable.",
        ),
        sources.POSTGRES,
        concerns=(Concern.ADDRESS, Concern.VARIABLE),
    ),
    Entry(
        "certificate-unknown",
        "The certificate comes from an authority that the client does not know",
        (
            r"certificate verify failed(?!.{0,80}(?:hostname|ip address) mismatch)",
            r"self[- ]signed certificate",
            r"unable to get local issuer",
            r"signed by unknown authority",
            r"unable_to_verify_leaf_signature",
            r"depth_zero_self_signed_cert",
            r"unable to verify the first certificate",
            r"unknown ca\b",
        ),
        "The client checks the certificate against a list that lacks the issuer: an old or empty list of "
        "roots in a container, a company proxy that opens TLS, or the local Neon, which has its own "
        "authority.",
        (
            "Install the system's roots (ca-certificates) and use sslrootcert=system with libpq 16 or newer.",
            "For the local Neon, name its authority: sslrootcert=…/ca.pem, in Node NODE_EXTRA_CA_CERTS.",
            "Do not switch the check off (rejectUnauthorized: false).",
        ),
        sources.POSTGRES,
        concerns=_ADDRESS,
        snippet="root-certificates",
    ),
    Entry(
        "certificate-other-host",
        "The certificate is for another host name",
        (
            r"does not match host ?name",
            r"(?:hostname|ip address) mismatch",
            r"err_tls_cert_altname_invalid",
            r"certificate is valid for [^\n]+, not ",
            r"hostname/ip does not match certificate",
        ),
        "The client connects by another name than the certificate has: an IP address, a CNAME of your "
        "own, or a host name behind a tunnel.",
        ("Connect by the endpoint's own host name.", "Neon serves no certificates for names of your own."),
        sources.POSTGRES,
        concerns=_ADDRESS,
    ),
    Entry(
        "root-file-missing",
        "The file of root certificates is not there",
        (
            r"root certificate file [^\n]+ does not exist",
            r"(?:enoent|no such file)[^\n]{0,80}\.(?:pem|crt)\b",
            r"could not read root certificate file",
            r"cannot determine location of \W*root\W* certificate file",
        ),
        "verify-ca and verify-full of libpq look for ~/.postgresql/root.crt unless sslrootcert is given.",
        ("Add sslrootcert=system (libpq 16 or newer), or the path of a file with roots.",),
        sources.POSTGRES,
        concerns=_ADDRESS,
        snippet="root-certificates",
    ),
    Entry(
        "channel-binding-unavailable",
        "Channel binding is required and cannot be had",
        (
            r"channel binding (?:is )?required,? but",
            r"channel binding required but not supported",
            r"server offered [^\n]{0,60}without channel binding",
        ),
        "channel_binding=require asks for SCRAM-SHA-256-PLUS. The server, a proxy or tunnel in between, or "
        "the libpq in use does not offer it; also so when the password goes by the endpoint=…; prefix.",
        (
            "Connect to the endpoint itself, not through a tunnel that ends TLS.",
            "Update libpq (13 or newer, built with OpenSSL).",
            "Only then: take channel_binding=require out; sslmode=verify-full still proves the server.",
        ),
        sources.POSTGRES,
        concerns=_ADDRESS,
    ),
    Entry(
        "sslmode-weak",
        "System roots need verify-full",
        (r"weak sslmode [^\n]+ may not be used",),
        "libpq takes sslrootcert=system only with sslmode=verify-full, and sslnegotiation=direct only with "
        "require or stronger.",
        ("Set sslmode=verify-full.",),
        sources.POSTGRES,
        concerns=_ADDRESS,
        snippet="sslmode",
    ),
    Entry(
        "sslmode-invalid",
        "The driver does not know this sslmode",
        (
            r"invalid sslmode value",
            r"unsupported sslmode",
            r"`?sslmode`? parameter must be one of",
            r"sslmode is invalid",
            r"unrecognized sslmode",
        ),
        "Each driver has its own list: libpq knows disable, allow, prefer, require, verify-ca and "
        "verify-full; lib/pq knows no allow and no prefer.",
        ("Use require or verify-full: every driver knows both.",),
        sources.POSTGRES,
        concerns=_ADDRESS,
        snippet="sslmode",
    ),
    Entry(
        "sslmode-alias-warning",
        "node-postgres warns that sslmode will mean less",
        (r"ssl modes 'prefer', 'require', and 'verify-ca' are treated as aliases",),
        "pg 8 checks the certificate with sslmode=require; pg 9 will not, as libpq does not.",
        ("Write sslmode=verify-full: it means the same today and later.",),
        sources.NODE_POSTGRES,
        concerns=_ADDRESS,
        snippet="sslmode",
    ),
    Entry(
        "tls-version",
        "Client and server have no common TLS version",
        (
            r"tlsv1 alert protocol version",
            r"unsupported protocol\b",
            r"wrong ssl version",
            r"no protocols available",
            r"err_ssl_(?:unsupported_protocol|wrong_version_number)",
            r"ssl routines[^\n]{0,40}wrong version number",
        ),
        "An old TLS library, or something that is no PostgreSQL server answers on this port.",
        ("Update OpenSSL and the runtime: TLS 1.2 or newer is needed.", "Check host and port."),
        sources.GENERAL,
    ),
    Entry(
        "negotiation-direct-refused",
        "The server does not take TLS from the first byte",
        (r"sslnegotiation=direct", r"no alpn", r"server did not [^\n]{0,30}alpn"),
        "sslnegotiation=direct needs PostgreSQL 17 clients, and a server that knows it. Neon's proxy does.",
        ("Leave sslnegotiation out unless every server behind this string is Neon.",),
        sources.NEON_LATENCY,
        concerns=_ADDRESS,
    ),
)
