"""Sessions that act as one user: every transaction carries the user's id for the policies."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends
from sqlalchemy import Connection, event, func, select
from sqlalchemy.orm import SessionTransaction
from sqlmodel import Session, create_engine

from app.auth import CurrentUser
from app.settings import Settings

# Neon's pooler holds the many connections; a worker needs few. 240 s is below the suspend time.
engine = create_engine(
    Settings().database_url.get_secret_value(),
    pool_size=5,
    max_overflow=5,
    pool_timeout=10,
    pool_pre_ping=True,
    pool_recycle=240,
    connect_args={"connect_timeout": 10},
)


class UserSession(Session):
    """A session whose queries row-level security answers for one user."""


@event.listens_for(UserSession, "after_begin")
def act_as_user(
    session: UserSession, transaction: SessionTransaction, connection: Connection
) -> None:
    """Tell Postgres the user; local to the transaction, so the pooler cannot pass it on."""
    connection.execute(select(func.set_config("app.user_id", session.info["user_id"], True)))


def get_session(user: CurrentUser) -> Iterator[UserSession]:
    """Open a session for the user who sent the request."""
    with UserSession(engine, info={"user_id": user.id}) as session:
        yield session


SessionDep = Annotated[UserSession, Depends(get_session)]
