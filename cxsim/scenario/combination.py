"""Several strategies of a scenario at once, as an arm of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cxsim.errors import ParamError

_NAME = re.compile("[a-z0-9]+(-[a-z0-9]+)*")
# Effects of programmes were measured one at a time; of more together, less and less is known.
MANY = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Combination:
    """Strategies that run together; what they do to the same customer is simulated, not added up.

    Attributes
    ----------
    name
        Small letters, digits and single hyphens.
    title
        Name for readers.
    strategies
        Names of at least two strategies of the scenario.
    """

    name: str
    title: str
    strategies: tuple[str, ...]

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ParamError(f"combination: '{self.name}' is no name; use small letters, digits and single hyphens.")
        if len(self.strategies) < 2 or len(set(self.strategies)) < len(self.strategies):
            raise ParamError(
                f"combination '{self.name}' must name at least two strategies, each once; found "
                f"{', '.join(self.strategies) or 'none'}."
            )
