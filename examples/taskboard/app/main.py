import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from sqlalchemy import text
from sqlmodel import SQLModel

from app.database import SessionDep, engine
from app.routers import boards, comments, tasks
from app.settings import settings

logger = logging.getLogger("uvicorn.error")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    logger.info("Connecting to %s", settings.database_url)
    SQLModel.metadata.create_all(engine)
    yield
    engine.dispose()


app = FastAPI(title="Taskboard", lifespan=lifespan)
app.include_router(boards.router)
app.include_router(tasks.router)
app.include_router(comments.router)


@app.get("/health")
def health(session: SessionDep):
    try:
        session.execute(text("SELECT 1"))
    except Exception as error:
        return JSONResponse({"status": "down", "detail": str(error)}, status_code=503)
    return {"status": "ok"}
