"""A strategy has one colour in every figure: that of its place in the scenario."""

from __future__ import annotations

import json

from cxsim.reporting.theme import BASELINE, STRATEGIES, colours


def test_a_strategy_takes_the_colour_of_its_place():
    scale = colours(["b", "a"]).to_dict()
    assert dict(zip(scale["domain"], scale["range"], strict=True)) == {"b": STRATEGIES[0], "a": STRATEGIES[1]}


def test_after_the_last_colour_they_come_round_again():
    scale = colours([str(place) for place in range(len(STRATEGIES) + 1)]).to_dict()
    assert scale["range"][-1] == STRATEGIES[0]


def test_no_strategy_is_as_grey_as_doing_nothing():
    assert BASELINE not in STRATEGIES


def test_the_second_strategy_has_the_second_colour_in_every_figure(figures):
    for name in ("npv_by_strategy", "npv_distribution"):
        assert json.dumps(list(STRATEGIES[:3])) in json.dumps(figures[name].to_dict()), name
