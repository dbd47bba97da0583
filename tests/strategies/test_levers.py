"""The catalogue holds every lever, says no more than its evidence, and refuses what points nowhere."""

from __future__ import annotations

import shutil

import pytest

from cxsim.errors import ParamError
from cxsim.library import names, root
from cxsim.params import Unit, sources
from cxsim.strategies.levers import IDENTIFIERS, NO_EFFECT, PATHWAYS, Lever, Prior, grouped, load_levers, search
from cxsim.strategies.strategy import load_strategy

LEVERS = load_levers()
PRIORS = [(identifier, prior) for identifier, lever in LEVERS.items() for prior in lever.priors]
PRIOR = {
    "effect": "basket",
    "unit": Unit.RATIO,
    "value": 1.1,
    "range": (0.9, 1.2),
    "evidence": "assumed",
    "note": "Amount with over without.",
}
LEVER = {
    "also": ("another name",),
    "name": "Flowers",
    "description": "Each parcel holds a flower.",
    "pathways": {"basket": "gain"},
    "cost_shape": ("per_order",),
    "guides": ("000",),
    "evidence": ("flora-2020",),
    "grade": "C",
    "verdict": "One shop was observed.",
    "prior": (Prior(**PRIOR),),
    "harms": "Flowers wither.",
}


def test_every_lever_stands_under_one_heading():
    assert [identifier for inside in grouped(LEVERS).values() for identifier in inside] == list(LEVERS)
    assert (list(LEVERS), len(LEVERS)) == (list(IDENTIFIERS), 38)
    assert {heading: len(inside) for heading, inside in grouped(LEVERS).items()} == {
        "Pre-purchase and conversion": 10,
        "Price, offer and basket": 7,
        "Loyalty and membership": 6,
        "Communication": 8,
        "Fulfilment and returns": 4,
        "Support and organisation": 3,
    }


def test_the_search_is_blind_to_case_and_order_and_looks_at_numbers_names_descriptions_guides_and_headings():
    assert search(LEVERS, "FREE Shipping") == search(LEVERS, "shipping free") == search(LEVERS, "free shipping")
    assert {word: list(search(LEVERS, word)) for word in ("l07", "ways to pay", "instalments", "003")} == {
        "l07": ["L07"], "ways to pay": ["L07"], "instalments": ["L07"], "003": ["L38"],
    }  # fmt: skip
    assert list(search(LEVERS, "loyalty membership")) == [f"L{number}" for number in range(18, 24)]


def test_a_pathway_finds_the_levers_that_move_it_and_an_unknown_one_is_answered_with_the_nearest():
    assert list(search(LEVERS, pathway="forward_buying")) == ["L12", "L15"]
    assert list(search(LEVERS, "bundles", "forward_buying")) == ["L15"]
    with pytest.raises(ParamError, match="no pathway 'droput'; did you mean 'dropout'"):
        search(LEVERS, pathway="droput")


def test_every_pathway_is_moved_by_a_lever_and_every_guide_names_one():
    assert {pathway for lever in LEVERS.values() for pathway in lever.pathways} == set(PATHWAYS)
    assert {guide for lever in LEVERS.values() for guide in lever.guides} == {"000", "001", "002", "003", "004"}


def test_every_cited_source_exists():
    cited = {source for lever in LEVERS.values() for source in lever.evidence}
    assert cited
    assert cited <= set(sources())


def test_without_evidence_only_a_break_even_is_asked_for():
    for identifier, lever in LEVERS.items():
        if lever.grade == "E" or not lever.evidence:
            assert (identifier, lever.prior) == (identifier, "break-even only")
            assert lever.grade == "E"


def test_no_grade_is_better_than_the_best_source():
    known = sources()
    for identifier, lever in LEVERS.items():
        best = min((known[source].grade for source in lever.evidence), default="E")
        assert lever.grade >= best, identifier


# What was measured of these was nil or harmful in at least one study.
DISPUTED = ["L01", "L05", "L10", "L17", "L18", "L23", "L25", "L28", "L29", "L34", "L37", "L38"]


@pytest.mark.parametrize("identifier", DISPUTED)
def test_where_studies_found_nothing_or_harm_every_prior_reaches_no_effect(identifier):
    priors = LEVERS[identifier].priors
    assert priors
    assert all(prior.reaches_no_effect for prior in priors)


@pytest.mark.parametrize(
    ("identifier", "prior"), PRIORS, ids=[f"{identifier}-{prior.effect}" for identifier, prior in PRIORS]
)
def test_only_price_and_a_measured_speed_are_sure_to_do_something(identifier, prior):
    sure = prior.effect == "markdown" or (identifier, prior.effect) == ("L32", "purchase_rate")
    assert prior.reaches_no_effect is not sure


def test_on_the_site_nothing_is_assumed_to_bring_more_than_three_percent():
    sites = grouped(LEVERS)["Pre-purchase and conversion"].values()
    assert all(
        0.97 <= prior.value <= 1.03 for lever in sites for prior in lever.priors if prior.effect == "acquisition"
    )


def test_ready_strategies_exist_and_their_levers_state_the_same():
    ready = {name: lever for lever in LEVERS.values() for name in lever.strategies}
    assert set(ready) <= set(names("strategies"))
    assert {"points-programme", "win-back-coupon", "faster-delivery"} <= set(ready)
    for name in ("points-programme", "win-back-coupon", "faster-delivery"):
        ratios = {effect.kind: effect.ratio for effect in load_strategy(name).effects if hasattr(effect, "ratio")}
        for prior in ready[name].priors:
            assert (prior.value, prior.range) == (ratios[prior.effect].value, ratios[prior.effect].range)


def test_a_prior_is_a_quantity_that_a_strategy_can_hold():
    quantity = LEVERS["L32"].priors[0].quantity
    assert (quantity.unit, quantity.value, quantity.range) == (Unit.RATIO, 1.015, (1.005, 1.025))
    assert quantity.source == "fisher-2019"


@pytest.mark.parametrize(
    ("unit", "ends", "reached"),
    [
        (Unit.RATIO, (0.9, 1.2), True),
        (Unit.RATIO, (1.0, 1.2), True),
        (Unit.RATIO, (1.05, 1.2), False),
        (Unit.ELASTICITY, (-2.0, 0.0), True),
        (Unit.ELASTICITY, (-2.0, -1.0), False),
        (Unit.SHARE, (0.1, 0.2), False),
    ],
)
def test_a_range_reaches_no_effect_at_the_units_own_value(unit, ends, reached):
    prior = Prior(**PRIOR | {"unit": unit, "value": ends[1], "range": ends})
    assert prior.reaches_no_effect is reached
    assert NO_EFFECT.get(unit) in {1.0, 0.0, None}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"value": 1.3}, r"value 1.3 is outside its range \[0.9, 1.2\]"),
        ({"range": (-1.0, 1.2)}, "is outside what the unit 'ratio' allows"),
        ({"evidence": "published"}, "evidence 'published' needs a source"),
        ({"note": " "}, "note: empty; say what the number compares"),
    ],
)
def test_a_prior_that_cannot_hold_is_refused(change, words):
    with pytest.raises(ParamError, match=words):
        Prior(**PRIOR | change)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"grade": "E"}, "grade E with a prior for basket; write prior: break-even only"),
        ({"harms": " "}, "harms: empty"),
        ({"pathways": {}}, "pathways: empty"),
        ({"prior": ()}, "prior: empty"),
        (
            {"prior": (Prior(**PRIOR | {"evidence": "published", "source": "flora-2002"}),)},
            "the source 'flora-2002' is not among the lever's evidence; did you mean 'flora-2020'",
        ),
    ],
)
def test_a_lever_that_claims_too_much_or_says_too_little_is_refused(change, words):
    with pytest.raises(ParamError, match=words):
        Lever(**LEVER | change)


@pytest.fixture
def mistaken(tmp_path):
    """Write the catalogue with one thing changed, and return what its loading says."""

    def loaded(old, new):
        text = (root() / "params" / "levers.yaml").read_text(encoding="utf-8")
        assert old in text
        file = tmp_path / "levers.yaml"
        file.write_text(text.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(ParamError) as message:
            load_levers(file)
        return str(message.value)

    return loaded


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[browne-2017, miller-2020, ", "[browne-2017, miler-2020, ", "L01.evidence: no source 'miler-2020'; did you"),
        ("[points-programme", "[points-program", "L18.strategies: no strategy 'points-program'; did you mean"),
        ("\nL07:", "\nL39:", "L39: unknown lever; did you mean 'L38'"),
        ("\nL07:", "\nL39:", "missing L07; the catalogue has L01 to L38."),
        ("\nL07:", "\nL39:", "the levers are not in order"),
        ("acquisition: gain", "acquisiton: gain", "'acquisiton' is not possible; did you mean 'acquisition'"),
        ("effect: returns", "effect: return", "effect: 'return' is not possible; did you mean 'returns'"),
        ("      source: browne-2017\n", "", "evidence 'published' needs a source"),
        ("grade: C", "grade: E", "L02: grade E with a prior for acquisition; write prior: break-even only."),
        ("prior: break-even only", "prior: break even", "'break even' is not possible; did you mean 'break-even only'"),
        ('guides: ["000"', 'guides: ["007"', "guides.0: '007' is not possible"),
        ("  cost_shape", "  costs", "L01.costs: unknown key"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_file_is_stated_with_what_is_possible(mistaken, old, new, words):
    assert words in mistaken(old, new)


def test_all_mistakes_of_the_catalogue_are_stated_at_once(tmp_path, monkeypatch):
    shutil.copytree(root() / "params", tmp_path / "params")
    file = tmp_path / "params" / "levers.yaml"
    text = file.read_text(encoding="utf-8").replace("[lewis-2006, ", "[lewis-2060, ")
    file.write_text(text.replace("[faster-delivery]", "[fastest-delivery]"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ParamError) as message:
        load_levers()
    assert [line.split(";")[0] for line in str(message.value).splitlines()] == [
        "params/levers.yaml: L11.evidence: no source 'lewis-2060'",
        "params/levers.yaml: L32.strategies: no strategy 'fastest-delivery'",
    ]


@pytest.mark.parametrize(
    ("idea", "lever"),
    [
        ("exit-intent pop-up", "L10"), ("cart abandonment", "L10"), ("BOPIS", "L32"), ("virtual try-on", "L05"),
        ("guest checkout", "L06"), ("buy more save more", "L15"), ("bounce-back", "L14"), ("countdown", "L12"),
        ("birthday", "L13"), ("email marketing", "L25"), ("SMS", "L26"), ("onboarding", "L24"), ("win-back", "L28"),
        ("live chat", "L36"), ("SOP", "L36"), ("AI agent assist", "L37"), ("NPS", "L38"), ("journey map", "L38"),
        ("thank-you note", "L35"), ("refund", "L34"), ("stockout", "L33"), ("user-generated content", "L04"),
        ("personalization", "L29"), ("social commerce", "L30"), ("visual identity", "L31"), ("auto-renewal", "L21"),
    ],
)  # fmt: skip
def test_an_idea_is_found_by_the_words_that_people_use_for_it(idea, lever):
    assert lever in search(load_levers(), idea)
