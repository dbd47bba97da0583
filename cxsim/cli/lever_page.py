"""The catalogue of levers and its sources in; docs/levers.md out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cxsim.cli.lever_words import brief, moves, reference, spelt_out
from cxsim.errors import ParamError
from cxsim.params import Source, root, shown, sources
from cxsim.strategies import PATHWAYS, Lever, grouped, load_levers

_OPENING = """\
<!-- Written by `cxsim levers --write-docs` from params/levers.yaml and params/sources.yaml; edit those. -->

# Levers of customer experience

What a shop can do for its customers, what each lever moves, what is known of its effect on money, and what is known to
go wrong. `cxsim levers` lists the same in a terminal, `cxsim levers show L18` shows one.

- **Moves**: + is a gain to the shop, − a harm, ± either.
- **Grade**: the best evidence for this lever's effect on money. A: several experiments or a meta-analysis; B: one
  strong experiment or natural experiment; C: observational with controls; D: survey or vendor; E: none found.
- **Prior**: what to believe before the shop has measured it, with a 90 % range; × is a ratio to no change. Most ranges
  hold "no effect", for much of the evidence is of none, or of harm. *Break-even only* means that no number can be
  defended: ask what the lever would have to bring, not what it will.
- Most studies looked at one firm, many of them at banks, telecom firms, hotels and grocers. Levers do not add up: with
  more than three at once, expect less than all their priors together.
"""


def write_page() -> str:
    """Write docs/levers.md anew; return its path as messages show it."""
    file = root() / "docs" / "levers.md"
    try:
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(page(load_levers(), sources()).encode())
    except OSError as cause:
        raise ParamError(f"{shown(file)}: cannot be written ({cause.strerror}).") from cause
    return shown(file)


def page(levers: Mapping[str, Lever], known: Mapping[str, Source]) -> str:
    """Return the page as Markdown."""
    return "\n".join(_lines(levers, known)) + "\n"


def _lines(levers: Mapping[str, Lever], known: Mapping[str, Source]) -> Iterator[str]:
    yield _OPENING
    yield from ("| what is moved | meaning |", "| --- | --- |")
    yield from (f"| {name.replace('_', ' ')} | {meaning} |" for name, meaning in PATHWAYS.items())
    for heading, inside in grouped(levers).items():
        yield from ("", f"## {heading}", "")
        yield from ("| | lever | moves | grade | prior | ready strategy |", "| --- | --- | --- | :-: | --- | --- |")
        yield from (_row(identifier, lever) for identifier, lever in inside.items())
        for identifier, lever in inside.items():
            yield from _section(identifier, lever)
    cited = {source for lever in levers.values() for source in lever.evidence}
    yield from ("", "## Sources", "")
    for key in sorted(cited):
        yield f'- <a id="{key}"></a>**{key}** {reference(known[key])} {known[key].measured}'


def _row(identifier: str, lever: Lever) -> str:
    prior = "<br>".join(brief(prior) for prior in lever.priors) or str(lever.prior)
    ready = ", ".join(f"`{name}`" for name in lever.strategies) or "–"
    return f"| {identifier} | {lever.name} | {', '.join(moves(lever))} | {lever.grade} | {prior} | {ready} |"


def _section(identifier: str, lever: Lever) -> Iterator[str]:
    links = ", ".join(f"[{source}](#{source})" for source in lever.evidence) or "none found"
    yield from ("", f"### {identifier} {lever.name}", "", lever.description, "")
    yield f"- **Also called**: {', '.join(lever.also)}"
    yield f"- **Costs**: {', '.join(kind.replace('_', ' ') for kind in lever.cost_shape)}"
    yield f"- **Evidence, grade {lever.grade}**: {lever.verdict} Sources: {links}."
    if lever.priors:
        yield from (f"- **Prior**, {spelt_out(prior)}" for prior in lever.priors)
    else:
        yield f"- **Prior**: {lever.prior}"
    yield f"- **Harms**: {lever.harms}"
