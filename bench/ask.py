"""Ask the recorded questions: right skill first, unknowns said, and how long an answer takes.

Usage: python bench/ask.py [QUESTIONS.toml] [--misses]
"""

from __future__ import annotations

import sys
import time
import tomllib
from collections import Counter
from pathlib import Path
from statistics import median

from neondba.assistant.ask import answered
from neondba.core.context import Context

USUAL = Path(__file__).parents[1] / "tests" / "assistant" / "questions.toml"


def main(argv: list[str]) -> int:
    """Print the share of right skills, by skill, and the times."""
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
