"""Nothing in; the layers of two ziggurats out, under which most normal and exponential numbers cost one comparison.

References
----------
Marsaglia & Tsang (2000), "The ziggurat method for generating random variables". Doornik (2005), "An improved ziggurat
method to generate normal random samples": layer and position are taken from different bits.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

# Layers, where the tail begins, and the area of each layer. The area follows from the other two: it is the one for
# which the last layer ends at the density's top.
NORMAL_LAYERS, NORMAL_TAIL, _NORMAL_AREA = 128, 3.442619855899, 9.91256303526217e-3
EXPONENTIAL_LAYERS, EXPONENTIAL_TAIL, _EXPONENTIAL_AREA = 256, 7.69711747013104972, 0.0039496598225815571993


def normal_edges() -> npt.NDArray[np.float64]:
    """Return the right edges of the layers under exp(-x**2 / 2), widest first, and 0: shape (layers + 1,)."""
    edges = [_NORMAL_AREA / math.exp(-0.5 * NORMAL_TAIL**2), NORMAL_TAIL]
    while len(edges) < NORMAL_LAYERS:
        edges.append(math.sqrt(-2.0 * math.log(_NORMAL_AREA / edges[-1] + math.exp(-0.5 * edges[-1] ** 2))))
    return _portable([*edges, 0.0])


def exponential_edges() -> npt.NDArray[np.float64]:
    """Return the right edges of the layers under exp(-x), widest first, and 0: shape (layers + 1,)."""
    edges = [_EXPONENTIAL_AREA / math.exp(-EXPONENTIAL_TAIL), EXPONENTIAL_TAIL]
    while len(edges) < EXPONENTIAL_LAYERS:
        edges.append(-math.log(_EXPONENTIAL_AREA / edges[-1] + math.exp(-edges[-1])))
    return _portable([*edges, 0.0])


def _portable(edges: list[float]) -> npt.NDArray[np.float64]:
    """Cut to 12 digits, to which all math libraries agree; an edge may be off by that much without anyone seeing it."""
    return np.array([float(f"{edge:.12g}") for edge in edges])
