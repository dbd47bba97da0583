"""A lever, a prior or a source in; the words and signs that terminal and page use for it, out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cxsim.params import Source
    from cxsim.strategies import Lever, Prior

_SIGNS = {"gain": "+", "harm": "−", "both": "±"}


def moves(lever: Lever) -> list[str]:
    """Return what a lever moves, each with its sign."""
    return [f"{_SIGNS[direction]} {pathway.replace('_', ' ')}" for pathway, direction in lever.pathways.items()]


def brief(prior: Prior) -> str:
    """Return a prior in a few signs: purchase rate ×1.02 (0.99 to 1.05)."""
    low, high = prior.range
    times = "×" if prior.unit == "ratio" else ""
    return f"{_words(prior)} {times}{_number(prior.value)} ({_number(low)} to {_number(high)})"


def spelt_out(prior: Prior) -> str:
    """Return a prior with unit, range, evidence and note."""
    low, high = prior.range
    origin = prior.evidence if prior.source is None else f"{prior.evidence} ({prior.source})"
    reach = "no effect is within it" if prior.reaches_no_effect else "no effect is outside it"
    return (
        f"{_words(prior)}: {prior.unit} {_number(prior.value)}, 90 % range {_number(low)} to {_number(high)}, {reach}; "
        f"{origin}. {prior.note}"
    )


def reference(source: Source) -> str:
    """Return a source as a reference, with its grade."""
    end = "" if source.title.endswith(("?", "!")) else "."
    return f"{source.authors} ({source.year}). {source.title}{end} {source.where}. Grade {source.grade}."


def _words(prior: Prior) -> str:
    return prior.effect.replace("_", " ")


def _number(number: float) -> str:
    return f"{number:g}".replace("-", "−")
