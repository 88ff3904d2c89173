"""Answer a question from the skills, with sources, after a look at the asker's own project."""

from __future__ import annotations

from typing import Final

from neondba.assistant.ask_answer import laid_out, passed
from neondba.assistant.ask_index import Hit, index
from neondba.assistant.ask_look import look
from neondba.assistant.ask_results import Answered, Looked
from neondba.assistant.ask_words import words_of
from neondba.core.context import Context
from neondba.core.problem import Problem

COVERED: Final = 0.1
"""Of the telling words of a question a passage must hold so much to answer it."""
NEAR: Final = 0.7
"""Passages that come so near the best one make a short question ambiguous."""
FEW: Final = 3
"""From so many of them on."""
SHORT: Final = 2
"""Words up to which a question is too short to choose."""
UNKNOWN: Final = (
    "I don't know: nothing in the skills answers this. Say it with the name of the tool, the error's text or "
    "what you want to do, or ask Neon's community or support."
)


def answered(ctx: Context, question: str, *, servers: bool = False, look_here: bool = True) -> Answered:
    """Answer, ask back, or say that nothing is known."""
    began = ctx.clock.monotonic()
    hits = index().search(question)
    known = _explained(ctx, question) if look_here else None
    fits = bool(hits) and index().covered(question, hits[0].passage) >= COVERED and index().is_ours(question)
    if known is not None and not fits:
        return known
    if not fits:
        return Answered(kind="unknown", said=UNKNOWN, next=("neondba operation list",))
    if back := _ambiguous(question, hits):
        return back
    made = laid_out(hits)
    if known is not None:
        made = made.model_copy(update={"looked_at": known.looked_at})
    if look_here:
        best = hits[0].passage
        sight = look(ctx, best.skill, best.looks, servers=servers, since=began)
        made = made.model_copy(
            update={
                "looked_at": (*made.looked_at, *sight.looked),
                "not_checked": (*made.not_checked, *sight.open),
            }
        )
    return made


def _ambiguous(question: str, hits: list[Hit]) -> Answered | None:
    near = [hit for hit in hits if hit.score >= NEAR * hits[0].score]
    if len(words_of(question)) > SHORT or len(near) < FEW:
        return None
    return Answered(
        kind="question",
        said="Which of these do you mean?\n" + "\n".join(f"- {hit.passage.title}" for hit in near[:4]),
        passages=tuple(passed(hit.passage) for hit in near[:4]),
        next=tuple(f'neondba ask "{hit.passage.title}"' for hit in near[:4]),
    )


def _explained(ctx: Context, question: str) -> Answered | None:
    """Answer from the catalogue of connection errors where the question quotes one."""
    from neondba.connections.explain_text import hits
    from neondba.connections.operations_explain import connection_explain

    if not hits(question):
        return None
    try:
        found = connection_explain(ctx, question, path=ctx.folder)
    except Problem:
        return None
    if not found.errors:
        return None
    first = found.errors[0]
    places = tuple(f"{place.path}:{place.line}  {place.why}" for place in first.places)
    seen = (f"{first.title}: {first.cause}", *places)
    return Answered(
        kind="answer",
        said=f"{first.title}. {first.cause}",
        looked_at=(Looked(operation="neondba connection explain", seen=seen),),
        steps=first.steps,
        snippets=(first.snippet,) if first.snippet else (),
        not_checked=found.not_checked,
        sources=(f"{first.source}, {first.date}",),
    )
