"""The service. Tables are made by Alembic, never here."""

import logging

from fastapi import FastAPI, HTTPException
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from app.database import engine
from app.routers import boards, comments, tasks

logger = logging.getLogger("uvicorn.error")

app = FastAPI(title="Taskboard")
app.include_router(boards.router)
app.include_router(tasks.router)
app.include_router(comments.router)


@app.get("/livez")
def live() -> dict[str, str]:
    """Say that the process answers; does not wake the database."""
    return {"status": "ok"}


@app.get("/readyz")
def ready() -> dict[str, str]:
    """Say whether the database answers; the reason of a failure goes to the log only."""
    try:
        with engine.connect() as connection:
            connection.execute(select(1))
    except SQLAlchemyError as error:
        logger.exception("The database does not answer")
        raise HTTPException(503, "The database does not answer") from error
    return {"status": "ok"}
