"""`cxsim fit` and `cxsim value` on published orders, on files with mistakes, and beside the commands that measure."""

from __future__ import annotations

import json
import re
import shlex
from datetime import date, timedelta

import polars as pl
import pytest

import cxsim
from cxsim.cli.printing import require_table_file, write_table
from cxsim.data.cdnow import load_cdnow
from cxsim.errors import ReportError
from cxsim.study.loading import load_scenario
from cxsim.study.sources import orders_of as scenario_orders
from tests.cli.conftest import TINY
from tests.data.samples import order, order_log, write
from tests.data.test_decorations import Decorated

UNTIL = ("--until", "1997-09-30")


@pytest.fixture(scope="module")
def fitted(shared):
    """What a fit of the CDNOW sample says as JSON."""
    done = shared("fit", "cdnow-sample", *UNTIL, "--horizon-days", "30", "--json")
    assert (done.code, done.err) == (0, "")
    return json.loads(done.out)


def _parameters(fitted):
    return {row["parameter"]: row["estimate"] for row in fitted["purchases"]["parameters"]}


def test_the_published_fit_of_the_cdnow_sample_comes_out(fitted):
    found = _parameters(fitted)
    # Fader, Hardie & Lee (2005), table 2, in weeks: r .243, alpha 4.414, a .793, b 2.426; half of the last digit.
    assert found["r"] == pytest.approx(0.243, abs=5e-4)
    assert found["alpha"] / 7 == pytest.approx(4.414, abs=5e-4)
    assert found["a"] == pytest.approx(0.793, abs=5e-4)
    assert found["b"] == pytest.approx(2.426, abs=5e-4)
    assert fitted["observed_until"] == "1997-09-30"


def test_json_has_the_horizon_the_rows_and_the_most_valuable_customers_first(fitted):
    assert fitted["value"]["horizon_days"] == 30
    # The sample's eight lines of zero dollars are order days in the literature.
    (receipt,) = fitted["receipts"]
    assert {"reason": "free orders", "action": "kept", "rows": 8, "example": ""} in receipt["lines"]
    assert fitted["policy"].startswith(
        "Value: goods after discounts, without shipping and tax, before refunds. Excluded"
    )
    assert (receipt["rows_read"], fitted["orders"]["customers"]) == (6_919, 2_357)
    assert {"topic", "severity", "figure", "sentence", "advice"} == set(fitted["findings"][0])
    values = [row["expected_value"] for row in fitted["value"]["customers"]]
    assert values == sorted(values, reverse=True)
    assert len(values) == 10


def test_the_tables_show_the_same(shared):
    done = shared("fit", "cdnow-sample", *UNTIL)
    assert (done.code, done.err) == (0, "")
    assert "0.2425" in done.out  # r
    assert "30.895" in done.out  # alpha in days, 4.4136 weeks
    assert "2,357 customers" in done.out


def test_columns_by_other_names_give_the_same_fit(project, fitted):
    # As a shop would export the sample: its own names, one column too many.
    lines = load_cdnow(sample=True).table.collect()
    named = lines.rename({"customer_id": "client", "ordered_at": "day", "amount": "total"}).with_row_index("line")
    named.write_csv(project.folder / "orders.csv")
    words = ["--customer-id", "client", "--ordered-at", "day", "--amount", "total", *UNTIL, "--json"]
    found = json.loads(project("fit", "orders.csv", *words).out)
    # Zero amounts count as orders in the bundled data alone, so the fits differ a little; both are of all customers.
    assert _parameters(found)["r"] == pytest.approx(_parameters(fitted)["r"], rel=0.1)
    assert found["value"]["customers"][0]["customer_id"]


def test_each_command_names_the_next_one_with_all_that_the_files_needed(project):
    # No column has a name that is known, one amount cannot be read, and the observation ends before the orders do.
    lines = load_cdnow(sample=True).table.collect()
    named = lines.rename({"customer_id": "the client", "ordered_at": "day", "amount": "total"})
    named = named.with_columns(pl.col("total").cast(pl.String))
    pl.concat([named, named.head(1).with_columns(total=pl.lit("?"))]).write_csv(project.folder / "my orders.csv")
    read = ["my orders.csv", "--unreadable", "missing", *UNTIL]
    names = ("--customer-id", "the client", "--ordered-at", "day", "--amount", "total")
    columns = ("--column", "customer_id=the client", "--column", "ordered_at=day", "--column", "amount=total")
    done = project("metrics", *read, *columns)
    assert project("fit", *read, *names).next == done.next
    assert "until 1997-09-30" in done.out
    counted = done.out[done.out.index("Orders:") :].partition(".")[0]
    for command in ("value", "start"):
        cxsim, *words = shlex.split(done.next)
        assert (cxsim, words[0]) == ("cxsim", command)
        done = project(*words, *(["--yes", "--no-report"] if command == "start" else []))
        assert (done.code, counted in done.out) == (0, True), done.err


def test_columns_of_the_bundled_data_cannot_be_renamed(shared):
    message = shared("fit", "cdnow-sample", "--amount", "total").error
    assert message == "cdnow-sample is a built-in data set with a fixed format; leave out the names for amount."


def test_where_no_model_can_be_fitted_the_rows_are_listed_all_the_same(project):
    path = project.folder / "few.csv"
    path.write_text("customer_id,ordered_at,amount\n1,2024-01-01,10\n2,2024-01-05,20\n1,2024-02-01,x\n")
    assert "'amount': 1 of 3 cells cannot be read as an amount: row 3: 'x' (rows" in project("fit", str(path)).error
    done = project("fit", str(path), "--unreadable", "missing")
    assert done.code == 1
    head, why, policy, orders, *_ = done.out.splitlines()
    assert head == "few.csv: recognised as cxsim orders (3 of 22 columns); 2 of 3 rows became orders."
    assert why == "  dropped 1: amount is missing"
    assert policy.endswith(" Unreadable cells are treated as empty.")
    assert orders == "Orders: 2 of 2 customers until 2024-01-05, 30.00 before refunds."
    assert "Caution: few.csv: 1 of 3 rows (33 %) excluded: amount is missing." in " ".join(done.out.split())
    assert "0 of them with a repeat order" in done.err


COLUMNS = [
    "customer_id", "segment", "rank", "decile", "first_order", "last_order", "orders_to_date", "spend_to_date",
    "prob_alive", "prob_alive_low", "prob_alive_high", "expected_orders", "orders_low", "orders_high",
    "value", "value_low", "value_high", "prob_none", "days_to_next",
]  # fmt: skip
CUSTOMERS = 468


@pytest.fixture(scope="module")
def few(shared):
    """Every fifth customer of the sample, whose names a spreadsheet would run as formulas."""
    path = shared.folder / "few.csv"
    lines = load_cdnow(sample=True).table.collect().filter(pl.col("customer_id") % 5 == 0, pl.col("amount") > 0)
    lines.with_columns(customer_id=pl.format("=customer {}", "customer_id")).write_csv(path)
    return path


@pytest.fixture(scope="module")
def value(shared, few):
    """Value these customers, and return what was printed."""

    def call(out, *words):
        done = shared("value", few, "--out", out, *words, "--draws", "20", "--until", "1998-06-30")
        assert (done.code, done.err) == (0, "")
        return done.out

    return call


@pytest.fixture(scope="module")
def full(shared, value):
    value("full.parquet")
    return pl.read_parquet(shared.folder / "full.parquet")


def test_every_customer_has_a_row_with_value_and_interval(full, few):
    assert full.columns == COLUMNS
    assert full["customer_id"].to_list() == pl.read_csv(few)["customer_id"].unique().sort().to_list()
    assert full.drop("days_to_next").null_count().sum_horizontal().item() == 0
    inside = full.select(
        (pl.col("prob_alive_low") <= pl.col("prob_alive_high")).all(),
        pl.col("prob_alive", "prob_none").is_between(0.0, 1.0).all(),
        (pl.col("value_low") <= pl.col("value_high")).all().alias("value"),
    )
    assert all(inside.row(0))


def test_the_same_call_writes_the_same_bytes_with_no_formula_and_prints_totals(shared, value):
    before, printed, written = set(shared.files()), [], []
    for _ in range(2):
        printed.append(value("value.csv"))
        written.append((shared.folder / "value.csv").read_bytes())
    assert written[0] == written[1]
    assert set(shared.files()) - before == {"value.csv"}
    for words in (
        "90 % interval",
        "present value, next 365 days",
        "(3 of 22 columns); 1,283 of 1,286 rows became orders.\n  merged 3: identical to an earlier row\nValue: goods",
        "Note: few.csv: 3 of 1,286 rows (less than 0.5",
        "of 468 customers have expected orders or an expected value outside their interval: it is a mean",
        "Written: value.csv (468 customers",
    ):
        assert words in printed[0]
    head, *lines = written[0].decode().splitlines()
    assert head == ",".join(COLUMNS)
    assert len(lines) == CUSTOMERS
    assert all(line.startswith("'=customer ") for line in lines)


def test_the_file_is_the_table_that_python_returns_and_money_so_far_is_exact(shared, few, full, value):
    found = cxsim.value(few, until=date(1998, 6, 30), draws=20)
    assert found.equals(full.cast({"segment": found.schema["segment"]}))
    printed = value("value.csv")
    written = pl.read_csv(shared.folder / "value.csv")
    assert written["spend_to_date"].to_list() == full["spend_to_date"].to_list()
    assert f"Champions           │ {(full['segment'] == 'Champions').sum():>9} │" in printed


def test_the_library_beside_our_own_engine(shared):
    done = shared("fit", "cdnow-sample", *UNTIL, "--engine", "lifetimes")
    assert "maximum found by the engine lifetimes" in done.out
    assert "Both engines side by side" in done.out
    found = json.loads(shared("fit", "cdnow-sample", *UNTIL, "--engine", "lifetimes", "--json").out)
    assert found["purchases"]["engine"] == found["spend"]["engine"] == "lifetimes"
    rows = [(row["model"], row["parameter"]) for row in found["engines"]]
    assert rows == [("BG/NBD", name) for name in ("r", "alpha", "a", "b", "log-likelihood")] + [
        ("Gamma-Gamma", name) for name in ("p", "q", "v", "log-likelihood")
    ]
    # The library stops where its own tolerance of 1e-7 holds, which leaves its estimates a millionth or so away.
    assert all(row["difference"] < 1e-5 for row in found["engines"])


def test_our_own_engine_alone_is_not_compared(fitted):
    assert fitted["engines"] == []
    assert fitted["purchases"]["engine"] == "native"


def _subscriptions():
    """Return the orders of eighty customers who pay 9.90 once a month, some of them for longer than others."""
    return [
        f"{customer},{date(2024, 1, 1 + customer % 28) + timedelta(days=30 * month)},9.90"
        for customer in range(80)
        for month in range(1 + customer * 7 % 6)
    ]


def test_a_shop_with_one_price_is_fitted_and_everyone_spends_that_price(project, orders):
    words = [orders(*_subscriptions()), "--until", "2024-07-31"]
    found = json.loads(project("fit", *words, "--json").out)
    assert found["spend"]["model"] == "one-price"
    assert found["spend"]["parameters"] == [{"parameter": "price", "estimate": 9.9, "std_error": 0.0}]
    assert {row["expected_spend"] for row in found["value"]["customers"]} == {9.9}
    (note,) = [finding for finding in found["findings"] if finding["topic"] == "one price"]
    assert note["severity"] == "note"
    assert "Every repeat order cost 9.90" in note["sentence"]
    assert "Spend per order: one price" in project("fit", *words).out


def test_a_shop_with_one_price_is_valued_at_it(project, orders):
    words = [orders(*_subscriptions()), "--until", "2024-07-31", "--annual-discount-rate", "0", "--draws", "20"]
    done = project("value", *words, "--out", "value.csv")
    assert (done.code, done.err) == (0, "")
    assert "Every repeat order cost 9.90" in done.out
    values = pl.read_csv(project.folder / "value.csv")
    # Numbers of the file have six digits.
    for orders_of, value_of in (("expected_orders", "value"), ("orders_high", "value_high")):
        assert values[value_of].to_list() == pytest.approx((9.9 * values[orders_of]).to_list(), rel=1e-5)


def test_a_shop_with_one_price_is_simulated_at_it(project, orders):
    orders(*_subscriptions())
    project.edit("scenarios/tiny.yaml", "orders: cdnow-sample", "orders: orders.csv")
    project.edit("scenarios/tiny.yaml", "observed_until: 1998-06-30", "observed_until: 2024-07-31")
    done = project("tables", "tiny", "--out", "tables")
    assert done.next == "cxsim metrics tables --until 2024-10-31"
    assert project(*shlex.split(done.next)[1:]).code == 0
    paid = pl.read_parquet(project.folder / "tables" / "orders.parquet")
    assert paid["amount"].round(2).unique().to_list() == [9.9]


def test_a_margin_scales_value_and_nothing_else(shared, value, full):
    value("half.parquet", "--margin", "0.5")
    half = pl.read_parquet(shared.folder / "half.parquet")
    amounts = ["value", "value_low", "value_high"]
    assert half.select(pl.col(amounts) * 2.0).equals(full.select(amounts))
    assert half.drop(amounts).equals(full.drop(amounts))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--out", "value.txt"], "value.txt: file ending '.txt' is not known; possible: .csv, .parquet."),
        (["--out", "nowhere/value.csv"], "there is no folder nowhere; create it or choose another."),
        (["--out", "w.csv", "--model", "bgnb"], "no model 'bgnb'; did you mean 'bgnbd'? Possible: bgnbd, mbgnbd, "),
    ],
)
def test_what_cannot_be_written_or_fitted_is_refused_before_anything_is_read(project, words, message):
    before = project.files()
    assert message in project("value", "no-such-orders.csv", *words).error
    assert project.files() == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--engine", "lifetime"], "no engine 'lifetime'; did you mean 'lifetimes'? Possible: native, lifetimes."),
        (
            ["--engine", "lifetimes", "--model", "bgcnbd"],
            "BG/CNBD-k: lifetimes does not have it; use engine 'native', ",
        ),
    ],
)
def test_an_engine_that_is_not_there_or_lacks_the_model_is_refused_before_anything_is_read(project, words, message):
    assert message in project("fit", "no-such-orders.csv", *words).error


def test_too_few_draws_for_an_interval_are_refused_and_no_file_is_left(shared, few):
    done = shared("value", few, "--out", "none.csv", "--draws", "18")
    assert done.code == 1
    assert "an interval of level 0.9 takes at least 19 draws; found 18." in done.err
    assert not (shared.folder / "none.csv").exists()


@pytest.mark.parametrize(
    ("letters", "cell"),
    [("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@x", "'@x"), ("\t=1", "'\t'=1"), ("\r=1", "'\r'=1")],
)
def test_every_beginning_of_a_formula_is_kept_from_being_one(tmp_path, letters, cell):
    write_table(pl.DataFrame({"name": [letters, "plain"], "amount": [-1.0, 2.0]}), tmp_path / "t.csv")
    text = (tmp_path / "t.csv").read_bytes().decode()
    assert text.replace('"', "").startswith(f"name,amount\n{cell},-1.0\nplain,2.0")


def test_a_folder_is_no_file_for_a_table(tmp_path):
    (tmp_path / "t.csv").mkdir()
    with pytest.raises(ReportError, match="this is a folder; name a file"):
        require_table_file(tmp_path / "t.csv")


_TOTALS = re.compile(r"Orders: ([\d,]+) of ([\d,]+) customers until \S+, USD ([\d,.]+) after refunds")
_OPTIONS = {"order_id": "--order-id", "units": "--quantity", "line_price": "--price", "customer_id": "--customer-id"}
_OPTIONS |= {"ordered_at": "--ordered-at", "amount": "--amount"}


def _shopify_order(one, kind):
    """A row of Shopify with 4.00 of shipping; its goods after refunds, in cents, or None if it is no sale."""
    goods, total = (f"{cents / 100:.2f}" for cents in (2 * one["cents"], 2 * one["cents"] + 400))
    back = {"refunded": total, "partially refunded": f"{one['cents'] / 100 + 2:.2f}"}.get(kind, "0.00")
    row = order(
        f"#{one['order_id']}",
        Email=f"{one['customer_id']}@shop.example",
        Financial_Status=kind if kind not in ("test", "gift card") else "paid",
        Created_at=f"{one['ordered_at']:%Y-%m-%d %H:%M:%S} -0500",
        Subtotal=goods,
        Lineitem_price=goods,
        Shipping="4.00",
        Total=total,
        Refunded_Amount=back,
        Payment_Method="Bogus Gateway" if kind == "test" else "Shopify Payments",
        **({"Lineitem_name": "Gift Card", "Lineitem_requires_shipping": "false"} if kind == "gift card" else {}),
    )
    worth = {"paid": 2 * one["cents"], "pending": 2 * one["cents"], "partially refunded": one["cents"]}
    return row, worth.get(kind)


def test_every_command_and_a_scenario_count_the_same_customers_orders_and_revenue_of_a_platforms_export(project):
    kinds = ["voided", "pending", "refunded", "partially refunded", "gift card", "test", *["paid"] * 7]
    log = order_log(3, people=80, orders=300)
    made = [_shopify_order(one, kinds[place % len(kinds)]) for place, one in enumerate(log)]
    sold = [(one["customer_id"], worth) for one, (_, worth) in zip(log, made, strict=True) if worth]
    right = (len({who for who, _ in sold}), len(sold), sum(worth for _, worth in sold) / 100)
    path = project.folder / "exports"
    path.mkdir()
    write(path / "orders_export.csv", [row for row, _ in made])
    # Of orders alone a behaviour takes nothing.
    answers = [f"c{n:03d}@shop.example,2023-03-{n % 28 + 1:02d} 10:00,{n % 11}" for n in range(60)]
    (path / "answers.csv").write_text("\n".join(["email,created_at,nps", *answers]), encoding="utf-8")

    calls = {
        "fit": ("fit", path, "--json"),
        "metrics": ("metrics", path, "--json"),
        "value": ("value", path, "--out", project.folder / "values.csv", "--draws", "40"),
        "calibrate": ("calibrate", path, "--name", "mine"),
    }
    found = {}
    for name, words in calls.items():
        done = project(*words)
        assert done.code == 0, done.err
        if "--json" in words:
            found[name] = tuple(json.loads(done.out)["orders"].values())
        else:
            orders, customers, revenue = (float(text.replace(",", "")) for text in _TOTALS.search(done.out).groups())
            found[name] = (customers, orders, revenue)
    text = TINY.replace("cdnow-sample", path.name).replace("1998-06-30", f"{log[-1]['ordered_at']:%Y-%m-%d}")
    project.scenario("mine", text)
    found["scenario"] = tuple(scenario_orders(load_scenario("mine"), "USD").totals)
    assert found == dict.fromkeys(found, right)


def test_every_command_says_what_was_found_in_the_orders(project):
    path = project.folder / "exports"
    path.mkdir()
    log = order_log(3, people=80, orders=300)
    rows = [f"{one['customer_id']},{one['ordered_at']:%Y-%m-%d},{one['cents'] / 100:.2f}" for one in log]
    guests = [f"nan,{one['ordered_at']:%Y-%m-%d},40.00" for one in log[::30]]
    orders = ["customer_id,ordered_at,amount", *rows, *guests, "c001,2023-05-05,98765.40"]
    (path / "orders.csv").write_text("\n".join(orders), encoding="utf-8")
    answers = [f"c{n:03d},2023-03-{n % 28 + 1:02d} 10:00,{n % 11}" for n in range(40)]
    (path / "answers.csv").write_text("\n".join(["customer_id,created_at,nps", *answers]), encoding="utf-8")
    calls = (
        ("fit", path, "--json"),
        ("metrics", path, "--json"),
        ("fit", path),
        ("metrics", path),
        ("value", path, "--out", project.folder / "values.csv", "--draws", "40"),
        ("calibrate", path, "--name", "mine"),
    )
    for words in calls:
        done = project(*words)
        assert done.code == 0, (words, done.err)
        said = " ".join(done.out.split())
        assert "'nan' (10)" in said, words
        assert "is 98,765.40" in said, words


@pytest.mark.parametrize(("seed", "commands"), [(3, ("fit", "metrics")), (28, ("fit", "metrics")), (14, ("fit",))])
def test_however_a_log_is_written_down_commands_count_its_customers_orders_and_revenue(seed, commands, project):
    folder = project.folder / "files"
    folder.mkdir()
    made = Decorated(seed, folder)
    names = [word for ours, theirs in (made.columns or {}).items() for word in (_OPTIONS[ours], theirs)]
    for command in commands:
        done = project(command, made.path, *names, "--json")
        assert (done.code, done.err) == (0, ""), (made.what, done.err)
        assert tuple(json.loads(done.out)["orders"].values()) == made.totals
