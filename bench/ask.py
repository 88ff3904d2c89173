"""Ask the recorded questions: right skill first, unknowns said, and how long an answer takes.

Usage: python bench/ask.py [QUESTIONS.toml ...] [--misses]
       python bench/ask.py --left-out     each written question is asked of an index without it
"""

from __future__ import annotations

import random
import sys
import time
import tomllib
from collections import Counter
from dataclasses import replace
from pathlib import Path
from statistics import median

from neondba.assistant.ask import answered
from neondba.assistant.ask_answer import second_is_said
from neondba.assistant.ask_index import Index
from neondba.assistant.passage import passages
from neondba.assistant.skill import skills
from neondba.core.context import Context

USUAL = Path(__file__).parents[1] / "tests" / "assistant" / "questions.toml"
FOLDS, SAMPLE = 5, 1_500


def main(argv: list[str]) -> int:
    """Print the share of right skills, by skill, and the times."""
    return left_out() if "--left-out" in argv else recorded(argv)


def left_out() -> int:
    """Print how often a written question finds its passage in an index that does not hold it."""
    drawn = random.Random(0)
    every, described = passages(), {skill.name: skill.description for skill in skills().values()}
    fold = {(each.address, text): drawn.randrange(FOLDS) for each in every for text in each.asked}
    right = asked = skill = shown = 0
    for number in range(FOLDS):
        kept = [
            replace(each, asked=tuple(text for text in each.asked if fold[each.address, text] != number))
            for each in every
        ]
        index = Index(tuple(kept), described)
        out = [(each, text) for each in every for text in each.asked if fold[each.address, text] == number]
        for passage, text in drawn.sample(out, min(len(out), SAMPLE // FOLDS)):
            hits = index.search(text, most=2)
            told = [hit.passage.address for hit in hits[: 2 if second_is_said(hits) else 1]]
            asked += 1
            right += passage.address in told[:1]
            shown += passage.address in told
            skill += any(hit.passage.skill == passage.skill for hit in hits[:1])
    print(
        f"{asked} of {len(fold)} written questions, each left out of {len(every)} passages when it is asked:"
    )
    print(f"{right / asked:.0%} find their passage first, {skill / asked:.0%} their skill")
    print(f"{shown / asked:.0%} find it first or beside it, as what may be meant")
    return 0


def recorded(argv: list[str]) -> int:
    """Print how the recorded questions are answered."""
    paths = [Path(each) for each in argv if not each.startswith("-")] or [USUAL]
    right: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    times = []
    ctx = Context(folder=Path("/"))
    for path in paths:
        for question in tomllib.loads(path.read_text(encoding="utf-8"))["question"]:
            begun = time.perf_counter()
            made = answered(ctx, question["text"], look_here=False)
            times.append(time.perf_counter() - begun)
            got = made.kind if made.kind != "answer" else made.passages[0].skill
            wanted = {question["skill"], *question.get("also", [])}
            back = made.kind == "question" and any(each.skill in wanted for each in made.passages)
            good = got in wanted or back
            asked[question["skill"]] += 1
            right[question["skill"]] += good
            if "--misses" in argv and not good:
                title = made.passages[0].title if made.passages else ""
                print(f"{question['skill']}: {got} ({title}): {' '.join(question['text'].split())[:110]}")
    for skill in sorted(asked):
        print(f"{right[skill]:4} of {asked[skill]:3}  {skill}")
    total, of = right.total(), asked.total()
    print(f"{total} of {of} right first ({total / of:.0%})")
    each, longest, first = (1000 * value for value in (median(times), max(times), times[0]))
    print(f"median {each:.0f} ms, longest {longest:.0f} ms; the first, with the index, {first:.0f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
