"""Bring the template to the schema that the tests expect. An application runs its own tool here."""

import os

import psycopg

with psycopg.connect(os.environ["DATABASE_URL"]) as db:
    db.execute("create table if not exists basket (product bigint references product, amount int check (amount > 0))")
