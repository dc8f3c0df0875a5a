"""The lines as bars: ours as a share of what it stands beside, with the goal marked where there is one."""

import re
from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot, ticker

from tests.bench.line import Line

MET, NOT_MET, ALONE = "#2e7d4f", "#b3402a", "#8a8f98"
GOAL = "#1f2933"
MARGIN = 8.0
SMALLEST = 0.05
TICKS = (0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 50, 100)
NUMBER = re.compile(r"\d+(?:\.\d+)?")


def draw(lines: Sequence[Line], file: Path) -> None:
    """Write a PNG: a bar for each comparison, and for a line without one a bar against its goal."""
    bars = [bar for line in lines for bar in _bars(line)]
    if not bars:
        return
    figure, axes = pyplot.subplots(figsize=(11, 1.2 + 0.62 * len(bars)), layout="constrained")
    for at, (_, share, goal, colour, words) in enumerate(bars):
        axes.barh(at, max(share, SMALLEST), color=colour, height=0.55)
        axes.text(max(share, SMALLEST) * 1.06, at, words, va="center", fontsize=9)
        if goal is not None:
            axes.plot((goal, goal), (at - 0.42, at + 0.42), color=GOAL, linewidth=2.5)
    # Shares lie between a twentieth and a hundred times: on a plain axis the largest would hide the others.
    axes.set_xscale("log")
    axes.set_xlim(SMALLEST, max(4.0, *(share for _, share, *_ in bars)) * MARGIN)
    axes.set_xticks([tick for tick in TICKS if tick < axes.get_xlim()[1]])
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_locator(ticker.NullLocator())
    axes.set_yticks(range(len(bars)), [label for label, *_ in bars], fontsize=9)
    axes.invert_yaxis()
    axes.set_xlabel("ours as a share of what it stands beside; the dark mark is the goal")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, dpi=130)
    pyplot.close(figure)


def _bars(line: Line) -> list[tuple[str, float, float | None, str, str]]:
    """Label, length, goal, colour and words; the goal belongs to the first that the line stands beside."""
    figures = f"{line.ours:,.4g} {line.unit}"
    if not line.ratios:
        wanted = NUMBER.search(line.goal)
        against = float(wanted[0]) if wanted else line.ours or 1.0
        share = line.ours / against
        words = f"{figures}; {line.goal}" if line.goal else figures
        return [(_label(line), max(share, 0), 1.0 if wanted else None, _colour(line), words)]
    found = []
    for at, (name, ratio) in enumerate(line.ratios.items()):
        goal = NUMBER.search(line.goal) if at == 0 else None
        colour = _colour(line) if at == 0 else ALONE
        words = f"x{ratio:.2f}   {figures} : {line.beside[name]:,.4g}"
        mark = float(goal[0]) if goal else None
        found.append((f"{_label(line)}\nbeside {name}", ratio, mark, colour, words))
    return found


def _label(line: Line) -> str:
    return f"({line.number}) {line.name}"


def _colour(line: Line) -> str:
    return MET if line.met else NOT_MET
