"""What computes do as Neon's, and where they differ."""

from __future__ import annotations

from typing import Final

from neondba.local.requirement import CLI, DOCS, Requirement

NEON: Final = "Neon's open source"

BEHAVIOURS: Final = (
    Requirement(
        "compute.sizes",
        "Sizes are 0.25, 0.5, 1 to 16 by 1 and 18 to 56 by 2 CU; bounds are at most 8 CU apart, up to 16.",
        "Nothing scales between the bounds: `max_connections`, workers and memory follow from them alone.",
    ),
    Requirement(
        "compute.connections",
        "`max_connections` and `max_worker_processes` are Neon's numbers; 7 connections are reserved.",
        "At 9 CU Neon's formula gives 3776 and its table says 4000; here it is the formula. A large compute "
        "has fewer locks for each transaction, as many in all.",
    ),
    Requirement(
        "compute.memory",
        "`shared_buffers`, `maintenance_work_mem` and `effective_cache_size` follow Neon's formulas.",
        "Each is an eighth of Neon's, so that a laptop holds dozens of computes.",
    ),
    Requirement(
        "compute.fixed-settings",
        "What Neon fixes is fixed, and owners set only what users may; endpoints' `pg_settings` likewise.",
        "`fsync` is on: nobody else keeps the data. `pg_settings` that PostgreSQL would not take answer 400.",
    ),
    Requirement(
        "compute.suspend",
        "Statements and new connections reset the timer; open transactions, subscribers, subscriptions at "
        "work and autovacuum keep a compute awake; a fixed size over 16 CU never sleeps.",
        source=NEON,
    ),
    Requirement(
        "compute.forgets",
        "Unlogged rows and statistics, those of pg_stat_statements too, do not outlive a compute.",
    ),
    Requirement(
        "compute.extensions",
        "Owners create the extensions that Neon has.",
        "Among those that PostgreSQL itself and pgvector bring; with PostgreSQL 15 to 17 only trusted ones.",
    ),
    Requirement(
        "compute.neon-extension",
        "`neon_stat_file_cache`, `neon_get_lfc_stats()` and the working-set estimate are there.",
        "There is no Local File Cache: hits and misses are those of shared buffers; working sets are null.",
        source=CLI,
    ),
    Requirement(
        "compute.superuser-matters",
        "Tablespaces and ALTER SYSTEM are refused.",
        "In PostgreSQL's words. Event triggers and `for all tables` publications, which Neon lets owners "
        "create, need a superuser here too.",
    ),
    Requirement(
        "compute.replicas",
        "Read-only endpoints are standbys with a sleep of their own; they do not keep their primary awake.",
        "Each has a directory of its own, cloned from the branch; it sees a primary that wakes again within "
        "a second. It never has fewer connections than its primary.",
    ),
    Requirement(
        "compute.logical-replication",
        "Projects publish and subscribe with their connection strings, over TLS, once it is enabled.",
        "`for all tables` needs a superuser. With sslmode=verify-full give sslrootcert a file that the "
        "compute's user can read. Inactive slots are kept.",
    ),
    Requirement(
        "compute.clones",
        "Child and restored branches have none of their source's slots and subscriptions.",
        source=DOCS,
    ),
    Requirement(
        "compute.active-limit",
        "20 computes of a project may be awake besides the default branch's; the next is refused.",
        "A compute that is made with its branch then stays asleep instead of failing.",
    ),
    Requirement(
        "compute.disabled",
        "A disabled endpoint's compute sleeps, and connections to it are refused.",
    ),
    Requirement(
        "compute.dies",
        "A compute that dies is started again for the next client.",
    ),
    Requirement(
        "compute.releases",
        "Projects have the PostgreSQL release that they ask for.",
        "18 comes with neondba. 15 to 17 where the system's packages are installed; 15 not as root.",
    ),
)
