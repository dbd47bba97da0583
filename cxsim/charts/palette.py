"""Colours: the names of strategies, in their order, or of models go in; one colour each comes out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle, islice

import altair as alt

INK = "#1F2933"
QUIET = "#52606D"
GRID = "#E4E7EB"
# Doing nothing is grey in every figure.
BASELINE = "#7B8794"
# Okabe & Ito (2008), "Color universal design": told apart under every common colour blindness. Their black is our
# ink, and their yellow comes last, being hard to see on white.
STRATEGIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")


# A model has its colour in every figure, whichever others stand beside it.
_MODELS = {"BG/NBD": 0, "MBG/NBD": 1, "Pareto/NBD": 2, "BG/CNBD": 3, "MBG/CNBD": 4}
_OTHERS = (QUIET, "#9AA5B1", INK)


def model_colours(names: Sequence[str]) -> list[str]:
    """Return the colour of each model; what is no model, such as a rule of thumb, is grey."""
    greys = cycle(_OTHERS)
    places = (_MODELS.get(name.split("-")[0]) for name in names)
    return [next(greys) if place is None else STRATEGIES[place] for place in places]


def colours(names: Sequence[str]) -> alt.Scale:
    """Return the scale that gives each strategy the colour of its place in the scenario."""
    return alt.Scale(domain=list(names), range=list(islice(cycle(STRATEGIES), len(names))))
