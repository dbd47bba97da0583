"""Every mistake in the input ends in one clear message, exit code 1, and nothing written."""

from __future__ import annotations

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
      description: Software licence and running the programme.
      unit: money per month"""
SECOND_COUPON = """\
  - kind: coupon
    face_value: {description: d, unit: money, value: 1, range: [1, 1], evidence: assumed}
    redemption: {description: d, unit: share, value: 1, range: [1, 1], evidence: assumed}
"""

# File, what stands there, what is written instead, and the words that the message must have.
FILES = {
    "an unknown strategy": (
        TINY,
        "[points-programme,",
        "[points-program,",
        [
            "params/scenarios/tiny.yaml: strategies.0",
            "no 'points-program'",
            "did you mean 'points-programme'?",
            "faster-delivery",
        ],
    ),
    "a strategy named by a path": (
        TINY,
        "[points-programme,",
        "[params/x.yaml,",
        ["no 'params/x.yaml'", "win-back-coupon"],
    ),
    "unknown economics": (
        TINY,
        "economics: cdnow",
        "economics: cdnov",
        ["economics: ", "no 'cdnov'", "did you mean 'cdnow'?"],
    ),
    "two unknown names": (
        TINY,
        "economics: cdnow\nstrategies: [points",
        "economics: x\nstrategies: [y",
        ["no 'x'", "no 'y-programme'"],
    ),
    "a misspelt key": (TINY, "draws: 2", "drawz: 2", ["tiny.yaml: drawz: unknown key", "did you mean 'draws'?"]),
    "a misspelt key deep inside": (
        POINTS,
        "    evidence: assumed",
        "    evidance: assumed",
        [
            "points-programme.yaml: reach.uptake.evidance: unknown key",
            "did you mean 'evidence'?",
            "reach.uptake.evidence: missing",
        ],
    ),
    "a misspelt key in an effect": (
        POINTS,
        "    ratio:\n      description: >-",
        "    ratios:\n      description: >-",
        ["effects.0.dropout.ratios: unknown key", "did you mean 'ratio'?"],
    ),
    "a key for the name": (TINY, "title:", "name: tiny\ntitle:", ["name: unknown key", "the file's own, 'tiny'"]),
    "a key written twice": (TINY, "draws: 2", "draws: 2\ndraws: 3", ["line 13", "key 'draws' is written twice"]),
    "a key that is no text": (TINY, "draws: 2", "draws: 2\non: 3", ["line 13", "the key True is not text"]),
    "a reference": (TINY, "seed: 7", "seed: &here 7\ntitles: *here", ["line 14", "a reference (*)"]),
    "a missing key": (TINY, "seed: 7\n", "", ["tiny.yaml: seed: missing"]),
    "a number in quotes": (TINY, "draws: 2", 'draws: "2"', ["draws: must be a whole number", "without quotes"]),
    "a share in quotes": (
        SHOP,
        "value: 0.40",
        'value: "0.40"',
        ["gross_margin.value: must be a number", "without quotes"],
    ),
    "an exponent that YAML reads as text": (
        SHOP,
        "value: 0.40",
        "value: 4e-1",
        ["gross_margin.value: must be a number", "1.0e+3"],
    ),
    "a number that is no whole one": (TINY, "draws: 2", "draws: 2.5", ["draws: ", "2.5"]),
    "no day": (TINY, "observed_until: 1998-06-30", "observed_until: 1998-06-31", ["not readable as YAML", "day"]),
    "a moment for a day": (
        TINY,
        "observed_until: 1998-06-30",
        "observed_until: 1998-06-30 12:00:00",
        ["observed_until: ", "12:00:00"],
    ),
    "a day in words": (
        TINY,
        "observed_until: 1998-06-30",
        "observed_until: last June",
        ["observed_until: ", "last June"],
    ),
    "a year beyond the calendar": (
        TINY,
        "observed_until: 1998-06-30",
        "observed_until: 9999-12-31",
        ["observed_until", "1900 to 2200"],
    ),
    "a day before all orders": (TINY, "observed_until: 1998-06-30", "observed_until: 1990-06-30", ["1990-06-30"]),
    "a day after all that was observed": (
        TINY,
        "observed_until: 1998-06-30",
        "observed_until: 1999-06-30",
        ["1999-06-30", "1998-06-30"],
    ),
    "a wrong unit": (SHOP, "unit: share\n", "unit: ratio\n", ["wrong unit 'ratio'", "must be 'share'"]),
    "an unknown unit": (
        SHOP,
        "unit: share\n",
        "unit: shares\n",
        ["gross_margin.unit: 'shares' is not possible", "did you mean 'share'?"],
    ),
    "a wrong unit of a cost": (COUPON, "unit: money\n", "unit: points\n", ["wrong unit 'points'", "must be 'money'"]),
    "a value outside its range": (
        SHOP,
        MARGIN,
        "value: 0.50\n  range: [0.34, 0.46]",
        ["gross_margin: value 0.5 is outside its range [0.34, 0.46]"],
    ),
    "a range outside its unit": (
        SHOP,
        MARGIN,
        "value: 0.40\n  range: [0.34, 1.46]",
        ["gross_margin: range [0.34, 1.46]", "0 to 1"],
    ),
    "a range that touches the edge": (SHOP, MARGIN, "value: 0.40\n  range: [0.0, 0.46]", ["touches the edge"]),
    "a range of one end": (SHOP, "range: [0.34, 0.46]", "range: [0.34]", ["gross_margin.range"]),
    "infinity": (SHOP, MARGIN, "value: 0.40\n  range: [0.34, .inf]", ["gross_margin: ", "finite"]),
    "not a number": (SHOP, MARGIN, "value: .nan\n  range: [0.34, 0.46]", ["gross_margin: ", "finite"]),
    "an infinite seed": (TINY, "seed: 7", "seed: .inf", ["seed: "]),
    "a rule with spread": (
        SHOP,
        "value: 0.90\n  range: [0.90, 0.90]",
        "value: 0.90\n  range: [0.80, 0.95]",
        ["fund_probability: a rule has no spread"],
    ),
    "rules that contradict": (
        SHOP,
        "value: 0.25\n  range: [0.25, 0.25]",
        "value: 0.95\n  range: [0.95, 0.95]",
        ["reject_probability (0.95) is above fund_probability"],
    ),
    "a currency that is none": (SHOP, "currency: USD", "currency: dollars", ["currency must be", "'dollars'"]),
    "a source missing": (
        POINTS,
        "evidence: published\n      source: gopalakrishnan-2021",
        "evidence: published",
        ["effects.0.dropout.ratio", "needs a source"],
    ),
    "an unknown grade of evidence": (
        SHOP,
        "evidence: assumed",
        "evidence: guessed",
        ["'guessed' is not possible", "assumed"],
    ),
    "an unknown effect": (
        POINTS,
        "kind: dropout",
        "kind: drop_out",
        ["kind 'drop_out' is not possible", "did you mean 'dropout'?"],
    ),
    "an effect without kind": (
        POINTS,
        "  - kind: dropout\n    ratio",
        "  - ratio",
        ["effects.0: the key 'kind' is missing"],
    ),
    "an unknown cost": (
        COUPON,
        "kind: one_off",
        "kind: oneoff",
        ["'oneoff' is not possible", "did you mean 'one_off'?"],
    ),
    "an unknown timing": (
        SHOP,
        "timing: mid",
        "timing: middle",
        ["timing: 'middle' is not possible", "did you mean 'mid'?"],
    ),
    "an unknown structure of leaving": (
        TINY,
        "draws: 2",
        "draws: 2\ndropout: pareto",
        ["dropout: 'pareto' is not possible", "did you mean 'paretonbd'?", "bgnbd", "all"],
    ),
    "the old word for it": (TINY, "draws: 2", "draws: 2\nmodel: bgnbd", ["tiny.yaml: model: unknown key", "dropout"]),
    "an unknown choice of customers": (
        TINY,
        "existing_customers: none",
        "existing_customers: some",
        ["'some' is not possible", "all"],
    ),
    "a cost in the unit of another": (
        POINTS,
        "kind: monthly",
        "kind: per_contact",
        ["costs.1: cost 'per_contact': wrong unit 'money per month'"],
    ),
    "a cost of contacts without contacts": (
        POINTS,
        MONTHLY,
        MONTHLY.replace("monthly", "per_contact").replace("per month", "per contact"),
        ["points-programme.yaml: cost 'per_contact' needs a reach with after_idle_days"],
    ),
    "a reach that waits for no end": (
        COUPON,
        "  for_days:",
        "  for_day:",
        ["for_day: unknown key", "did you mean 'for_days'?"],
    ),
    "a horizon of zero": (
        TINY,
        "horizon_months: 3",
        "horizon_months: 0",
        ["horizon_months must be 1 to 600", "found 0"],
    ),
    "a horizon beyond reason": (
        TINY,
        "horizon_months: 3",
        "horizon_months: 100000000000000000000",
        ["horizon_months must be 1 to 600"],
    ),
    "no draw": (TINY, "draws: 2", "draws: 0", ["draws must be 2 to 10,000; found 0"]),
    "a negative seed": (TINY, "seed: 7", "seed: -1", ["seed must be 0 to", "found -1"]),
    "a seed that no processor holds": (
        TINY,
        "seed: 7",
        "seed: 9223372036854775808",
        ["seed must be 0 to 9,223,372,036,854,775,807"],
    ),
    "a cohort of zero": (
        TINY,
        "per_month: 20",
        "per_month: 0",
        ["new_customers: per_month must be 1 or more; found 0"],
    ),
    "cohorts for no month": (TINY, "  months: 2", "  months: 0", ["new_customers: months must be 1 or more; found 0"]),
    "more customers than a memory holds": (TINY, "per_month: 20", "per_month: 2000000000", ["too many", "100,000,000"]),
    "arrivals after the horizon": (
        TINY,
        "  months: 2",
        "  months: 4",
        ["new_customers.months (4) is beyond the horizon (3 months)"],
    ),
    "nobody": (TINY, "new_customers:\n  per_month: 20\n  months: 2\n", "", ["there are no customers"]),
    "no strategies": (TINY, "[points-programme, win-back-coupon]", "[]", ["strategies: there are none"]),
    "a strategy twice": (TINY, "win-back-coupon]", "points-programme]", ["different names"]),
    "a strategy after the horizon": (
        POINTS,
        "  who: everyone",
        "  who: everyone\n  from_month: 3",
        ["points-programme", "start after the horizon of 3 months"],
    ),
    "an end before the start": (
        POINTS,
        "  who: everyone",
        "  who: everyone\n  until_month: 0",
        ["reach: until_month must be after from_month"],
    ),
    "an unknown segment": (POINTS, "who: everyone", "who: everybody", ["who: no segment 'everybody'", "everyone"]),
    "a misspelt column in a condition": (
        POINTS,
        "who: everyone",
        "who: frequncy > 1",
        ["frequncy", "possible columns: origin, frequency"],
    ),
    "a condition of numbers": (POINTS, "who: everyone", "who: frequency + 1", ["not true or false"]),
    "an empty condition": (POINTS, "who: everyone", 'who: ""', ["is no condition"]),
    "a condition that drops tables": (
        POINTS,
        "who: everyone",
        "who: frequency > 1; DROP TABLE customers",
        ["is no condition"],
    ),
    "a condition that closes a quote": (POINTS, "who: everyone", 'who: "\' OR 1=1 --"', ["is no condition"]),
    "a condition that reads a file": (POINTS, "who: everyone", "who: read_csv('orders.csv')", ["is no condition"]),
    "two price effects": (
        COUPON,
        "  - kind: coupon",
        SECOND_COUPON + "  - kind: coupon",
        [
            "win-back-coupon.yaml: effects: at most one price effect (markdown or coupon)",
            "found purchase_rate, coupon, coupon",
        ],
    ),
    "an order file that is not there": (TINY, "orders: cdnow-sample", "orders: data/orders.csv", ["orders.csv"]),
}


@pytest.mark.parametrize(("place", "old", "new", "words"), FILES.values(), ids=FILES)
def test_a_study_is_refused_for(project, place, old, new, words):
    project.edit(place, old, new)
    before = project.files(), project.folders()
    message = project("simulate", "tiny", "--out", "tables").error
    for word in words:
        assert word in message
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
    assert project("simulate", "tinny").error == "params/scenarios: no 'tinny'; did you mean 'tiny'? Possible: tiny."


@pytest.mark.parametrize("command", ["simulate", "report"])
@pytest.mark.parametrize("name", ["no-such.yaml", "../economics/cdnow", "x" * 300, "", "a\0b"])
def test_a_scenario_that_is_not_there_is_no_accident(project, command, name):
    assert "tiny" in project(command, name).error


def test_outside_of_a_project_the_bundled_scenarios_are_found(project, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "cdnow-quick" in project("simulate", "tiny").error


# Everything is refused before anything is simulated: a file stands where a folder would have to be.
@pytest.mark.parametrize("out", ["taken", "taken/deeper/still"])
def test_tables_are_not_written_where_a_file_stands(project, out):
    (project.folder / "taken").write_text("mine")
    message = project("simulate", "tiny", "--out", out).error
    assert message.startswith(f"{out}: cannot be written to")
    assert (project.folder / "taken").read_text() == "mine"


def test_a_report_is_not_written_where_a_file_stands(project):
    (project.folder / "taken").write_text("mine")
    before = project.files()
    assert "taken" in project("report", "tiny", "--out", "taken/page.html").error
    assert project.files() == before


LINES = ["7,2024-01-01,10.00", "7,2024-02-01,12.00", "8,2024-01-05,8.00"]


def _single_orders(number):
    return [f"{customer},2024-01-{1 + customer % 28:02d},10.00" for customer in range(number)]


def test_an_unknown_column_is_answered_with_those_found_and_the_nearest(project, orders):
    path = orders(*LINES, header="customer,ordered_at,amout\n")
    message = project("fit", path).error
    assert "no column 'customer_id'" in message
    assert "did you mean 'customer'? Possible: customer, ordered_at, amout." in message


def test_a_column_option_that_names_nothing_is_refused(project, orders):
    assert "no column 'total' (for amount)" in project("fit", orders(*LINES), "--amount", "total").error


@pytest.mark.parametrize("header", ["", "customer_id,ordered_at,amount\n"], ids=["no byte", "no row"])
def test_an_empty_file_is_refused(project, orders, header):
    assert "orders.csv" in project("fit", orders(header=header)).error


def test_a_shop_without_repeat_customers_learns_what_the_models_need(project, orders):
    done = project("fit", orders(*_single_orders(60)), "--until", "2024-06-30")
    assert done.code == 1
    assert "60 rows read, 60 kept" in done.out
    assert done.err.startswith("Error: found 60 customers, 0 of them with a repeat order; a model of orders needs")


def test_a_scenario_over_such_a_shop_is_refused_too_and_writes_nothing(project, orders):
    orders(*_single_orders(60))
    project.edit(TINY, "orders: cdnow-sample", "orders: orders.csv")
    project.edit(TINY, "observed_until: 1998-06-30", "observed_until: 2024-06-30")
    before = project.files(), project.folders()
    assert "repeat" in project("simulate", "tiny").error
    assert (project.files(), project.folders()) == before


def test_a_file_that_is_not_there_is_refused(project):
    assert "no-such.csv" in project("fit", "no-such.csv").error


def test_amounts_that_are_no_numbers_are_refused(project, orders):
    assert "no usable row" in project("fit", orders("7,2024-01-01,ten", "8,2024-01-01,=1+1")).error


def test_names_in_data_send_no_markup_and_no_control_character_to_the_terminal(project, orders):
    path = orders(*LINES, header="[bold red]who[/],\x1b[2Jwhen,a\u202emount\n")
    message = project("fit", path).error
    assert "[bold red]who[/]" in message
    assert "\x1b" not in message
    assert "\u202e" not in message


@pytest.mark.parametrize(
    "words",
    [
        ("fit",),
        ("simulate",),
        ("new", "copy"),
        ("no-such-command",),
        ("simulate", "tiny", "--no-such-option"),
        ("fit", "cdnow-sample", "--until", "30.9.1997"),
        ("fit", "cdnow-sample", "--horizon-days", "0"),
        ("fit", "cdnow-sample", "--annual-discount-rate", "nan"),
    ],
)
def test_a_call_that_is_none_ends_with_code_2(project, words):
    done = project(*words)
    assert done.code == 2
    assert done.out == ""


def test_without_words_the_command_line_explains_itself(project):
    done = project("--help")
    assert done.code == 0
    assert "simulate" in done.out
