"""Names of models in; the same if all can be fitted, and the rows of tables that belong to them, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from cxsim.appraisal.pairing import Verdict
from cxsim.errors import EstimationError
from cxsim.estimation.kinds import Model, kind_of

MODELS: tuple[Model, ...] = ("bgnbd", "mbgnbd", "paretonbd")


def require_models(models: Sequence[Model]) -> None:
    """Refuse names of models that cannot all be fitted and told apart."""
    if isinstance(models, str) or not models:
        raise EstimationError(f'models must be a tuple of at least one name, as ("bgnbd", "mbgnbd"); found {models!r}.')
    for model in models:
        kind_of(model)
    if len(set(models)) < len(models):
        raise EstimationError(f"models names a model twice; found {', '.join(models)}.")


def with_verdicts(table: pl.DataFrame, verdicts: Mapping[str, Verdict | None], suffix: str = "") -> pl.DataFrame:
    """Return `table`, which has a column name, with columns z and prob_better; null where there is no verdict."""
    found = [verdicts.get(name) for name in table["name"]]
    z = [None if one is None else one.z for one in found]
    chance = [None if one is None else one.prob_better for one in found]
    return table.with_columns(
        pl.Series(f"z{suffix}", z, dtype=pl.Float64), pl.Series(f"prob_better{suffix}", chance, dtype=pl.Float64)
    )
