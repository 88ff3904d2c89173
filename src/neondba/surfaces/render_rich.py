"""Lay blocks out with rich, for a person at a terminal."""

from __future__ import annotations

import sys
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from neondba.surfaces.blocks import Block, Lines, Pairs, blocks_of, clean


def show(result: Any, width: int, *, colour: bool) -> str:
    """Give a result as text with the terminal's own codes.

    A model's `as_spans(width)` gives lines of (style, text); it goes before `as_text`.
    """
    console = Console(
        file=sys.stdout,
        width=width,
        no_color=not colour,
        force_terminal=colour,
        highlight=False,
        soft_wrap=False,
    )
    spans = getattr(result, "as_spans", None)
    with console.capture() as captured:
        if spans is not None:
            for line in spans(width):
                pieces = [(clean(text), style) for style, text in line]
                console.print(Text.assemble(*pieces), soft_wrap=True)
        else:
            _show_blocks(console, result, width)
    return captured.get()


def _show_blocks(console: Console, result: Any, width: int) -> None:
    for number, block in enumerate(blocks_of(result, width)):
        if number:
            console.print()
        if block.title:
            console.print(Text(f"{block.title}:", style="bold"))
        console.print(_laid_out(block), soft_wrap=isinstance(block, Lines))


def _laid_out(block: Block) -> Text | RichTable:
    if isinstance(block, Lines):
        return Text(block.text if not block.title else "\n".join("  " + x for x in block.text.splitlines()))
    if isinstance(block, Pairs):
        grid = RichTable(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column(overflow="fold")
        for name, value in block.rows:
            grid.add_row(Text(name), Text(value))
        return grid
    grid = RichTable(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in block.columns:
        grid.add_column(column, overflow="fold")
    for row in block.rows:
        grid.add_row(*(Text(one) for one in row))
    return grid
