"""Settings of the documentation: `make docs` builds it into build/docs, without a network."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]
# Cells find this checkout, and the `cxsim` of this Python; what they print goes to no terminal.
os.environ["PYTHONPATH"] = str(HERE.parent)
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
os.environ |= {"NO_COLOR": "1", "TTY_COMPATIBLE": "0", "COLUMNS": "116"}

project = "cxsim"
author = project_copyright = "cxsim authors"
extensions = ["myst_nb", "sphinx.ext.autodoc", "numpydoc", "sphinx_design", "reference", "gallery"]
exclude_patterns = ["_ext", "_static"]
language = "en"

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 4
# Cells run in a folder of their own, once for each state of the page and of what it runs; a failure fails the build.
_RUN = sorted(
    path
    for part in ("cxsim", "params")
    for path in (HERE.parent / part).rglob("*.[py][ya]*")
    if "__pycache__" not in path.parts
)
_STATE = hashlib.sha256(b"".join(path.read_bytes() for path in [Path(__file__), *_RUN])).hexdigest()
nb_execution_mode = "cache"
nb_execution_cache_path = str(HERE.parent / "build" / "docs-cells" / _STATE[:16])
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_merge_streams = True

# What stands in single backticks is code, in docstrings as in Markdown.
default_role = "literal"
numpydoc_show_class_members = False
toc_object_entries = False
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 88

html_theme = "pydata_sphinx_theme"
html_title = "cxsim"
html_static_path = ["_static"]
html_css_files = ["cxsim.css"]
html_show_sourcelink = False
html_copy_source = False
# A page opened from a folder may not read another one, so there are no excerpts of what was found.
html_show_search_summary = False
# These pages have none below or beside them.
html_sidebars: dict[str, list[str]] = {page: [] for page in ("tutorial", "gallery", "faq", "changelog")}
html_theme_options = {
    "logo": {"text": "cxsim"},
    "navbar_align": "left",
    "navbar_persistent": ["search-button"],
    "navbar_end": ["theme-switcher"],
    "header_links_before_dropdown": 7,
    "secondary_sidebar_items": ["page-toc"],
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
}
