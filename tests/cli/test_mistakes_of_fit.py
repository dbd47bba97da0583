"""Parts of a scenario that do not fit together end in one clear message, exit code 1, and nothing written."""

from __future__ import annotations

import pytest

TINY = "scenarios/tiny.yaml"
POINTS = "strategies/points-programme.yaml"
FRIENDS = "strategies/referral-programme.yaml"
SHOP = "behaviour/online-shop.yaml"
STRATEGIES = "strategies: [points-programme, win-back-coupon]"
SERVICE = "economics: cdnow-service\nbehaviour: online-shop"
STACKING = "stacking: {description: d, unit: share, value: 0.5, range: [0.5, 0.5], evidence: assumed}\n"


def strategies(*names, more=""):
    """Return the change of the scenario to these strategies."""
    return TINY, STRATEGIES, f"strategies: [{', '.join(names)}]\n{more}"


def combinations(*names, key="strategies", stacking=STACKING):
    return f"combinations:\n  - {{name: both, title: Both, {key}: [{', '.join(names)}]}}\n{stacking}"


BOTH = ("points-programme", "win-back-coupon")
SERVED = (TINY, "economics: cdnow", SERVICE)

# What is changed, and the words that the message must have.
FILES = {
    "tickets without experience": (
        [strategies("self-service")],
        [
            "params/scenarios/tiny.yaml: strategy 'self-service' has satisfaction, tickets, which",
            "'plain'",
            "behaviour: online-shop",
        ],
    ),
    "a cost of tickets without experience": (
        [(POINTS, "kind: monthly", "kind: per_ticket"), (POINTS, "unit: money per month", "unit: money per ticket")],
        ["tiny.yaml: strategy 'points-programme' has the cost per_ticket", "behaviour: online-shop"],
    ),
    "returns without returns": (
        [strategies("free-returns")],
        ["tiny.yaml: strategy 'free-returns'", "'plain'", "behaviour: online-shop"],
    ),
    "tickets without a price": (
        [(TINY, "economics: cdnow", "economics: cdnow\nbehaviour: online-shop")],
        ["tiny.yaml: the behaviour 'online-shop' has tickets", "'cdnow'", "write support_per_ticket"],
    ),
    "an incident that is none": (
        [SERVED, strategies("order-checks"), ("strategies/order-checks.yaml", "incident: ", "incident: x")],
        ["tiny.yaml: strategy 'order-checks'", "no incident 'x", "Possible: late, defect, stock_out, early"],
    ),
    "two prices at once": (
        [strategies("sitewide-sale", "targeted-discount", more=combinations("sitewide-sale", "targeted-discount"))],
        ["tiny.yaml: combination 'both'", "'sitewide-sale' and 'targeted-discount'", "from month 0", "until_month"],
    ),
    "referrals that explode": (
        [
            strategies("referral-programme"),
            (FRIENDS, "range: [0.15, 1.00]", "range: [0.15, 40.0]"),
        ],
        ["tiny.yaml: strategy 'referral-programme'", "brings 1.70 new ones within 3 months", "Below 1 is possible"],
    ),
    "a card that is full after less than one order": (
        [(POINTS, "value: 100\n      range: [100, 100]", "value: 20\n      range: [20, 20]")],
        ["strategy 'points-programme': 20 points fill a card", "Raise points.threshold or lower points.earn"],
    ),
    "a negative cost": (
        [(POINTS, "value: 350", "value: -350")],
        ["points-programme.yaml: costs.1.amount: value -350 is outside its range"],
    ),
    "a ratio below zero": (
        [(POINTS, "value: 0.85\n      range: [0.70, 1.00]", "value: -0.85\n      range: [-1.0, 1.00]")],
        ["points-programme.yaml: effects.0.dropout.ratio: range [-1, 1]", "allows: 0.01 to 100"],
    ),
    "an unknown key of a combination": (
        [strategies(*BOTH, more=combinations(*BOTH, key="strategis"))],
        [
            "tiny.yaml: combinations.0.strategis: unknown key; did you mean 'strategies'?",
            "tiny.yaml: combinations.0.strategies: missing",
        ],
    ),
    "an unknown strategy in a combination": (
        [strategies(*BOTH, more=combinations("points-program", "win-back-coupon"))],
        ["tiny.yaml: combination 'both': no strategy 'points-program'; did you mean 'points-programme'?"],
    ),
    "a combination of one": (
        [strategies(*BOTH, more=combinations("points-programme"))],
        ["tiny.yaml: combinations.0: combination 'both' must name at least two strategies", "found points-programme"],
    ),
    "a combination without stacking": (
        [strategies(*BOTH, more=combinations(*BOTH, stacking=""))],
        ["tiny.yaml: combinations need the number stacking"],
    ),
    "a combination of what is only searched": (
        [strategies("points-programme", "vip-tiers", more=combinations("points-programme", "vip-tiers"))],
        ["tiny.yaml: combination 'both': the effects of 'vip-tiers' are searched, not believed"],
    ),
    "an unknown behaviour": (
        [(TINY, "economics: cdnow", "economics: cdnow-service\nbehaviour: online-shops")],
        ["tiny.yaml: behaviour: ", "no 'online-shops'; did you mean 'online-shop'?"],
    ),
    "an unknown key of a behaviour": (
        [SERVED, (SHOP, "order_season:", "order_seasons:")],
        ["online-shop.yaml: order_seasons: unknown key; did you mean 'order_season'?"],
    ),
    "an unknown key deep in a behaviour": (
        [SERVED, (SHOP, "      shock:", "      shocks:")],
        [
            "online-shop.yaml: experience.incidents.0.shocks: unknown key; did you mean 'shock'?",
            "experience.incidents.0.shock: missing",
        ],
    ),
    "an effect believed that nobody has measured": (
        [
            strategies("brand-look"),
            ("strategies/brand-look.yaml", "mode: break-even\nsearches: effects.acquisition_1.ratio\n", ""),
        ],
        ["strategy 'brand-look': nobody has measured", "L31", "grade E", "write mode: break-even and searches"],
    ),
    "a mode without a search": (
        [strategies("vip-tiers"), ("strategies/vip-tiers.yaml", "searches: effects.status_1.dropout\n", "")],
        ["vip-tiers.yaml: mode break-even needs searches", "effects.status_1.dropout"],
    ),
    "a search of what is no number": (
        [strategies("vip-tiers"), ("strategies/vip-tiers.yaml", "status_1.dropout", "status_1.droput")],
        ["found 'effects.status_1.droput'; did you mean 'effects.status_1.dropout'?"],
    ),
    "an unknown mode": (
        [(POINTS, "lever: L18", "lever: L18\nmode: breakeven")],
        ["points-programme.yaml: mode: 'breakeven' is not possible; did you mean 'break-even'?"],
    ),
    "an unknown lever": (
        [(POINTS, "lever: L18", "lever: L188")],
        ["strategy 'points-programme': no lever 'L188'; did you mean 'L18'?"],
    ),
    "only effects that are searched": (
        [strategies("vip-tiers")],
        ["the effects of vip-tiers are searched, not believed", "`cxsim break-even`"],
    ),
}


@pytest.mark.parametrize(("edits", "words"), FILES.values(), ids=FILES)
def test_a_study_is_refused_for(project, edits, words):
    for place, old, new in edits:
        project.edit(place, old, new)
    before = project.files(), project.folders()
    message = project("simulate", "tiny", "--out", "tables").error
    for word in words:
        assert word in message
    assert (project.files(), project.folders()) == before
