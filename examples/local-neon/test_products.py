"""Each test has the seed's products and an empty basket, whatever the others do."""

import psycopg
import pytest


@pytest.fixture
def db(neon_branch):
    with psycopg.connect(neon_branch.url) as session:
        yield session


def test_a_product_goes_into_the_basket(db):
    db.execute("insert into basket select id, 1 from product where name = 'Kettle'")
    assert db.execute("select count(*) from basket").fetchone() == (1,)


def test_every_product_can_be_deleted_while_no_basket_holds_it(db):
    db.execute("delete from product")
    assert db.execute("select count(*) from product").fetchone() == (0,)
