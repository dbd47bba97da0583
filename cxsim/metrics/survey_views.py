"""Surveys in; answers and scores, by period and customer, out."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from cxsim.metrics.view import View, placed, somebody, yes
from cxsim.shop import Period, Shop

# Lowest and highest score of each instrument, as SURVEYS in cxsim.exports has them.
SCALES = {"nps": (0, 10), "csat": (1, 5), "csat_good": (0, 1), "ces": (1, 7), "effort": (1, 5)}
PROMOTER, DETRACTOR = 9, 6
CONTENT, EASY = 4, 5


def survey_views(shop: Shop, periods: Sequence[Period]) -> dict[str, View]:
    """Return `asked`, one row per survey that was sent, and for each instrument one row per answer.

    `nps` has points (1 for a promoter, -1 for a detractor), the others score and, where a line is drawn, above.
    """
    if shop.surveys is None:
        return {}
    rows = placed(shop.surveys, pl.col("sent_at"), periods)
    who, score = somebody(shop.surveys, "survey_id"), pl.col("score")
    one = pl.lit(1, dtype=pl.Int64)
    views = {"asked": View(rows=rows.select("period", customer=who, asked=one, answered=yes(score.is_not_null())))}
    above = {"csat": score >= CONTENT, "csat_good": score == 1, "ces": score >= EASY}
    for instrument in SCALES:
        answers = rows.filter((pl.col("instrument") == instrument) & score.is_not_null())
        told = {"answers": one, "score": score}
        if instrument in above:
            told["above"] = yes(above[instrument])
        if instrument == "nps":
            told["points"] = yes(score >= PROMOTER) - yes(score <= DETRACTOR)
        views[instrument] = View(rows=answers.select("period", customer=who, **told))
    return views
