"""What was counted in some worlds in; the money of every arm in them, booked as the ledger books it, out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cxsim.study.draws import Arms, Draw
from cxsim.units import MICROS
from cxsim.valuation import Flows

Tallies = npt.NDArray[np.int64]


def booked(draws: Sequence[Draw], arms: Sequence[Arms], counts: Sequence[Tallies]) -> Flows:
    """Return the money of every arm in every world."""
    by_world = []
    for world, (draw, played) in enumerate(zip(draws, arms, strict=True)):
        tariffs, fixed = draw.tariffs(played), draw.fixed(played)
        amounts = [
            counted[world] @ worth.T + costs.T for counted, worth, costs in zip(counts, tariffs, fixed, strict=True)
        ]
        by_world.append(np.stack(amounts))
    return Flows(arms=tuple(str(arm) for arm in range(len(counts))), amounts=np.stack(by_world) / MICROS)
