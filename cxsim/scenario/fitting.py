"""Strategies, combinations, behaviour and economics of a scenario in; nothing, or why they do not fit together, out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from cxsim.behaviour import Behaviour
from cxsim.effects import EXPERIENCED, Incidents, Markdown, Referral
from cxsim.errors import ParamError, choices
from cxsim.scenario.combination import Combination
from cxsim.strategies import Strategy
from cxsim.valuation import Economics

_MONTHS_PER_YEAR = 12.0


def refuse_misfits(
    strategies: Sequence[Strategy],
    combinations: Sequence[Combination],
    *,
    behaviour: Behaviour,
    economics: Economics,
    months: int,
) -> None:
    """Refuse parts of a scenario that do not fit together; `months` is its horizon."""
    _of_behaviour(strategies, behaviour)
    _of_costs(behaviour, economics)
    known = {strategy.name: strategy for strategy in strategies}
    arms = [[strategy] for strategy in strategies]
    for combination in combinations:
        together = _together(combination, known)
        _of_prices(together, combination.name, months)
        arms.append(together)
    for arm in arms:
        _of_referrals(arm, months)


def _of_behaviour(strategies: Sequence[Strategy], behaviour: Behaviour) -> None:
    for strategy in strategies:
        kinds: set[str] = {effect.kind for effect in strategy.effects}
        needs: list[str] = sorted(kinds.intersection(EXPERIENCED))
        if any(cost.kind == "per_ticket" for cost in strategy.costs):
            needs.append("the cost per_ticket")
        if needs and behaviour.experience is None:
            raise ParamError(
                f"strategy '{strategy.name}' has {', '.join(needs)}, which change what customers go through with an "
                f"order; the behaviour '{behaviour.name}' says nothing of that. Name one that has the part experience, "
                "such as behaviour: online-shop."
            )
        if "returns" in kinds and behaviour.returns is None:
            raise ParamError(
                f"strategy '{strategy.name}' changes returns; the behaviour '{behaviour.name}' has none. Name one that "
                "has the part returns, such as behaviour: online-shop."
            )
        for effect in strategy.effects:
            if isinstance(effect, Incidents) and effect.incident not in {None, *behaviour.incidents}:
                raise ParamError(
                    f"strategy '{strategy.name}': the behaviour '{behaviour.name}' has no incident "
                    f"'{effect.incident}'; {choices(str(effect.incident), behaviour.incidents)}"
                )


def _of_costs(behaviour: Behaviour, economics: Economics) -> None:
    if behaviour.experience is not None and economics.support_per_ticket is None:
        raise ParamError(
            f"the behaviour '{behaviour.name}' has tickets, but the economics '{economics.name}' do not say what one "
            "costs; write support_per_ticket there."
        )
    if behaviour.returns is not None and economics.handling_per_return is None:
        raise ParamError(
            f"the behaviour '{behaviour.name}' has returns, but the economics '{economics.name}' do not say what they "
            "cost; write handling_per_return and resaleable there."
        )


def _together(combination: Combination, known: Mapping[str, Strategy]) -> list[Strategy]:
    for name in combination.strategies:
        if name not in known:
            raise ParamError(f"combination '{combination.name}': no strategy '{name}'; {choices(name, known)}")
        if known[name].mode == "break-even":
            raise ParamError(
                f"combination '{combination.name}': the effects of '{name}' are searched, not believed (mode: "
                "break-even), so nothing can be said of it together with others; leave it out."
            )
    return [known[name] for name in combination.strategies]


def _of_prices(strategies: Sequence[Strategy], name: str, months: int) -> None:
    marked = [one for one in strategies if any(isinstance(effect, Markdown) for effect in one.effects)]
    for place, one in enumerate(marked):
        for other in marked[place + 1 :]:
            begins = max(one.reach.from_month, other.reach.from_month)
            if begins < min(_ends(one, months), _ends(other, months)):
                raise ParamError(
                    f"combination '{name}': the markdowns of '{one.name}' and '{other.name}' run in the same months, "
                    f"from month {begins}, and which price holds cannot be told; let one begin (from_month) when the "
                    "other has ended (until_month)."
                )


def _ends(strategy: Strategy, months: int) -> int:
    return months if strategy.reach.until_month is None else strategy.reach.until_month


def _of_referrals(strategies: Iterable[Strategy], months: int) -> None:
    """Refuse a reproduction number that could reach one: every customer would bring one and more within the horizon."""
    most, names = 0.0, []
    for strategy in strategies:
        for effect in strategy.effects:
            if isinstance(effect, Referral):
                most += effect.most_per_year * months / _MONTHS_PER_YEAR
                names.append(strategy.name)
    if most >= 1.0:
        raise ParamError(
            f"strategy {' and '.join(repr(name) for name in names)}: at the far ends of per_year, success and anyway, "
            f"a customer who stays brings {most:.2f} new ones within {months} months, and these bring others: "
            "referrals would explode. Below 1 is possible; lower one of the ranges or the horizon."
        )
