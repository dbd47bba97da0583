"""The kernel is compiled once, whatever it plays: no parameter, model, behaviour or number of programmes costs more."""

from __future__ import annotations

import pytest

from cxsim.simulation.kernel import run_block, run_plain_block
from cxsim.strategies.behaviour import PLAIN
from tests.simulation.busy import everyone, everything
from tests.simulation.shops import FULL
from tests.simulation.worlds import MODELS, play


@pytest.mark.parametrize("kernel", [run_block, run_plain_block], ids=["long loop", "short loop"])
def test_a_kernel_has_one_signature_whatever_it_plays(kernel):
    population = everyone(copies=5, months=3)
    # The service changes incidents, which only a full shop has.
    few, most = [[], everything()[:1], everything()[:3]], everything()
    for latents in MODELS.values():
        play(population, *few, latents=latents, behaviour=PLAIN)
        play(population, *few, most, latents=latents, behaviour=FULL)
    assert len(kernel.signatures) == 1
