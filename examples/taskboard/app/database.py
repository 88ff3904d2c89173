from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends
from sqlmodel import Session, create_engine

from app.settings import settings

engine = create_engine(
    settings.database_url,
    echo=True,
    pool_size=20,
    max_overflow=30,
)


def get_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]
