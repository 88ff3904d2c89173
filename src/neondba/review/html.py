"""The report as one HTML page: no network, no script, to send to a colleague."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from neondba.core.version import VERSION
from neondba.review.finding import Evidence, EvidenceKind, Reported, Severity
from neondba.review.gaps import bound, difference, gaps
from neondba.review.harmless import name, prose

if TYPE_CHECKING:
    from neondba.core.proof import Proof
    from neondba.review.model import Review

FORM = Path(__file__).with_name("report.html")
KNOWN = {
    EvidenceKind.SHOWN: "Shown",
    EvidenceKind.READ: "Read there",
    EvidenceKind.NOT_CHECKED: "Not checked",
}


def page(review: Review) -> str:
    """Lay the whole report out as a page."""
    title = f"Review of {name(review.project)}"
    form = Template(FORM.read_text(encoding="utf-8"))
    return form.substitute(title=escape(title), body="\n".join(_body(review, title)))


def _body(review: Review, title: str) -> Iterator[str]:
    yield f"<header><h1>{escape(title)}</h1>"
    yield f'<p class="soft">{review.files:,} files, {review.lines:,} lines, {review.seconds:.1f} s</p>'
    yield from _counts(review)
    yield from (f"<p>{_marked(said)}</p>" for said in (*difference(review), bound(review)) if said)
    yield "</header><main>"
    yield from _verdicts(review)
    yield from _index(review)
    if review.findings:
        yield f"<section><h2>Findings ({len(review.findings)})</h2>"
        yield from (_finding(n, finding) for n, finding in enumerate(review.findings, start=1))
        yield "</section>"
    yield from (_proof(proof) for proof in review.proofs)
    yield from _rest(review)
    yield '</main><footer class="soft small"><p>Every claim is one of: <em>shown</em>, measured on a branch; '
    yield "<em>read</em>, with file and line; <em>not checked</em>, with what is missing. "
    yield f"<code>neondba rule NDB101</code> explains a rule. neondba {escape(VERSION)}.</p></footer>"


def _counts(review: Review) -> Iterator[str]:
    yield '<ul class="counts">'
    for severity in Severity:
        if number := sum(f.severity is severity for f in review.findings):
            yield f'<li class="{severity}"><b>{number}</b> <span class="tag">{severity}</span></li>'
    if not review.findings:
        yield '<li class="met"><span class="tag">no findings</span></li>'
    yield "</ul>"


def _verdicts(review: Review) -> Iterator[str]:
    if review.is_of_a_change:
        return
    for kind, title in (("duty", "The five duties"), ("criterion", "The four success criteria")):
        yield f'<section><h2>{title}</h2><div class="verdicts">'
        for verdict in review.verdicts:
            if verdict.kind == kind:
                tone = verdict.standing.value.replace(" ", "-")
                yield f'<div class="verdict {tone}"><span class="tag">{verdict.standing}</span>'
                yield f"<h3>{escape(verdict.title)}</h3><p>{_marked(verdict.because)}</p></div>"
        yield "</div></section>"


def _index(review: Review) -> Iterator[str]:
    """List the findings with a link each, where there are more than fit on a screen."""
    if len(review.findings) < 4:
        return
    yield "<nav><details><summary>All findings in one list</summary><table>"
    for number, finding in enumerate(review.findings, start=1):
        yield (
            f'<tr class="{finding.severity}"><td><span class="tag">{finding.severity}</span></td>'
            f'<td><a href="#f{number}">{_place(finding)}</a><br><span class="soft small">{finding.rule} '
            f"{escape(finding.name)}</span></td></tr>"
        )
    yield "</table></details></nav>"


def _finding(number: int, finding: Reported) -> str:
    parts = [
        f'<article id="f{number}" class="{finding.severity}"><header>',
        f'<span class="tag">{finding.severity}</span><span class="place">{_place(finding)}</span>',
        f'<span class="soft small">{finding.rule} {escape(finding.name)}</span></header>',
        f"<p>{_marked(finding.message)}</p>",
        _evidence(finding.evidence),
    ]
    if finding.way:
        parts.append('<p class="soft small">How it is reached</p><ol class="way">')
        parts += [f"<li><code>{escape(name(step))}</code></li>" for step in finding.way]
        parts.append("</ol>")
    if finding.steps:
        parts += ["<ol>", *(f"<li>{_marked(step)}</li>" for step in finding.steps), "</ol>"]
    if finding.snippet.strip():
        snippet = textwrap.dedent(finding.snippet).strip("\n")
        parts.append(f"<pre>{escape(prose(snippet))}</pre>")
    parts.append("<dl>")
    if finding.repair:
        parts.append(f"<dt><code>--fix</code></dt><dd>{_marked(finding.repair)}</dd>")
    if finding.ignore:
        parts.append(f"<dt>You know it? Say why</dt><dd><code>{escape(prose(finding.ignore))}</code></dd>")
    return "".join([*parts, "</dl></article>"])


def _place(finding: Reported) -> str:
    return f"{escape(name(finding.path))}:{finding.line}"


def _evidence(evidence: Evidence) -> str:
    if not evidence.text:
        return ""
    said = escape(prose(evidence.text))
    return f'<p class="small"><span class="soft">{KNOWN[evidence.kind]}:</span> <code>{said}</code></p>'


def _proof(proof: Proof) -> str:
    rows = "".join(
        f'<tr class="{line.shown}"><td><span class="tag">{line.shown}</span></td>'
        f"<td><b>{escape(name(line.subject))}</b><br>{_marked(line.text)}</td></tr>"
        for line in proof.lines
    )
    missing = f'<p class="soft small">Missing: {_marked(proof.missing)}</p>' if proof.missing else ""
    return (
        f"<section><h2>Shown on a branch: {escape(proof.claim)}</h2>"
        f'<p class="{proof.shown}"><span class="tag">{proof.shown}</span> {_marked(proof.summary)}</p>'
        f"<table>{rows}</table>{missing}</section>"
    )


def _rest(review: Review) -> Iterator[str]:
    if found := gaps(review):
        yield "<section><h2>Not checked</h2><ul>"
        yield from (f"<li>{_marked(gap.text)}</li>" for gap in found)
        yield "</ul></section>"
    if review.suppressed:
        yield f"<section><h2>Suppressed, with reasons ({len(review.suppressed)})</h2><ul>"
        for known in review.suppressed:
            place = f"{escape(name(known.path))}:{known.line}"
            yield f"<li>{known.rule} <code>{place}</code>: {_marked(known.reason)}</li>"
        yield "</ul></section>"
    if review.next:
        yield "<section><h2>Next</h2><pre>"
        yield escape(prose("\n".join(review.next))) + "</pre></section>"


def _marked(text: str) -> str:
    """Escape a sentence; only its code spans become markup."""
    return re.sub(r"`([^`\n]+)`", r"<code>\1</code>", escape(prose(text)))
