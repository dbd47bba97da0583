"""Two shops with nothing in common: a figure in the same words of both reports was typed, and must be known."""

from __future__ import annotations

import re
import shutil
from contextlib import chdir

import pytest

from cxsim.cli.commands import main
from cxsim.library import root
from cxsim.params import content_of, text_of

# What may stand in the prose of every report, and why.
KNOWN = {
    r"\b(?:80|90)\W*% (?:interval|range)": "levels of intervals",
    r"\b50, 80 and 90\b": "levels of the bands of a fan",
    r"\b(?:5|90)\W*% probability": "ends of a range",
    r"\b98\W*% range": "how far a break-even is searched",
    r"\bworst 10\W*%": "the tail of which CVaR is the mean",
    r"\bits 80\W*%": "how far the tornado moves a number",
    r"\b(?:IFRS|ASC) (?:15|606)\b|et al\. \(2022\)|Standards 2022|CHEERS 2022|BMJ 376|e067975": "names",
    r"\bOf 28 items\b": "counted in the checklist, whose items CHEERS 2022 sets",
    r"\bless than 0[.,]5\W*%|\bmore than 99[.,]5\W*%": "where shares end that are told apart",
    r"\breviewed 2026-11-24\b": "the day on which the bundled prices were reviewed",
    r"\ba 10\W*% higher rate\b|\bPareto/NBD it gives 10\W*%": "the question, and its closed form",
    r"\bat most 3 single numbers\b|\bThe first 10 of\b": "how many a figure shows",
    r"\b5\W*% significance level, 80\W*% power\b": "how a test is planned",
    r"\b(?:programme|shop|models|model|variation|these) 0\W*%": "a share of a variance, not clear from none",
    r"\b100\W*% per programme": "the whole of a variance",
}
PRICES = {
    "gross_margin": (0.22, 0.61), "payment_share": (0.021, 0.033), "payment_per_order": (0.27, 0.41),
    "fulfilment_per_order": (3.3, 7.1), "support_per_order": (0.37, 0.83), "acquisition_per_customer": (13.0, 37.0),
    "annual_discount_rate": (0.07, 0.14), "fund_probability": (0.83, 0.94),
    "roi_hurdle": (0.12, 0.43), "benefit_haircut": (0.13, 0.26), "cost_uplift": (0.07, 0.16),
}  # fmt: skip
CUSTOMERS = {
    "orders_per_year": (1.7, 6.3), "orders_between": (1.3, 0.7), "leaving": (0.73, 0.36), "leaving_between": (0.6, 1.2),
    "order_value": (23.0, 930.0), "order_value_between": (0.31, 0.57), "order_value_within": (0.36, 0.62),
}  # fmt: skip
SHOPS = (
    {"currency": "EUR", "opens_on": "2024-09-01", "per_month": 170, "months": 6, "until": "2025-02-28", "locale": "en"},
    {"currency": "CHF", "opens_on": "2019-03-01", "per_month": 23, "months": 58, "until": "2023-12-31", "locale": "ch"},
)
STRATEGIES = (("win-back-coupon", "points-programme"), ("referral-programme", "onboarding-series"))
RUNS = (
    {"horizon_months": 12, "draws": 6, "dropout": "bgnbd"},
    {"horizon_months": 29, "draws": 11, "dropout": "mbgnbd"},
)


def _numbers(content, values, which):
    """Give a file's numbers other values, with no spread where there was none and a narrow one elsewhere."""
    for name, each in values.items():
        low, high = content[name]["range"]
        value = each[which]
        content[name] |= {"value": value, "range": [value, value] if low == high else [0.93 * value, 1.06 * value]}
    return content


def _write(params, which):
    """Write a shop, its prices and a scenario of it into a project, and return the scenario's name."""
    shop, run, name = SHOPS[which], RUNS[which], f"shop-{which}"
    customers = content_of((params / "shops" / "skin-care.yaml").read_text(encoding="utf-8"))
    customers = _numbers(customers, CUSTOMERS, which) | {"currency": shop["currency"], "seed": 31 + which}
    customers["new_customers"] = {"per_month": shop["per_month"], "months": shop["months"]}
    prices = content_of((params / "economics" / "cdnow.yaml").read_text(encoding="utf-8"))
    prices = _numbers(prices, PRICES, which) | {"currency": shop["currency"], "locale": shop["locale"]}
    case = content_of((params / "scenarios" / "cdnow-quick.yaml").read_text(encoding="utf-8")) | run
    case |= {"title": f"Shop {'AB'[which]}", "description": "A shop.", "orders": name, "economics": name}
    case |= {"strategies": list(STRATEGIES[which]), "seed": 57 + which, "existing_customers": "all"}
    case["new_customers"] = {"per_month": shop["per_month"], "months": run["horizon_months"]}
    del case["budget"]
    days = {"shops": ("opens_on", shop["opens_on"]), "scenarios": ("observed_until", shop["until"])}
    for kind, content in (("shops", customers), ("economics", prices), ("scenarios", case)):
        text = text_of(content)
        if kind in days:
            key, day = days[kind]
            text = re.sub(rf"^{key}: .*", f"{key}: {day}", text, flags=re.MULTILINE)
        (params / kind / f"{name}.yaml").write_text(text, encoding="utf-8")
    return name


@pytest.fixture(scope="module")
def prose(tmp_path_factory):
    """The sentences of both reports, those in tables too, without the audit trail."""
    folder = tmp_path_factory.mktemp("two")
    for part in ("params", "notebooks"):
        shutil.copytree(root() / part, folder / part)
    found = []
    for which in (0, 1):
        name = _write(folder / "params", which)
        with chdir(folder), pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.argv", ["cxsim", "report", name, "--out", f"{name}.html"])
            with pytest.raises(SystemExit) as done:
                main()
        assert done.value.code == 0
        text = (folder / name / "report.md").read_text(encoding="utf-8").partition("## Appendix: audit trail")[0]
        found.append([*_sentences(text)])
    return found


def _sentences(text):
    """Yield the lines of a report, and of its tables the cells of eight words and more."""
    for line in filter(None, text.splitlines()):
        if line.startswith("|"):
            yield from (cell for cell in line.split("|") if len(cell.split()) >= 8)
        else:
            yield line


def _phrases(lines):
    """Return every figure with the three words before and after it."""
    known = "|".join(f"(?:{pattern})" for pattern in KNOWN)
    words = [re.sub(known, " ", line).replace("\N{NO-BREAK SPACE}", " ").split() for line in lines]
    return {
        " ".join(line[max(0, place - 3) : place + 4])
        for line in words
        for place, word in enumerate(line)
        if re.search(r"\d", word)
    }


def test_no_figure_in_the_same_words_stands_in_the_reports_of_two_different_shops(prose):
    first, second = map(_phrases, prose)
    assert min(len(first), len(second)) > 100  # both tell figures, or nothing was compared
    shared = sorted(first & second)
    assert shared == [], "; ".join(shared)


def test_every_known_figure_is_still_there(prose):
    both = [line.replace("\N{NO-BREAK SPACE}", " ") for lines in prose for line in lines]
    unused = [pattern for pattern in KNOWN if not any(re.search(pattern, line) for line in both)]
    assert unused == [], "; ".join(unused)
