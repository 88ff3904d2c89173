"""A small application that reads Better Auth's sessions from its own tables."""

from __future__ import annotations

from textwrap import dedent

NOTES = dedent(
    """
    import base64, hashlib, hmac, os
    from contextlib import asynccontextmanager
    from datetime import datetime, timezone
    from typing import Annotated
    from urllib.parse import unquote

    from fastapi import Depends, FastAPI, HTTPException, Request
    from sqlmodel import Field, Session, SQLModel, create_engine, select

    engine = create_engine(os.environ["DATABASE_URL"])
    SECRET = os.environ["BETTER_AUTH_SECRET"]


    class User(SQLModel, table=True):
        id: str = Field(primary_key=True)
        email: str


    class AuthSession(SQLModel, table=True):
        __tablename__ = "session"
        id: str = Field(primary_key=True)
        token: str = Field(unique=True)
        userId: str = Field(foreign_key="user.id")
        expiresAt: datetime


    class Note(SQLModel, table=True):
        id: int | None = Field(default=None, primary_key=True)
        ownerId: str = Field(foreign_key="user.id")
        text: str


    @asynccontextmanager
    async def lifespan(app):
        SQLModel.metadata.create_all(engine)
        yield


    app = FastAPI(lifespan=lifespan)


    def db():
        with Session(engine) as made:
            yield made


    Db = Annotated[Session, Depends(db)]


    def caller(request: Request, db: Db) -> str:
        token, _, mac = unquote(request.cookies.get("better-auth.session_token", "")).partition(".")
        right = base64.b64encode(hmac.new(SECRET.encode(), token.encode(), hashlib.sha256).digest()).decode()
        found = db.exec(select(AuthSession).where(AuthSession.token == token)).first()
        if mac != right or found is None or found.expiresAt < datetime.now(timezone.utc):
            raise HTTPException(401)
        return found.userId


    @app.get("/notes")
    def notes(me: Annotated[str, Depends(caller)], db: Db):
        return db.exec(select(Note).where(Note.ownerId == me)).all()


    @app.get("/notes/{note_id}")
    def note(note_id: int, me: Annotated[str, Depends(caller)], db: Db):
        return db.get(Note, note_id)
    """
)
