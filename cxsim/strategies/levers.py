"""The catalogue of levers in; all of them, those under a heading, or those with certain words, out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from cxsim.errors import ParamError, choices
from cxsim.params import LEVERS_FILE, entries, names, root, shown, source_names
from cxsim.strategies.lever import PATHWAYS, Lever
from cxsim.strategies.strategy import Strategy

# A heading, and the last lever under it.
GROUPS: dict[str, str] = {
    "Pre-purchase and conversion": "L10",
    "Price, offer and basket": "L17",
    "Loyalty and membership": "L23",
    "Communication": "L31",
    "Fulfilment and returns": "L35",
    "Support and organisation": "L38",
}
IDENTIFIERS = tuple(f"L{number:02d}" for number in range(1, 39))


def load_levers(path: Path | None = None) -> dict[str, Lever]:
    """Return all levers by their identifier, L01 to L38."""
    file = root() / "params" / LEVERS_FILE if path is None else path
    levers = entries(file, Lever)
    problems = [f"{shown(file)}: {problem}" for problem in _mistakes(levers)]
    if problems:
        raise ParamError("\n".join(problems))
    return levers


def refuse_unmeasured(strategies: Sequence[Strategy]) -> None:
    """Refuse to believe the effects of a lever that nobody has measured."""
    named = [strategy for strategy in strategies if strategy.lever is not None]
    levers = load_levers() if named else {}
    for strategy in named:
        lever = levers.get(str(strategy.lever))
        if lever is None:
            raise ParamError(
                f"strategy '{strategy.name}': no lever '{strategy.lever}'; {choices(str(strategy.lever), levers)}"
            )
        if lever.grade == "E" and strategy.mode != "break-even":
            raise ParamError(
                f"strategy '{strategy.name}': nobody has measured what its lever {strategy.lever} ({lever.name}) "
                "brings (evidence of grade E), so its effect cannot be believed, only searched; write mode: break-even "
                "and searches."
            )


def search(levers: Mapping[str, Lever], words: str = "", pathway: str | None = None) -> dict[str, Lever]:
    """Return the levers that hold all words, and move the pathway."""
    if pathway is not None and pathway not in PATHWAYS:
        raise ParamError(f"no pathway '{pathway}'; {choices(pathway, PATHWAYS)}")
    wanted = _folded(words).split()
    return {
        identifier: lever
        for identifier, lever in levers.items()
        if (pathway is None or pathway in lever.pathways)
        and all(word in _searched(identifier, lever) for word in wanted)
    }


def grouped(levers: Mapping[str, Lever]) -> dict[str, dict[str, Lever]]:
    """Return the levers under the headings of GROUPS; a heading without levers is left out."""
    headings = {identifier: _heading(identifier) for identifier in levers}
    return {
        heading: {identifier: lever for identifier, lever in levers.items() if headings[identifier] == heading}
        for heading in GROUPS
        if heading in headings.values()
    }


def _searched(identifier: str, lever: Lever) -> str:
    named = (identifier, lever.name, lever.description, *lever.also, *lever.guides, *lever.strategies)
    return _folded(" ".join((*named, _heading(identifier))))


def _folded(words: str) -> str:
    """Return words in the one spelling in which they are compared: `stock-out` finds what is called a stockout."""
    return words.casefold().replace("-", "").replace("'", "")


def _heading(identifier: str) -> str:
    return next(heading for heading, last in GROUPS.items() if identifier <= last)


def _mistakes(levers: Mapping[str, Lever]) -> Iterator[str]:
    """Yield what is wrong with the catalogue as a whole, and with what it points to."""
    for identifier in levers:
        if identifier not in IDENTIFIERS:
            yield f"{identifier}: unknown lever; {choices(identifier, IDENTIFIERS)}"
    missing = [identifier for identifier in IDENTIFIERS if identifier not in levers]
    if missing:
        yield f"missing {', '.join(missing)}; the catalogue has {IDENTIFIERS[0]} to {IDENTIFIERS[-1]}."
    if list(levers) != sorted(levers):
        yield "the levers are not in order; sort them by their numbers."
    sources, strategies = source_names(), names("strategies")
    for identifier, lever in levers.items():
        for source in lever.evidence:
            if source not in sources:
                yield f"{identifier}.evidence: no source '{source}'; {choices(source, sources)}"
        for name in lever.strategies:
            if name not in strategies:
                yield f"{identifier}.strategies: no strategy '{name}'; {choices(name, strategies)}"
