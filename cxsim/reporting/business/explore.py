"""A business case in; sliders in a notebook, which answer at once, and exactly when asked, out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import ipywidgets as widgets

from cxsim.display import facts_html
from cxsim.errors import CxsimError, require_kind
from cxsim.finance.returns import Outcome, Rule
from cxsim.reporting.business.what_if import Slider, sliders_of
from cxsim.study.business.alternatives import Alternatives, Answer, Setting, alternatives, simulated
from cxsim.study.business.case import BusinessCase
from cxsim.wording import BADGES, INTERVAL, MISSING, between, chance, lowered, money, percent, written_as

# A label of the width that most have; longer ones can be read in full under the pointer.
_WIDE = widgets.Layout(width="100%", max_width="66em")
_LABEL = {"description_width": "34em"}
_IDLE, _BUSY = "hidden", "visible"
_APPROXIMATE = (
    "What customers do is interpolated in the base case and added to every draw: an approximation until it is simulated"
)


def explore(case: BusinessCase) -> widgets.VBox:
    """Show sliders for the numbers of a business case, with the NPV that follows from them.

    Moving a slider answers at once, from what the case has simulated already. Margin, cost, discount rate and horizon
    are booked again in every draw. What changes how customers behave is interpolated, and said to be approximate; the
    button simulates the scenario again with the numbers that are set, and writes the result beside.

    Parameters
    ----------
    case
        From `cxsim.business_case`.

    Returns
    -------
    ipywidgets.VBox
        A choice of the programme, and below it sliders, buttons and the result, as JupyterLab shows them.

    Examples
    --------
    >>> import dataclasses, cxsim
    >>> scenario = cxsim.load_scenario("cdnow-quick")
    >>> one = dataclasses.replace(scenario, strategies=scenario.strategies[1:2], draws=2)
    >>> shown = explore(cxsim.business_case(cxsim.run(one)))
    >>> shown.children[0].label
    'Win-back coupon'
    """
    require_kind(case, BusinessCase, "a business case: cxsim.business_case(cxsim.run(scenario))")
    titles, names = case.study.scenario.titles, case.grid_centre["strategy"].to_list()
    choice = widgets.Dropdown(
        options=[(titles[name], name) for name in names], description="Programme", style=_LABEL, layout=_WIDE
    )
    below, panels = widgets.VBox(), dict[str, _Panel]()

    def show(_: object = None) -> None:
        if choice.value not in panels:
            panels[choice.value] = _panel(case, choice.value)
        below.children = panels[choice.value].parts

    choice.observe(show, "value")
    show()
    return widgets.VBox([choice, below])


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Panel:
    """Sliders of one strategy, and what stands below them."""

    found: Alternatives
    rule: Rule
    recommended: str
    sliders: tuple[Slider, ...]
    inputs: tuple[widgets.FloatSlider, ...]
    simulate: widgets.Button
    reset: widgets.Button
    bar: widgets.IntProgress
    result: widgets.HTML
    # What was simulated, or why it could not be.
    exact: dict[Setting, Answer | str] = field(default_factory=dict)

    @property
    def parts(self) -> tuple[widgets.Widget, ...]:
        """What is shown, from top to bottom."""
        return (*self.inputs, widgets.HBox([self.simulate, self.reset, self.bar]), self.result)

    @property
    def moved(self) -> dict[str, float]:
        """The sliders that do not stand where they started, by name, with their values."""
        pairs = zip(self.sliders, self.inputs, strict=True)
        return {one.name: shown.value for one, shown in pairs if abs(shown.value - one.start) > one.step / 2.0}

    @property
    def setting(self) -> Setting:
        """What is set by hand."""
        values: dict[str, Any] = {name.removesuffix("_value"): round(value, 9) for name, value in self.moved.items()}
        if "horizon" in values:
            values["horizon"] = round(values["horizon"])
        return Setting(**values)

    def write(self, _: object = None) -> None:
        """Write the result of what is set."""
        with written_as(self.found.scenario.economics.locale):
            self.result.value = _result_html(self)

    def run(self, _: object = None) -> None:
        """Simulate what is set, and write it beside."""
        setting, self.simulate.disabled, self.bar.layout.visibility = self.setting, True, _BUSY
        try:
            self.exact[setting] = simulated(self.found, setting, progress=self._progress)
        except CxsimError as error:
            self.exact[setting] = str(error)
        finally:
            self.simulate.disabled, self.bar.layout.visibility, self.bar.value = False, _IDLE, 0
        self.write()

    def back(self, _: object = None) -> None:
        """Put all sliders back."""
        for one, shown in zip(self.sliders, self.inputs, strict=True):
            shown.value = one.start

    def _progress(self, done: int, total: int) -> None:
        self.bar.max, self.bar.value = total, done


def _panel(case: BusinessCase, strategy: str) -> _Panel:
    found, scenario = alternatives(case, strategy), case.study.scenario
    node = case.grid.filter(strategy=strategy).row(0, named=True)
    sliders = sliders_of({axis: nodes.tolist() for axis, nodes in found.axes.items()}, node, found.start)
    panel = _Panel(
        found=found,
        rule=scenario.rule,
        recommended=BADGES[case.decision.filter(strategy=strategy)["decision"][0]],
        sliders=tuple(sliders),
        inputs=tuple(_input(one) for one in sliders),
        simulate=widgets.Button(description="Simulate exactly", button_style="primary"),
        reset=widgets.Button(description="Back to the case"),
        bar=widgets.IntProgress(max=1, layout=widgets.Layout(visibility=_IDLE)),
        result=widgets.HTML(),
    )
    for shown in panel.inputs:
        shown.observe(panel.write, "value")
    panel.simulate.on_click(panel.run)
    panel.reset.on_click(panel.back)
    panel.write()
    return panel


def _input(one: Slider) -> widgets.FloatSlider:
    unit = "" if one.unit.startswith(("%", "times")) else f", {one.unit}"
    return widgets.FloatSlider(
        value=one.start,
        min=one.low,
        max=one.high,
        step=one.step,
        description=f"{one.label}{unit}",
        tooltip=one.label,
        readout_format=f".{max(0, one.decimals)}{'%' if one.scale > 1 else 'f'}",
        style=_LABEL,
        layout=_WIDE,
    )


def _result_html(panel: _Panel) -> str:
    setting, currency = panel.setting, panel.found.scenario.economics.currency
    at_once, exact = panel.found.answer(setting), panel.exact.get(setting)
    base = money(panel.found.of_base_case(setting), currency)
    shown = {one.name: one for one in panel.sliders}
    moved = [
        f"{lowered(shown[name].label)} {shown[name].written(value, currency)}" for name, value in panel.moved.items()
    ]
    facts = {"Set by hand": "; ".join(moved) or f"nothing; the case recommends: {panel.recommended}"}
    if (setting.x, setting.y) != (None, None) and exact is None:
        facts["At once"] = _APPROXIMATE
    if isinstance(exact, str):
        facts["Cannot be simulated"] = exact
    best = exact if isinstance(exact, Answer) else at_once
    columns = [_column(one, currency) for one in (at_once, exact)]
    rows = zip(("Expected NPV", INTERVAL, "Chance of a positive NPV"), *columns, strict=True)
    heads = ("", "at once", "simulated exactly")
    table = facts_html(_statement(best, panel.rule), facts, heads, (*rows, ("NPV of the base case", base, MISSING)))
    # The class is that of every other table in JupyterLab.
    return f'<div role="status" class="jp-RenderedHTMLCommon">{table}</div>'


def _column(answer: Answer | str | None, currency: str) -> tuple[str, str, str]:
    if not isinstance(answer, Answer):
        return (MISSING,) * 3
    return money(answer.npv, currency), between(answer.low, answer.high), chance(answer.chance)


def _statement(answer: Answer, rule: Rule) -> str:
    """Return what follows from an answer by the shop's own rule, as far as it goes without a test."""
    outcome = Outcome(npv=answer.npv, npv_error=answer.error, prob=answer.chance, prob_error=answer.chance_error)
    likely, needed = chance(answer.chance), percent(rule.fund)
    if outcome.sign == 0:
        return "On average it neither gains nor loses, as far as these draws can tell."
    if outcome.sign < 0:
        return f"It loses on average; its chance of a positive NPV is {likely}."
    if rule.likely(outcome):
        return f"It pays: its chance of a positive NPV, {likely}, reaches the {needed} asked for."
    if answer.chance >= rule.fund:
        return f"It gains on average, with a chance of {likely}; too few draws to be sure of the {needed} asked for."
    return f"It gains on average, but its chance of a positive NPV, {likely}, is below the {needed} asked for."
