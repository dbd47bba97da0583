"""A study in; the methods' part of its reporting checklist out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cxsim.business.reporting import Item, Section, evidenced, grounds
from cxsim.quantity import quantities
from cxsim.study import Study
from cxsim.wording import MODELS, counted, joined, percent

# Prices and orders that are farther apart are not of one time.
_SAME_TIME_DAYS = 730
_TIMING: Mapping[str, str] = {"start": "start", "mid": "middle", "end": "end"}
# The shop's own rules of decision, which need no evidence.
_RULES = ("fund_probability", "reject_probability", "roi_hurdle", "benefit_haircut", "cost_uplift")


def methods(study: Study) -> Iterator[Item]:
    """Yield the items 4 to 21, on how a study was made."""
    yield from _scope(study)
    yield from _counted(study)
    yield from _modelled(study)


def _scope(study: Study) -> Iterator[Item]:
    scenario, stored = study.scenario, "command" in study.manifest
    yield Item(
        "Methods",
        "A plan of the analysis, and where to find it",
        "partly" if stored else "no",
        f"{'The files under params/ fix' if stored else 'A scenario made by hand fixes'} every input; the audit trail "
        "names the commit. "
        "Nothing shows that they were written before results were seen.",
        Section.TRAIL,
    )
    yield Item("Methods", "Whose behaviour is followed", "yes", _population(study), Section.ELSE)
    yield Item(
        "Methods",
        "Shop, market and time",
        "partly",
        f"{scenario.economics.title}; orders {scenario.orders}, seen until {scenario.observed_until.isoformat()}. "
        "Country, competitors and channel are not described.",
        Section.ASSUMED,
    )
    yield Item(
        "Methods",
        "What is compared, and why these",
        "partly",
        f"Doing nothing, which is to go on as before, against {counted(len(scenario.arms) - 1)} others. Why these and "
        "no others is not recorded.",
        Section.WORTH,
    )
    yield from _bounds(study)


def _bounds(study: Study) -> Iterator[Item]:
    scenario = study.scenario
    yield Item(
        "Methods",
        "Whose money counts",
        "yes",
        "The shop's own cash, before taxes. What customers, staff or others gain or lose is not counted.",
        Section.MONEY,
    )
    start = scenario.calendar.starts_on.isoformat()
    yield Item(
        "Methods",
        "Over how long, and why so long",
        "partly",
        f"{scenario.horizon_months} months from {start}; shorter horizons are shown. Why not longer is not recorded.",
        Section.CHANGE,
    )
    yield _discounting(study)


def _discounting(study: Study) -> Item:
    economics = study.scenario.economics
    rate = economics.annual_discount_rate
    sourced = rate.evidence != "assumed"
    return Item(
        "Methods",
        "The discount rate, and why this one",
        "yes" if sourced else "partly",
        f"{percent(rate.value)} per year, effective; cash of a month flows at its {_TIMING[economics.timing]}. "
        f"{'Its source is named' if sourced else 'It is assumed'}; other rates are shown.",
        Section.CHANGE,
    )


def _counted(study: Study) -> Iterator[Item]:
    scenario = study.scenario
    effects = [one for strategy in scenario.strategies for _, one in quantities(strategy.effects)]
    costs = [one for strategy in scenario.strategies for _, one in quantities(strategy.costs)]
    prices = [one for path, one in quantities(scenario.economics) if path not in _RULES]
    yield Item(
        "Methods",
        "Which results are counted",
        "yes",
        "Incremental cash by month; from it net present value, return on spend, payback and the chance of a gain.",
        Section.WORTH,
    )
    yield Item(
        "Methods",
        "How effects were measured",
        evidenced(effects, otherwise="no"),
        f"Effects of the strategies: {grounds(effects)}.",
        Section.ASSUMED,
    )
    yield Item(
        "Methods",
        "How results are valued",
        evidenced(prices, otherwise="partly"),
        f"Orders at what the shop earns on them. Prices and margins: {grounds(prices)}.",
        Section.ASSUMED,
    )
    yield Item(
        "Methods",
        "How costs were estimated",
        evidenced(costs, otherwise="partly") if costs else "yes",
        f"Costs of the strategies: {grounds(costs)}." if costs else "No strategy costs anything beside what it gives.",
        Section.ASSUMED,
    )
    yield _prices(study)


def _prices(study: Study) -> Item:
    economics, until = study.scenario.economics, study.scenario.observed_until
    reviewed, item = economics.reviewed_on, "Currency, and date of prices"
    if reviewed is None:
        return Item(
            "Methods", item, "partly", f"{economics.currency}; of which year prices are, is not said.", Section.ASSUMED
        )
    near = abs((reviewed - until).days) <= _SAME_TIME_DAYS
    mixed = (
        "" if near else f" The orders end on {until.isoformat()}; nothing is converted for what prices did meanwhile."
    )
    told = f"{economics.currency}; prices were last looked at on {reviewed.isoformat()}.{mixed}"
    return Item("Methods", item, "yes" if near else "partly", told, Section.ASSUMED)


def _modelled(study: Study) -> Iterator[Item]:
    scenario = study.scenario
    models = [MODELS[one] for one in scenario.structures]
    yield Item(
        "Methods",
        "The model, and why this one",
        "yes" if len(models) > 1 else "partly",
        f"Orders and leaving by {joined(models)}, order values by Gamma-Gamma, fitted to the shop's customers; every "
        f"customer is then simulated order by order. How well they fit is shown; {_why(len(models))}.",
        Section.ELSE,
    )
    stacking = "" if scenario.stacking is None else " Gains on the same thing do not add up in full."
    yield Item(
        "Methods",
        "How results were computed, and what was taken for granted",
        "yes",
        f"{scenario.draws:,} draws of every uncertain number, from seed {scenario.seed}; both sides of a comparison "
        f"have the same customers and luck.{stacking}",
        Section.ASSUMED,
    )
    yield from _spread(study)


def _why(models: int) -> str:
    if models > 1:
        return "all are played, since no order log says who has left"
    return "why this one of the models of leaving is not recorded"


def _spread(study: Study) -> Iterator[Item]:
    models = [MODELS[one] for one in study.scenario.structures]
    several = len(models) > 1
    yield Item(
        "Methods",
        "How results differ between customers",
        "partly",
        "Customers differ in how often they order, how soon they leave and what they spend. Results are shown by the "
        "time they joined, not by segment.",
        Section.MONEY,
    )
    yield Item(
        "Methods",
        "Who gains and who loses",
        "no",
        "Which customers pay for what others receive is not followed.",
        Section.NOWHERE,
    )
    yield Item(
        "Methods",
        "How uncertainty was treated",
        "yes" if several else "partly",
        "Drawn: parameters of the models, effects, prices and costs, and luck"
        + (
            f"; {counted(len(models))} models of leaving count alike."
            if several
            else f"; one model of leaving, {models[0]}."
        ),
        Section.CHANGE,
    )
    yield Item(
        "Methods", "Who of those affected was asked", "no", "No record that customers or staff were.", Section.NOWHERE
    )


def _population(study: Study) -> str:
    scenario = study.scenario
    existing = study.replay.rfm.height if scenario.existing_customers == "all" else 0
    told = [f"{existing:,} who have ordered already"] if existing else []
    if scenario.new_customers is not None:
        told.append(f"{scenario.new_customers.per_month:,} new ones in each of {scenario.new_customers.months} months")
    return f"Customers of the shop: {joined(told)}."
