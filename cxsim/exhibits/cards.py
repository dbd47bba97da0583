"""Sentences with a badge each in; a lead sentence and a card for each of them out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Literal, NamedTuple

from cxsim.exhibits.showing import Prose

Tone = Literal["fund", "pilot", "reject"]
BADGES: Mapping[str, str] = {"fund": "Fund", "pilot": "Pilot first", "reject": "Do not fund"}


class Card(NamedTuple):
    """What is said of one strategy.

    Attributes
    ----------
    tone
        How it looks: as good news, as a question or as bad news.
    badge
        One or two words.
    title
        Name of the strategy.
    sentences
        Plain text.
    facts
        Names and figures, listed below the sentences.
    closing
        Plain text below the figures.
    width
        A wide card has a row for itself.
    """

    tone: Tone
    badge: str
    title: str
    sentences: str
    facts: Sequence[tuple[str, str]] = ()
    closing: str = ""
    width: Literal["narrow", "wide"] = "narrow"


def in_cards(lead: str, cards: Sequence[Card], aid: str, twin: Mapping[str, object] | None = None) -> Prose:
    """Return a lead sentence, the cards and a line on how to read them; all of it is plain text."""
    articles = "".join(_article(card) for card in cards)
    markup = (
        f'<section class="cx-decisions"><style>{_SHEET}</style><p class="cx-lead">{escape(lead)}</p>'
        f'<div class="cx-cards">{articles}</div><p class="cx-aid">{escape(aid)}</p></section>'
    )
    return Prose(markup=markup, text="\n".join([lead, *(_told(card) for card in cards), aid]), twin=twin)


def _article(card: Card) -> str:
    listed = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(figure)}</dd></div>" for name, figure in card.facts)
    facts = f"<dl>{listed}</dl>" if listed else ""
    closing = f"<p>{escape(card.closing)}</p>" if card.closing else ""
    return (
        f'<article class="cx-decision" data-decision="{card.tone}" data-width="{card.width}">'
        f'<h3>{escape(card.title)} <span class="cx-badge">{escape(card.badge)}</span></h3>'
        f"<p>{escape(card.sentences)}</p>{facts}{closing}</article>"
    )


def _told(card: Card) -> str:
    facts = "; ".join(f"{name}: {figure}" for name, figure in card.facts)
    parts = (f"{card.badge}: {card.title}.", card.sentences, facts and f"{facts}.", card.closing)
    return " ".join(part for part in parts if part)


# The look comes with the sentences, so that JupyterLab shows them as the report does.
_SHEET = (
    ".cx-decisions{max-width:60rem;color:#1f2933;font-size:15px;line-height:1.55}"
    ".cx-decisions .cx-lead{font-size:1.3rem;line-height:1.4;font-weight:600;margin:.2rem 0 1.2rem;max-width:46rem}"
    ".cx-cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(16rem,100%),1fr));gap:1rem}"
    ".cx-decision{border:1px solid #e4e7eb;border-top:4px solid #7b8794;border-radius:6px;padding:.9rem 1rem 1rem;"
    "break-inside:avoid}"
    ".cx-decision h3{font-size:1.05rem;font-weight:600;line-height:1.5;margin:0;padding:0;border:0}"
    ".cx-decision p{margin:.5rem 0 0}"
    ".cx-decision[data-width=wide]{grid-column:1/-1}"
    ".cx-decision dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(15rem,100%),1fr));column-gap:2rem;"
    "margin:.7rem 0 .2rem;font-size:.92rem;line-height:1.4}"
    # A name and its figure side by side, one below the other where the card is narrow.
    ".cx-decision dl>div{display:flex;flex-wrap:wrap;justify-content:space-between;column-gap:.75rem;"
    "border-top:1px solid #eef1f4;padding:.28rem 0}"
    ".cx-decision dt{color:#52606d;margin:0}"
    ".cx-decision dd{margin:0 0 0 auto;text-align:right;font-variant-numeric:tabular-nums}"
    ".cx-decision .cx-badge{font-size:.75rem;font-weight:700;line-height:1.6;border:1px solid;border-radius:1rem;"
    "padding:.05rem .65rem;white-space:nowrap;display:table;margin:.35rem 0 0}"
    ".cx-decision[data-decision=fund]{border-top-color:#00684a}"
    "[data-decision=fund] .cx-badge{color:#00684a;background:#e3f5ee}"
    ".cx-decision[data-decision=pilot]{border-top-color:#b45f06}"
    "[data-decision=pilot] .cx-badge{color:#8a4b00;background:#fdf1dc}"
    ".cx-decision[data-decision=reject]{border-top-color:#9b1c1c}"
    "[data-decision=reject] .cx-badge{color:#9b1c1c;background:#fbe9e9}"
    ".cx-decisions .cx-aid{color:#52606d;font-size:.85rem;margin:1rem 0 0;max-width:46rem}"
)
