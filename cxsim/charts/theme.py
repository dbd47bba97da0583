"""Switch on how charts look and what a notebook stores of them: nothing goes in, altair's settings change.

Only `enable` touches them; importing this module does not.
"""

from __future__ import annotations

from typing import Any

import altair as alt

from cxsim import mimes
from cxsim.charts.palette import GRID, INK, QUIET
from cxsim.number_style import ENGLISH, Locale, style, write_as

NAME = "cxsim"
FONT = "Arial, 'Liberation Sans', Helvetica, sans-serif"
_EMBED = {"embed_options": {"renderer": "svg", "actions": False}}


def enable(locale: Locale = "en") -> None:
    """Register and enable the theme and the renderer of cxsim for this session, and how numbers are written in it.

    The renderer stores one output per chart that JupyterLab draws without a network and that does not change from
    run to run: the specification, and one line of text.

    Parameters
    ----------
    locale
        How figures, tables and sentences write numbers from now on, as `locale` of a scenario's economics; words stay
        English, and so do the numbers of a table's twin.

    Raises
    ------
    ParamError
        For a locale other than en, de, fr and ch.
    """
    write_as(locale)
    alt.theme.register(NAME, enable=True)(_theme)
    alt.renderers.register(NAME, _bundle)
    alt.renderers.enable(NAME)


def _bundle(spec: dict[str, Any], **_metadata: object) -> tuple[dict[str, Any], dict[str, Any]]:
    # The schema's address would make JupyterLab warn that its own Vega-Lite is older; it is no part of the figure.
    stored = {key: value for key, value in spec.items() if key != "$schema"}
    return {mimes.CHART: stored, "text/plain": f"<chart: {_label(spec)}>"}, {mimes.CHART: _EMBED}


def _label(spec: dict[str, Any]) -> str:
    title = spec.get("title", "")
    text = title.get("text", "") if isinstance(title, dict) else title
    return " ".join(text) if isinstance(text, list) else str(text)


def _theme() -> alt.theme.ThemeConfig:
    theme, now = _look(), style()
    if now != ENGLISH:
        # The code of a currency stands in titles; a number on an axis carries none.
        theme["config"]["locale"] = {
            "number": {"decimal": now.decimal, "thousands": now.group, "grouping": [3], "currency": ["", ""]}
        }
    return theme


def _look() -> alt.theme.ThemeConfig:
    return {
        "config": {
            "font": FONT,
            "background": "#FFFFFF",
            "padding": {"left": 4, "right": 12, "top": 8, "bottom": 8},
            "view": {"stroke": None},
            "title": {
                "anchor": "start",
                "frame": "bounds",
                "color": INK,
                "fontSize": 17,
                "fontWeight": "bold",
                "lineHeight": 22,
                "subtitleColor": QUIET,
                "subtitleFontSize": 12.5,
                "subtitleLineHeight": 17,
                "subtitlePadding": 6,
                "offset": 18,
            },
            "axis": {
                "labelColor": QUIET,
                "labelFontSize": 12,
                "titleColor": QUIET,
                "titleFontSize": 12,
                "titleFontWeight": "normal",
                "titlePadding": 10,
                "gridColor": GRID,
                "domain": False,
                "ticks": False,
                "labelPadding": 6,
            },
            "axisX": {"grid": False, "ticks": True, "tickColor": GRID, "tickSize": 5, "labelPadding": 3},
            "header": {"labelColor": INK, "labelFontSize": 13, "labelFontWeight": "bold"},
            "legend": {"labelColor": INK, "labelFontSize": 12.5, "titleColor": QUIET, "symbolStrokeWidth": 3},
            "text": {"color": INK, "fontSize": 12.5},
        }
    }
