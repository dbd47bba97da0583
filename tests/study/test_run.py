"""The bar of a notebook shows how far a study is, and leaves the stored notebook as it was."""

from __future__ import annotations

import json
from dataclasses import replace

import nbformat
import numpy as np
import polars as pl
import pytest

import cxsim
from cxsim.display import notebook_bar
from cxsim.errors import EstimationError, ReportError
from cxsim.params import Unit
from cxsim.reporting.execute import execute
from cxsim.strategies.effects import PurchaseRate
from cxsim.study.provenance import require_writable
from cxsim.study.run import STUDY_FILES, save_study
from cxsim.tables import ASSUMPTIONS, CASH, LEDGER, RETURNS, STATEMENT, check
from tests.simulated import assumed
from tests.study.plans import plan


def test_every_table_keeps_its_contract(study):
    for table, contract in [
        (study.returns, RETURNS), (study.statement, STATEMENT), (study.cash, CASH), (study.ledger, LEDGER),
        (study.assumptions, ASSUMPTIONS),
    ]:  # fmt: skip
        assert check(table, contract).height


def test_the_net_present_value_discounts_the_ledger(study):
    calendar = study.scenario.calendar
    middles = calendar.month_starts[:-1] + np.diff(calendar.month_starts) / 2
    present = 1.10 ** (-middles / 365.25)  # the bundled shop's rate, which has no spread
    for row in study.returns.iter_rows(named=True):
        lines = study.statement.filter(strategy=row["strategy"], line="cash contribution").sort("month")
        assert row["incremental_npv"] == pytest.approx((lines["incremental"].to_numpy() * present).sum(), abs=1e-6)


def test_progress_grows_by_one_up_to_the_total(scenario):
    sentence = []
    cxsim.run(scenario, progress=lambda done, total: sentence.append((done, total)))
    assert sentence == [(done, 4) for done in range(1, 5)]


def test_a_scenario_made_by_hand_runs(scenario):
    nothing = plan("plan", PurchaseRate(ratio=assumed(1.0, Unit.RATIO)))
    found = cxsim.run(replace(scenario, name="by-hand", strategies=(nothing,)))
    row = found.returns.row(0, named=True)
    assert (row["incremental_npv"], row["investment"], row["roi"]) == (0.0, 0.0, None)
    assert found.assumptions.filter(belongs_to="plan")["evidence"].unique().to_list() == ["assumed"]


def test_a_seed_of_its_own_gives_other_random_numbers(study, scenario):
    other = cxsim.run(replace(scenario, seed=scenario.seed + 1))
    assert not other.ledger.equals(study.ledger)


def test_existing_customers_are_simulated_too(scenario):
    found = cxsim.run(replace(scenario, existing_customers="all", new_customers=None, draws=2))
    assert found.returns["customers"].to_list() == [2357] * 3
    assert found.ledger["cohort"].cast(pl.String).unique().sort().to_list() == ["existing", "shared"]


def test_cohorts_are_named_after_the_month_in_which_they_arrive(study):
    cohorts = study.ledger["cohort"].cast(pl.String).unique().sort()
    assert cohorts.to_list() == ["1998-07", "1998-08", "1998-09", "shared"]


def test_orders_of_ones_own_are_read_by_the_scenarios_columns(scenario, tmp_path):
    path = tmp_path / "orders.parquet"
    lines = cxsim.load_cdnow(sample=True).table.collect().rename({"customer_id": "client"})
    lines.write_parquet(path)
    mine = replace(scenario, orders=str(path), columns=replace(scenario.columns, customer_id="client"), draws=2)
    assert cxsim.run(mine).purchases["bgnbd"].n_customers > 2000


def test_a_shop_without_repeat_customers_is_refused(scenario, tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text(
        "customer_id,ordered_at,amount\n" + "".join(f"{n},1998-01-{n % 28 + 1:02d},5.00\n" for n in range(99))
    )
    with pytest.raises(EstimationError, match="repeat"):
        cxsim.run(replace(scenario, orders=str(path)))


def test_points_are_issued_by_the_points_programme_alone(study):
    issued = dict(study.points.select("strategy", "points_issued").iter_rows())
    assert issued.pop("points-programme") > 0
    assert set(issued.values()) == {0.0}


def test_the_tables_come_back_as_they_were(study, tmp_path):
    written = save_study(study, tmp_path / "deep" / "tables")
    assert [path.name for path in written] == ["returns.parquet", "statement.parquet", "manifest.json"]
    assert pl.read_parquet(written[0]).equals(study.returns)
    assert pl.read_parquet(written[1]).equals(study.statement)
    assert json.loads(written[2].read_text(encoding="utf-8")) == study.manifest


def test_an_older_study_is_replaced_and_nothing_else_touched(study, tmp_path):
    (tmp_path / "returns.parquet").write_text("old")
    (tmp_path / "notes.txt").write_text("mine")
    save_study(study, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "manifest.json", "notes.txt", "returns.parquet", "statement.parquet",
    ]  # fmt: skip
    assert pl.read_parquet(tmp_path / "returns.parquet").equals(study.returns)


def test_where_one_file_cannot_be_written_no_older_one_is_lost(study, tmp_path):
    (tmp_path / "returns.parquet").write_text("old")
    (tmp_path / "manifest.json").mkdir()
    with pytest.raises(ReportError, match="this is a folder, not a file"):
        save_study(study, tmp_path)
    assert (tmp_path / "returns.parquet").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["manifest.json", "returns.parquet"]


def test_a_folder_that_does_not_exist_yet_is_fine_and_is_not_made(tmp_path):
    require_writable(tmp_path / "deep" / "tables", STUDY_FILES)
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(ReportError, match="cannot be written to"):
        require_writable(tmp_path / "taken" / "tables", STUDY_FILES)


def test_a_study_says_in_one_line_what_it_found(study):
    decisions = ", ".join(f"{row['strategy']}: {row['decision']}" for row in study.returns.iter_rows(named=True))
    assert repr(study) == f"Study(cdnow-quick; 4 draws; {decisions})"


def test_in_a_notebook_it_shows_one_row_per_strategy(study):
    page = study._repr_html_()
    assert page.count("<tr>") == 1 + 3
    assert "expected NPV, USD" in page
    assert page == study._repr_html_()


def test_titles_are_text_and_not_markup_and_nothing_is_shown_as_less_than_nothing(study):
    evil = "<script>alert(1)</script>"
    returns = study.returns.with_columns(title=pl.lit(evil), incremental_npv=pl.lit(-0.0))
    page = replace(study, scenario=replace(study.scenario, title=evil), returns=returns)._repr_html_()
    assert "<script>" not in page
    assert page.count("&lt;script&gt;") == 1 + 3
    assert "<td>0</td>" in page
    assert "<td>-0</td>" not in page


def test_strategies_are_listed_with_their_harms_in_the_order_of_the_scenario(study):
    found = study.strategies
    assert found["strategy"].to_list() == [strategy.name for strategy in study.scenario.strategies]
    assert found["harms"].str.len_chars().min() > 0


WATCHED = """
from IPython.display import DisplayHandle
told = []
usual, DisplayHandle.update = DisplayHandle.update, lambda self, bundle, **how: told.append(bundle["text/html"])
from cxsim.display import notebook_bar
show = notebook_bar("Simulating")
for done in range(1, 201):
    show(done, 200)
print(len(told), told[0], told[-1] == "", sep="|")
DisplayHandle.update = usual
"""


def test_outside_of_a_kernel_there_is_no_bar():
    assert notebook_bar("Simulating") is None


def test_in_a_notebook_the_bar_moves_in_fifty_steps_and_what_is_stored_is_empty_after_it_is_gone(tmp_path):
    sources = (
        WATCHED,
        'from cxsim.display import notebook_bar\nshow = notebook_bar("x")',
        "[show(k, 9) for k in range(10)];",
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    nbformat.write(notebook, tmp_path / "bar.ipynb")
    moved, stored, _ = (cell.outputs for cell in execute(tmp_path / "bar.ipynb", {}).cells)
    printed = "".join(output.text for output in moved if output.output_type == "stream")
    assert printed.strip() == '50|<progress value="4" max="200"></progress> Simulating: 4 of 200|True'
    assert [output.data for output in stored] == [{"text/html": "", "text/plain": ""}]
