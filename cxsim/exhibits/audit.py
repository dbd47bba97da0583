"""A study's manifest in; an output that a report turns into its audit trail, out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cxsim.mimes import MANIFEST


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class AuditTrail:
    """What is needed to make a study again, for a report to show.

    Attributes
    ----------
    manifest
        Plain values and nested mappings of them.
    """

    manifest: Mapping[str, object]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object]:  # noqa: ARG002
        return {MANIFEST: dict(self.manifest), "text/plain": repr(self)}

    def __repr__(self) -> str:
        name = self.manifest.get("scenario", self.manifest.get("valuation", "unnamed"))
        return f"<audit trail: {name}>"


def audit_trail(manifest: Mapping[str, object]) -> AuditTrail:
    """Return the manifest of a study as an output of a notebook.

    Parameters
    ----------
    manifest
        Plain values and nested mappings of them.

    Examples
    --------
    >>> audit_trail({"scenario": "cdnow-quick", "seed": 7})
    <audit trail: cdnow-quick>
    """
    return AuditTrail(manifest=manifest)
