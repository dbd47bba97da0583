"""Names of the notebook outputs that cxsim adds to Jupyter's own; JupyterLab, nbval and the report share them."""

from __future__ import annotations

# JupyterLab 4 and VS Code draw this one natively and without a network; altair 6's own name is drawn by neither.
CHART = "application/vnd.vegalite.v5+json"
# {"id": str, "title": str, "columns": [str, ...], "rows": [[value, ...], ...]}: the machine-readable twin of a table.
TABLE = "application/vnd.cxsim.table+json"
# The manifest of a study: plain values that say how to make it again; a report shows it as its audit trail.
MANIFEST = "application/vnd.cxsim.manifest+json"
