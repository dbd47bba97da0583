"""Every mistake in the input ends in one clear message, exit code 1, and nothing written."""

from __future__ import annotations

import re

import pytest

TINY = "scenarios/tiny.yaml"
POINTS = "strategies/points-programme.yaml"
COUPON = "strategies/win-back-coupon.yaml"
SHOP = "economics/cdnow.yaml"
MARGIN = "value: 0.40\n  range: [0.34, 0.46]"
UPTAKE = "value: 0.40\n    range: [0.25, 0.55]"

MONTHLY = """\
kind: monthly
    amount:
      description: Software licence and operation of the programme.
      unit: money per month"""
SECOND_COUPON = """\
  - kind: coupon
    face_value: {description: d, unit: money, value: 1, range: [1, 1], evidence: assumed}
    redemption: {description: d, unit: share, value: 1, range: [1, 1], evidence: assumed}
"""

# File, what stands there, and what is written instead.
FILES = {
    "an unknown strategy": (TINY, "[points-programme,", "[points-program,"),
    "a strategy named by a path": (TINY, "[points-programme,", "[params/x.yaml,"),
    "unknown economics": (TINY, "economics: cdnow", "economics: cdnov"),
    "two unknown names": (TINY, "economics: cdnow\nstrategies: [points", "economics: x\nstrategies: [y"),
    "a misspelt key": (TINY, "draws: 2", "drawz: 2"),
    "a misspelt key deep inside": (POINTS, "    evidence: assumed", "    evidance: assumed"),
    "a misspelt key in an effect": (POINTS, "    ratio:\n      description: >-", "    ratios:\n      description: >-"),
    "a key for the name": (TINY, "title:", "name: tiny\ntitle:"),
    "a key written twice": (TINY, "draws: 2", "draws: 2\ndraws: 3"),
    "a key that is no text": (TINY, "draws: 2", "draws: 2\non: 3"),
    "a reference": (TINY, "seed: 7", "seed: &here 7\ntitles: *here"),
    "a missing key": (TINY, "seed: 7\n", ""),
    "a number in quotes": (TINY, "draws: 2", 'draws: "2"'),
    "a share in quotes": (SHOP, "value: 0.40", 'value: "0.40"'),
    "an exponent that YAML reads as text": (SHOP, "value: 0.40", "value: 4e-1"),
    "a number that is no whole one": (TINY, "draws: 2", "draws: 2.5"),
    "no day": (TINY, "observed_until: 1998-06-30", "observed_until: 1998-06-31"),
    "a moment for a day": (TINY, "observed_until: 1998-06-30", "observed_until: 1998-06-30 12:00:00"),
    "a day in words": (TINY, "observed_until: 1998-06-30", "observed_until: last June"),
    "a year beyond the calendar": (TINY, "observed_until: 1998-06-30", "observed_until: 9999-12-31"),
    "a day before all orders": (TINY, "observed_until: 1998-06-30", "observed_until: 1990-06-30"),
    "a day after all that was observed": (TINY, "observed_until: 1998-06-30", "observed_until: 1999-06-30"),
    "a wrong unit": (SHOP, "unit: share\n", "unit: ratio\n"),
    "an unknown unit": (SHOP, "unit: share\n", "unit: shares\n"),
    "a wrong unit of a cost": (COUPON, "unit: money\n", "unit: points\n"),
    "a value outside its range": (SHOP, MARGIN, "value: 0.50\n  range: [0.34, 0.46]"),
    "a range outside its unit": (SHOP, MARGIN, "value: 0.40\n  range: [0.34, 1.46]"),
    "a range that touches the edge": (SHOP, MARGIN, "value: 0.40\n  range: [0.0, 0.46]"),
    "a range of one end": (SHOP, "range: [0.34, 0.46]", "range: [0.34]"),
    "infinity": (SHOP, MARGIN, "value: 0.40\n  range: [0.34, .inf]"),
    "not a number": (SHOP, MARGIN, "value: .nan\n  range: [0.34, 0.46]"),
    "an infinite seed": (TINY, "seed: 7", "seed: .inf"),
    "a rule with spread": (SHOP, "value: 0.90\n  range: [0.90, 0.90]", "value: 0.90\n  range: [0.80, 0.95]"),
    "a rule of earlier versions": (SHOP, "roi_hurdle:", "reject_probability:"),
    "a currency that is none": (SHOP, "currency: USD", "currency: dollars"),
    "a source missing": (POINTS, "evidence: published\n      source: gopalakrishnan-2021", "evidence: published"),
    "an unknown grade of evidence": (SHOP, "evidence: assumed", "evidence: guessed"),
    "an unknown effect": (POINTS, "kind: dropout", "kind: drop_out"),
    "an effect without kind": (POINTS, "  - kind: dropout\n    ratio", "  - ratio"),
    "an unknown cost": (COUPON, "kind: one_off", "kind: oneoff"),
    "an unknown timing": (SHOP, "timing: mid", "timing: middle"),
    "an unknown structure of leaving": (TINY, "dropout: bgnbd", "dropout: pareto"),
    "one model of leaving without a reason": (TINY, "dropout_reason: One is enough.\n", ""),
    "the old word for it": (TINY, "draws: 2", "draws: 2\nmodel: bgnbd"),
    "an unknown choice of customers": (TINY, "existing_customers: none", "existing_customers: some"),
    "a cost in the unit of another": (POINTS, "kind: monthly", "kind: per_contact"),
    "a cost of contacts without contacts": (
        POINTS,
        MONTHLY,
        MONTHLY.replace("monthly", "per_contact").replace("per month", "per contact"),
    ),
    "a reach that waits for no end": (COUPON, "  for_days:", "  for_day:"),
    "a horizon of zero": (TINY, "horizon_months: 3", "horizon_months: 0"),
    "a horizon beyond reason": (TINY, "horizon_months: 3", "horizon_months: 100000000000000000000"),
    "no draw": (TINY, "draws: 2", "draws: 0"),
    "a negative seed": (TINY, "seed: 7", "seed: -1"),
    "a seed that no processor holds": (TINY, "seed: 7", "seed: 9223372036854775808"),
    "a cohort of zero": (TINY, "per_month: 20", "per_month: 0"),
    "cohorts for no month": (TINY, "  months: 2", "  months: 0"),
    "more customers than a memory holds": (TINY, "per_month: 20", "per_month: 2000000000"),
    "arrivals after the horizon": (TINY, "  months: 2", "  months: 4"),
    "nobody": (TINY, "new_customers:\n  per_month: 20\n  months: 2\n", ""),
    "no strategies": (TINY, "[points-programme, win-back-coupon]", "[]"),
    "a strategy twice": (TINY, "win-back-coupon]", "points-programme]"),
    "a strategy after the horizon": (POINTS, "  who: everyone", "  who: everyone\n  from_month: 3"),
    "an end before the start": (POINTS, "  who: everyone", "  who: everyone\n  until_month: 0"),
    "an unknown segment": (POINTS, "who: everyone", "who: everybody"),
    "a misspelt column in a condition": (POINTS, "who: everyone", "who: frequncy > 1"),
    "a condition of numbers": (POINTS, "who: everyone", "who: frequency + 1"),
    "an empty condition": (POINTS, "who: everyone", 'who: ""'),
    "a condition that drops tables": (POINTS, "who: everyone", "who: frequency > 1; DROP TABLE customers"),
    "a condition that closes a quote": (POINTS, "who: everyone", 'who: "\' OR 1=1 --"'),
    "a condition that reads a file": (POINTS, "who: everyone", "who: read_csv('orders.csv')"),
    "two price effects": (COUPON, "  - kind: coupon", SECOND_COUPON + "  - kind: coupon"),
    "an order file that is not there": (TINY, "orders: cdnow-sample", "orders: data/orders.csv"),
}


@pytest.mark.parametrize(("place", "old", "new"), FILES.values(), ids=FILES)
def test_a_study_is_refused_for(project, place, old, new, snapshot):
    project.edit(place, old, new)
    before = project.files(), project.folders()
    message = project("simulate", "tiny", "--out", "tables").error
    # Without what is possible, which every new file changes.
    message = message.replace(str(project.folder), "PROJECT")
    assert re.split("[Pp]ossible: |none is near|All [0-9]", message)[0] == snapshot
    assert (project.files(), project.folders()) == before


FRIENDS = "strategies/referral-programme.yaml"
BEHAVIOUR = "behaviour/online-shop.yaml"
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
# What is changed.
EFFECTS = {
    "tickets without experience": [strategies("self-service")],
    "a cost of tickets without experience": [
        (POINTS, "kind: monthly", "kind: per_ticket"),
        (POINTS, "unit: money per month", "unit: money per ticket"),
    ],
    "returns without returns": [strategies("free-returns")],
    "tickets without a price": [(TINY, "economics: cdnow", "economics: cdnow\nbehaviour: online-shop")],
    "an incident that is none": [
        SERVED,
        strategies("order-checks"),
        ("strategies/order-checks.yaml", "incident: ", "incident: x"),
    ],
    "two prices at once": [
        strategies("sitewide-sale", "targeted-discount", more=combinations("sitewide-sale", "targeted-discount"))
    ],
    "referrals that explode": [
        strategies("referral-programme"),
        (FRIENDS, "range: [0.15, 1.00]", "range: [0.15, 40.0]"),
    ],
    "a card that is full after less than one order": [
        (POINTS, "value: 100\n      range: [100, 100]", "value: 20\n      range: [20, 20]")
    ],
    "a negative cost": [(POINTS, "value: 350", "value: -350")],
    "a ratio below zero": [
        (POINTS, "value: 0.85\n      range: [0.70, 1.00]", "value: -0.85\n      range: [-1.0, 1.00]")
    ],
    "an unknown key of a combination": [strategies(*BOTH, more=combinations(*BOTH, key="strategis"))],
    "an unknown strategy in a combination": [strategies(*BOTH, more=combinations("points-program", "win-back-coupon"))],
    "a combination of one": [strategies(*BOTH, more=combinations("points-programme"))],
    "a combination without stacking": [strategies(*BOTH, more=combinations(*BOTH, stacking=""))],
    "a combination of what is only searched": [
        strategies("points-programme", "vip-tiers", more=combinations("points-programme", "vip-tiers"))
    ],
    "an unknown behaviour": [(TINY, "economics: cdnow", "economics: cdnow-service\nbehaviour: online-shops")],
    "an unknown key of a behaviour": [SERVED, (BEHAVIOUR, "order_season:", "order_seasons:")],
    "an unknown key deep in a behaviour": [SERVED, (BEHAVIOUR, "      shock:", "      shocks:")],
    "an effect believed that nobody has measured": [
        strategies("brand-look"),
        ("strategies/brand-look.yaml", "mode: break-even\nsearches: effects.acquisition_1.ratio\n", ""),
    ],
    "a mode without a search": [
        strategies("vip-tiers"),
        ("strategies/vip-tiers.yaml", "searches: effects.status_1.dropout\n", ""),
    ],
    "a search of what is no number": [
        strategies("vip-tiers"),
        ("strategies/vip-tiers.yaml", "status_1.dropout", "status_1.droput"),
    ],
    "an unknown mode": [(POINTS, "lever: L18", "lever: L18\nmode: breakeven")],
    "an unknown lever": [(POINTS, "lever: L18", "lever: L188")],
    "only effects that are searched": [strategies("vip-tiers")],
}


@pytest.mark.parametrize("edits", EFFECTS.values(), ids=EFFECTS)
def test_a_study_of_effects_is_refused_for(project, edits, snapshot):
    for place, old, new in edits:
        project.edit(place, old, new)
    before = project.files(), project.folders()
    message = project("simulate", "tiny", "--out", "tables").error
    assert re.split("[Pp]ossible: |none is near|All [0-9]", message)[0] == snapshot
    assert (project.files(), project.folders()) == before


CONTENTS = {
    "nothing in it": (b"", "the file is empty"),
    "a list": (b"- a\n- b\n", "found list; the file must be a mapping"),
    "a word": (b"tiny\n", "found str; the file must be a mapping"),
    "bytes that are not UTF-8": ("title: Müsli".encode("latin-1"), "not UTF-8"),
    "brackets without end": (b"strategies: [a, b\n", "not readable as YAML"),
    "brackets without number": (b"a: " + b"[" * 10_000, "not readable as YAML"),
    "a control character": (b"title: \x1b[2J\n", "not readable as YAML"),
    "an object of Python": (b"title: !!python/object/apply:os.getcwd []\n", "not readable as YAML"),
    "a number of ten thousand digits": (b"seed: " + b"9" * 10_000, "not readable as YAML"),
}


@pytest.mark.parametrize(("content", "words"), CONTENTS.values(), ids=CONTENTS)
def test_a_scenario_file_is_refused_for(project, content, words):
    (project.folder / "params" / "scenarios" / "tiny.yaml").write_bytes(content)
    message = project("simulate", "tiny").error
    assert words in message
    assert message.startswith("params/scenarios/tiny.yaml: ")
    assert "reports" not in project.folders()


def test_an_unknown_scenario_is_answered_with_the_choices(project):
    assert project("simulate", "tinny").error.startswith("params/scenarios: no 'tinny'; did you mean 'tiny'?")


@pytest.mark.parametrize("command", ["simulate", "report"])
@pytest.mark.parametrize("name", ["no-such.yaml", "../economics/cdnow", "x" * 300, "", "a\0b"])
def test_a_scenario_that_is_not_there_is_no_accident(project, command, name):
    assert "tiny" in project(command, name).error


def test_outside_of_a_project_the_bundled_scenarios_are_found(project, tmp_path):
    project.folder = tmp_path
    assert "cdnow-quick" in project("simulate", "tiny").error


# Everything is refused before anything is simulated: a file stands where a folder would have to be.
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["simulate", "tiny", "--out", "taken"], "taken: cannot be written to"),
        (["simulate", "tiny", "--out", "taken/deeper/still"], "taken/deeper/still: cannot be written to"),
        (["report", "tiny", "--out", "taken/page.html"], "taken"),
    ],
)
def test_nothing_is_written_where_a_file_stands(project, words, said):
    (project.folder / "taken").write_text("mine")
    before = project.files()
    assert said in project(*words).error
    assert project.files() == before


LINES = ["7,2024-01-01,10.00", "7,2024-02-01,12.00", "8,2024-01-05,8.00"]


def _single_orders(number):
    return [f"{customer},2024-01-{1 + customer % 28:02d},10.00" for customer in range(number)]


def test_an_unknown_column_is_answered_with_those_found_and_the_nearest(project, orders):
    path = orders(*LINES, header="customer,ordered_at,amout\n")
    message = project("fit", path).error
    assert message.startswith(
        "orders.csv: not recognised by its 3 columns (customer, ordered_at, amout). Map its columns"
    )
    assert "for orders with --customer-id, --ordered-at, --amount" in message
    named = ["--customer-id", "customer", "--ordered-at", "ordered_at", "--amount", "amuot"]
    message = project("fit", path, *named).error
    assert "no column 'amuot' (for amount); did you mean 'amout'? Possible: customer, ordered_at, amout." in message


@pytest.mark.parametrize(
    ("lines", "words", "said"),
    [
        (LINES, ["--amount", "total"], "no column 'total' (for amount)"),
        (
            ["7,2024-01-01,ten", "8,2024-01-01,=1+1"],
            [],
            "2 of 2 cells cannot be read as an amount: row 1: 'ten'; row 2: ",
        ),
        (["7,2024-01-01,ten", "8,2024-01-01,=1+1"], ["--unreadable", "missing"], "no usable row"),
        (LINES, ["--policy", "zeros=keep"], "policy: no 'zeros'; did you mean 'zero'?"),
        (LINES, ["--policy", "zero"], "policy: 'zero' must be KEY=VALUE, such as unreadable=missing."),
        (LINES, ["--policy", "zero=merge"], "policy zero: 'merge' is not possible; possible: drop, keep."),
        ([], [], "orders.csv"),
    ],
)
def test_orders_that_cannot_be_used_are_refused(project, orders, lines, words, said):
    assert said in project("fit", orders(*lines), *words).error


def test_a_file_that_is_empty_or_not_there_is_refused(project, orders):
    assert "orders.csv" in project("fit", orders(header="")).error
    assert "no-such.csv" in project("fit", "no-such.csv").error


def test_a_shop_without_repeat_customers_learns_what_can_be_said_and_done(project, orders):
    done = project("fit", orders(*_single_orders(60)), "--until", "2024-06-30")
    assert done.code == 1
    assert "60 of 60 rows became orders." in done.out
    assert done.err.startswith("Error: found 60 customers, none with a second order within the 181 days or less")
    assert "With 95 % confidence" in done.err
    assert "Check that customer_id identifies customers, not orders" in done.err
    assert done.err.count("\n") == 1


def test_a_scenario_over_such_a_shop_is_refused_too_and_writes_nothing(project, orders):
    orders(*_single_orders(60))
    project.edit(TINY, "orders: cdnow-sample", "orders: orders.csv")
    project.edit(TINY, "observed_until: 1998-06-30", "observed_until: 2024-06-30")
    before = project.files(), project.folders()
    assert "repeat" in project("simulate", "tiny").error
    assert (project.files(), project.folders()) == before


def test_names_in_data_send_no_markup_and_no_control_character_to_the_terminal(project, orders):
    path = orders(*LINES, header="[bold red]who[/],\x1b[2Jwhen,a\u202emount\n")
    message = project("fit", path).error
    assert "[bold red]who[/]" in message
    assert "\x1b" not in message
    assert "\u202e" not in message


@pytest.mark.parametrize(
    "words",
    [
        ("fit",), ("simulate",), ("new", "copy"), ("no-such-command",), ("simulate", "tiny", "--no-such-option"),
        ("fit", "cdnow-sample", "--until", "30.9.1997"), ("fit", "cdnow-sample", "--horizon-days", "0"),
        ("fit", "cdnow-sample", "--annual-discount-rate", "nan"),
    ],
)  # fmt: skip
def test_a_call_that_is_none_ends_with_code_2_and_help_with_the_commands(shared, words):
    done = shared(*words)
    assert (done.code, done.out) == (2, "")
    assert "simulate" in shared("--help").out
