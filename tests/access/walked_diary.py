"""A small application with its own sign-up, and the faults and the non-faults that a walk must tell apart."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

DIARY = dedent(
    """
    import hashlib, os
    from contextlib import asynccontextmanager
    from typing import Annotated, Any

    import jwt
    from fastapi import Body, Depends, FastAPI, HTTPException
    from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
    from sqlmodel import Field, Session, SQLModel, create_engine, select

    SECRET_KEY = os.environ["SECRET_KEY"]
    engine = create_engine(os.environ["DATABASE_URL"])
    bearer = OAuth2PasswordBearer(tokenUrl="login")


    class User(SQLModel, table=True):
        __tablename__ = "users"
        id: int | None = Field(default=None, primary_key=True)
        email: str
        hashed_password: str
        is_admin: bool = False


    class Entry(SQLModel, table=True):
        id: int | None = Field(default=None, primary_key=True)
        user_id: int = Field(foreign_key="users.id")
        text: str


    class Picture(SQLModel, table=True):
        id: int | None = Field(default=None, primary_key=True)
        entry_id: int = Field(foreign_key="entry.id")
        caption: str


    class Post(SQLModel, table=True):
        id: int | None = Field(default=None, primary_key=True)
        author_id: int = Field(foreign_key="users.id")
        title: str
        views: int = 0


    class Review(SQLModel, table=True):
        id: int | None = Field(default=None, primary_key=True)
        author_id: int = Field(foreign_key="users.id")
        text: str


    class SignUp(SQLModel):
        email: str
        password: str


    class Text(SQLModel):
        text: str = Field(max_length=200)


    @asynccontextmanager
    async def lifespan(app):
        SQLModel.metadata.create_all(engine)
        yield


    app = FastAPI(lifespan=lifespan)


    def session():
        with Session(engine) as made:
            yield made


    Db = Annotated[Session, Depends(session)]


    def caller(db: Db, token: Annotated[str, Depends(bearer)]) -> User:
        try:
            found = db.get(User, int(jwt.decode(token, SECRET_KEY, algorithms=["HS256"])["sub"]))
        except jwt.PyJWTError:
            found = None
        if found is None:
            raise HTTPException(401)
        return found


    Me = Annotated[User, Depends(caller)]


    def mine(db, me, entry_id):
        entry = db.get(Entry, entry_id)
        if entry is None or entry.user_id != me.id:
            raise HTTPException(404, f"No entry {entry_id}")
        return entry


    def kept(db, row):
        db.add(row)
        db.commit()
        db.refresh(row)
        return row


    @app.post("/register", status_code=201)
    def register(data: SignUp, db: Db):
        hashed = hashlib.sha256(data.password.encode()).hexdigest()
        return {"id": kept(db, User(email=data.email, hashed_password=hashed)).id}


    @app.post("/login")
    def login(form: Annotated[OAuth2PasswordRequestForm, Depends()], db: Db):
        hashed = hashlib.sha256(form.password.encode()).hexdigest()
        wanted = select(User).where(User.email == form.username, User.hashed_password == hashed)
        user = db.exec(wanted).first()
        if user is None:
            raise HTTPException(400)
        return {"access_token": jwt.encode({"sub": str(user.id)}, SECRET_KEY), "token_type": "bearer"}


    @app.get("/entries")
    def entries(me: Me, db: Db):
        return db.exec(select(Entry).where(Entry.user_id == me.id)).all()


    @app.post("/entries")
    def add_entry(me: Me, db: Db, data: Annotated[dict[str, Any], Body()]):
        return kept(db, Entry(**{"user_id": me.id, "text": "", **data}))


    @app.get("/entries/{entry_id}")
    def entry(entry_id: int, me: Me, db: Db):
        return mine(db, me, entry_id)


    @app.put("/entries/{entry_id}")
    def change_entry(entry_id: int, data: Text, me: Me, db: Db):
        entry = db.get(Entry, entry_id)
        if entry is None:
            raise HTTPException(404)
        entry.text = data.text
        kept(db, entry)
        return {"ok": True}


    @app.delete("/entries/{entry_id}", status_code=204)
    def delete_entry(entry_id: int, me: Me, db: Db):
        db.delete(db.get(Entry, entry_id))
        db.commit()


    @app.get("/entries/{entry_id}/count")
    def count(entry_id: int, me: Me, db: Db):
        if db.get(Entry, entry_id) is None:
            raise HTTPException(404)
        return {"pictures": len(db.exec(select(Picture).where(Picture.entry_id == entry_id)).all()) + 40}


    @app.post("/entries/{entry_id}/pictures")
    def add_picture(entry_id: int, data: Text, me: Me, db: Db):
        return kept(db, Picture(entry_id=entry_id, caption=data.text))


    @app.get("/posts")
    def posts(db: Db):
        return db.exec(select(Post)).all()


    @app.get("/posts/{post_id}")
    def post(post_id: int, db: Db):
        found = db.get(Post, post_id)
        found.views += 1
        return kept(db, found)


    @app.post("/posts")
    def add_post(me: Me, db: Db, data: Text):
        return kept(db, Post(author_id=me.id, title=data.text))


    @app.post("/reviews")
    def add_review(me: Me, db: Db, data: Text):
        return kept(db, Review(author_id=me.id, text=data.text))


    @app.get("/reviews/by/{user_id}")
    def reviews_by(user_id: int, db: Db):
        return db.exec(select(Review).where(Review.author_id == user_id)).all()


    @app.put("/reviews/{review_id}")
    def change_review(review_id: int, data: Text, me: Me, db: Db):
        found = db.get(Review, review_id)
        if found is None or found.author_id != me.id:
            raise HTTPException(404)
        found.text = data.text
        return kept(db, found)


    @app.get("/echo/{entry_id}")
    def echo(entry_id: int, me: Me):
        return {"asked": entry_id, "me": me.id}


    @app.get("/admin/users")
    def every_user(me: Me, db: Db):
        if not me.is_admin:
            raise HTTPException(403)
        return db.exec(select(User)).all()


    @app.get("/broken")
    def broken(me: Me):
        raise RuntimeError("out of order")
    """
)

EXPECTED = {
    "GET /entries": "bound",
    "POST /entries": "crossed",
    "GET /entries/{entry_id}": "bound",
    "PUT /entries/{entry_id}": "crossed",
    "DELETE /entries/{entry_id}": "crossed",
    "GET /entries/{entry_id}/count": "crossed",
    "POST /entries/{entry_id}/pictures": "crossed",
    "GET /posts": "public",
    "GET /posts/{post_id}": "public",
    "POST /posts": "bound",
    "GET /reviews/by/{user_id}": "public",
    "PUT /reviews/{review_id}": "bound",
    "POST /reviews": "bound",
    "GET /echo/{entry_id}": "nothing owned",
    "GET /admin/users": "bound",
    "GET /broken": "not reached",
}


def written(folder: Path) -> Path:
    """Write it, with an `.env` that leads elsewhere."""
    (folder / "diary.py").write_text(DIARY)
    (folder / ".env").write_text("DATABASE_URL=postgresql://nobody@127.0.0.1:9/production\n")
    return folder
