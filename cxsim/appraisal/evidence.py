"""What speaks for each model in; the model to use, and sentences that say so and how sure it is, out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cxsim.appraisal.pairing import Verdict
from cxsim.estimation import KINDS
from cxsim.wording import INTERVAL, NBSP, counted, joined

# Against less than this, a model is not dismissed.
UNSURE = 0.05
_CERTAIN = 0.995


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A model and what speaks for it.

    Attributes
    ----------
    name, title
        As in `fit(model=...)`, and for readers.
    fit
        How well it describes the customers it was fitted to, against the best of the others; None if not asked.
    forecast
        How well it foretold what they did later.
    """

    name: str
    title: str
    fit: Verdict | None = None
    forecast: Verdict | None = None

    @property
    def keeps_one_time_buyers(self) -> bool:
        """Whether nobody leaves before a repeat order, so that all one-time buyers are taken for alive."""
        kind = KINDS[self.name]
        return "a" in kind.names and not kind.leaves_after_first


def choice(candidates: Sequence[Candidate]) -> Candidate:
    """Return the model to use."""
    left = _kept([(one, one.forecast) for one in candidates])
    left = _kept([(one, one.fit) for one in left])
    return max(left, key=lambda one: (not one.keeps_one_time_buyers, _chance(one.forecast), _chance(one.fit)))


def fit_sentence(candidates: Sequence[Candidate], n_customers: int) -> str:
    """Return what the fit says of the models against each other."""
    best, *others = sorted(candidates, key=lambda one: -_chance(one.fit))
    if not others:
        return f"{best.title} alone was fitted to {n_customers:,} customers."
    tied = [one.title for one in others if _chance(one.fit) >= UNSURE]
    beaten = [one for one in others if _chance(one.fit) < UNSURE]
    if not tied:
        against = joined([one.title for one in others])
        return f"{n_customers:,} customers speak for {best.title} against {against} (P{_p(_chance(best.fit))})."
    said = (
        f"{n_customers:,} customers cannot tell {best.title} from {joined(tied)} (P{_p(_chance(best.fit))} that "
        f"{best.title} is the better one)"
    )
    if beaten:
        most = max(_chance(one.fit) for one in beaten)
        said += f"; they speak against {joined([one.title for one in beaten])} (P{_p(most)})"
    return f"{said}."


def forecast_sentence(candidates: Sequence[Candidate]) -> str:
    """Return which model foretold the orders of customers best, by the log score, and how sure that is."""
    best, *others = sorted(candidates, key=lambda one: -_chance(one.forecast))
    if not others:
        return ""
    tied = [one.title for one in others if _chance(one.forecast) >= UNSURE]
    if tied:
        return (
            f"By the log score {best.title} foretold customers' orders best, but that may be chance against "
            f"{joined(tied)} (P{_p(_chance(best.forecast))} that {best.title} is the better one)."
        )
    return f"By the log score {best.title} foretold customers' orders best (P{_p(_chance(best.forecast))})."


def advice(candidates: Sequence[Candidate], one_time_buyers: int) -> str:
    """Return which model to use and why."""
    chosen = choice(candidates)
    certain = [one.title for one in candidates if one.keeps_one_time_buyers]
    losers = [one for one in candidates if not one.keeps_one_time_buyers]
    verb = "takes" if len(certain) == 1 else "take"
    takes = f"{joined(certain)} {verb} all {one_time_buyers:,} one-time buyers for alive"
    if not certain or not one_time_buyers:
        return f"Use {chosen.title}."
    if not chosen.keeps_one_time_buyers:
        return f"Use {chosen.title}; {takes}."
    if losers:
        return f"Use {chosen.title} for forecasts, but ask {choice(losers).title} who is still alive, for {takes}."
    return f"Use {chosen.title} for forecasts, but do not ask it who is still alive, for {takes}."


def bias_sentence(biases: Sequence[tuple[str, float, float, float]], *, came: float, when: str) -> str:
    """Return by how much models missed the total, not to be hidden."""
    gaps = [gap for _, gap, _, _ in biases]
    opening = f"{came:,.0f} orders came {when}; "
    if len(biases) == 1:
        title, gap, low, high = biases[0]
        return f"{opening}{title} expected {gap_in_words(gap)} ({INTERVAL}: {_between(low, high, 0)})."
    who = f"all {counted(len(biases))} models" if len(biases) > 2 else "both models"
    details = [f"{title} {gap_in_words(gap)} ({_between(low, high, 0)})" for title, gap, low, high in biases]
    told = f"{joined(details)}; in brackets, the {INTERVAL}s that they gave"
    return f"{opening}{who} expected {_between(min(gaps), max(gaps), 1)}: {told}."


def gap_in_words(gap: float, decimals: int = 1) -> str:
    r"""Return a bias as a share of what came, in words."""
    return f"{100 * abs(gap):.{decimals}f}{NBSP}% {'fewer' if gap < 0.0 else 'more'}"


def _between(low: float, high: float, decimals: int) -> str:
    """Return a range of gaps, the smaller one first where both have the same sign."""
    if low * high <= 0.0:
        return f"{gap_in_words(low, decimals)} to {gap_in_words(high, decimals)}"
    less, more = sorted((low, high), key=abs)
    first, last = (gap_in_words(gap, decimals) for gap in (less, more))
    return last if first == last else f"{first.split(NBSP)[0]} to {last}"


def _kept(rated: Sequence[tuple[Candidate, Verdict | None]]) -> list[Candidate]:
    """Return those that are not spoken against; all if all are."""
    kept = [one for one, verdict in rated if verdict is None or verdict.prob_better >= UNSURE]
    return kept or [one for one, _ in rated]


def _chance(verdict: Verdict | None) -> float:
    return 0.5 if verdict is None else verdict.prob_better


def _p(chance: float) -> str:
    if chance > _CERTAIN:
        return " > 0.99"
    if chance < 1.0 - _CERTAIN:
        return " < 0.01"
    return f" = {chance:.2f}"
