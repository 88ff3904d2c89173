"""A connection stays checked out while a model or another server is waited for.

A session takes a connection at its first statement and keeps it until commit, rollback or close. When
the program waits in between for a language model or an HTTP answer, the connection does nothing for
seconds and its transaction stays open. As many slow answers as the pool has connections, and every
other request waits; open transactions also hold back vacuum and keep the compute awake.

## Instead
```python bad path=app/answers.py case=model
from fastapi import APIRouter, Depends
from openai import AsyncOpenAI
from sqlalchemy.ext.asyncio import AsyncSession

router = APIRouter()
client = AsyncOpenAI()

@router.post("/answer")
async def answer(question: str, session: AsyncSession = Depends(get_session)):
    rows = await session.execute(select(Passage).limit(5))
    texts = [row.text for row in rows.scalars()]
    reply = await client.chat.completions.create(model="m", messages=prompt(question, texts))  # <- finding
    return reply
```
```python good path=app/answers.py case=model
from fastapi import APIRouter, Depends
from openai import AsyncOpenAI
from sqlalchemy.ext.asyncio import AsyncSession

router = APIRouter()
client = AsyncOpenAI()

@router.post("/answer")
async def answer(question: str, session: AsyncSession = Depends(get_session)):
    rows = await session.execute(select(Passage).limit(5))
    texts = [row.text for row in rows.scalars()]
    await session.commit()
    reply = await client.chat.completions.create(model="m", messages=prompt(question, texts))
    return reply
```
```text bad path=requirements.txt case=model
fastapi
psycopg
```
The wait may be in another module, and the connection may be taken by the dependency that reads the
user:
```python bad path=app/chat.py case=service
from fastapi import APIRouter, Depends
from sqlalchemy.ext.asyncio import AsyncSession
from app.model import writer

router = APIRouter()

async def get_current_user(session: AsyncSession = Depends(get_session)):
    return await session.get(User, 1)

@router.post("/chat")
async def chat(text: str, session: AsyncSession = Depends(get_session), user=Depends(get_current_user)):
    reply = await writer.write(text)  # <- finding
    session.add(Message(text=reply))
    await session.commit()
```
```python bad path=app/model.py case=service
import httpx

class Writer:
    async def write(self, text):
        async with httpx.AsyncClient() as client:
            return (await client.post("https://model.shop-orders.io", json={"text": text})).json()

writer = Writer()
```
```text bad path=requirements.txt case=service
fastapi
psycopg
```
## When it does not matter
Nothing was asked yet, the session is closed before, or the work is done after the answer:
```python good path=app/answers.py case=before
import httpx
from fastapi import BackgroundTasks
from sqlmodel import Session
from app.db import engine

async def rate(session: Session, code: str):
    async with httpx.AsyncClient() as client:
        answer = await client.get("https://rates.shop-orders.io")
    session.add(Rate(code=code, value=answer.json()))
    session.commit()

def report(code: str):
    with Session(engine) as session:
        row = session.get(Rate, code)
    return httpx.post("https://rates.shop-orders.io", json={"code": code})

def later(session: Session, tasks: BackgroundTasks, code: str):
    row = session.get(Rate, code)
    tasks.add_task(report, code)
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.held_connections import Held, HeldConnections
from neondba.project.services import Services
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule


@rule("NDB216", Category.POOLING, Severity.MEDIUM)
def check(held: HeldConnections, services: Services) -> Iterator[Finding]:
    """Report the first wait for a model of each function, and of each program for other servers."""
    groups: dict[tuple[str, int], list[Held]] = {}
    for place in held.all:
        if services.uses_postgres(place.file.path):
            if _is_long(place):
                group = (place.file.path, id(place.function))
            else:
                group = (services.of(place.file.path).folder, 0)
            groups.setdefault(group, []).append(place)
    for places in groups.values():
        yield _finding(places)


def _is_long(place: Held) -> bool:
    return place.waits_for == "a language model"


def _finding(places: list[Held]) -> Finding:
    place = places[0]
    name = f"{place.function.name}()"
    taken = (
        f"the connection that was taken in line {place.since}"
        if place.since
        else "the connection that was taken before"
    )
    asynchronous = "await " if place.function.is_async else ""
    return Finding(
        place.file.path,
        place.line,
        f"{name} keeps {taken} while {place.call}() waits for {place.waits_for}. As many slow answers as the "
        "pool has connections, and every other request waits or fails.",
        steps=(
            f"Read what the call needs, and end the transaction before {place.call}().",
            "Write the result in a new transaction afterwards; the session takes a connection again by "
            "itself.",
        ),
        snippet=f"{asynchronous}{place.session}.commit()  # gives the connection back before the wait",
        severity=None if _is_long(place) else Severity.LOW,
        also=tuple((other.file.path, other.line) for other in places[1:]),
    )
