"""What was found about a fit in; a list of findings, each one sentence with its figure and one on what to do, out."""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import polars as pl

Severity = Literal["stop", "caution", "note"]
_ORDER = {"stop": 0, "caution": 1, "note": 2}


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that the data say, or cannot say.

    Attributes
    ----------
    topic
        What it is about, as "dropout"; unique within a diagnosis.
    severity
        `stop`: do not use what hangs on it; `caution`: use it and say this beside it; `note`: good to know.
    figure
        The number that the sentence rests on.
    sentence
        What was found, with the figure.
    advice
        What to do about it.
    """

    topic: str
    severity: Severity
    figure: float
    sentence: str
    advice: str


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Diagnosis:
    """All findings about a fit, the gravest first.

    Attributes
    ----------
    findings
        In order of severity, then as they were looked for.
    """

    findings: tuple[Finding, ...]

    @property
    def table(self) -> pl.DataFrame:
        """One row per finding: topic, severity, figure, sentence, advice."""
        names = ("topic", "severity", "figure", "sentence", "advice")
        types = (pl.String, pl.String, pl.Float64, pl.String, pl.String)
        return pl.DataFrame(
            [[getattr(finding, name) for name in names] for finding in self.findings],
            schema=dict(zip(names, types, strict=True)),
            orient="row",
        )

    def __repr__(self) -> str:
        if not self.findings:
            return "Diagnosis: nothing to report."
        lines = (f"{finding.severity:>7}  {finding.sentence} {finding.advice}" for finding in self.findings)
        return "\n".join(["Diagnosis", *lines])

    def _repr_html_(self) -> str:
        if not self.findings:
            return "<p>Diagnosis: nothing to report.</p>"
        rows = "".join(
            f"<li><b>{html.escape(finding.severity)}</b>: {html.escape(finding.sentence)} "
            f"<i>{html.escape(finding.advice)}</i></li>"
            for finding in self.findings
        )
        return f"<p>Diagnosis</p><ul>{rows}</ul>"


def diagnosis_of(findings: Iterable[Finding | None]) -> Diagnosis:
    """Return the findings that there are, the gravest first."""
    found = [finding for finding in findings if finding is not None]
    return Diagnosis(findings=tuple(sorted(found, key=lambda finding: _ORDER[finding.severity])))
