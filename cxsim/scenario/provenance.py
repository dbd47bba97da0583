"""Tables and the project's folder in; hashes, versions and the commit, by which a result can be made again, out."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import subprocess
from collections.abc import Sequence

import polars as pl

from cxsim.params import root


def table_hash(table: pl.DataFrame) -> str:
    """Return a hash of names and values, column by column, which knows nothing of how polars stores them."""
    digest = hashlib.sha256()
    for name in table.columns:
        column = table[name]
        digest.update(name.encode())
        if column.dtype.is_numeric():
            digest.update(column.is_null().to_numpy().tobytes())
            digest.update(column.fill_null(0).to_numpy().tobytes())
        else:
            # Texts by their place among the distinct ones in order, so that millions of rows cost no more than numbers.
            texts = column.cast(pl.String)
            distinct = texts.unique().sort()
            digest.update(json.dumps(distinct.to_list()).encode())
            digest.update(distinct.search_sorted(texts).to_numpy().astype("int64").tobytes())
    return digest.hexdigest()


def versions(packages: Sequence[str]) -> dict[str, str]:
    """Return the installed version of each package."""
    return {name: importlib.metadata.version(name) for name in packages}


def commit() -> str | None:
    """Return the commit of the project, with a mark when files differ from it; None outside of git."""
    try:
        found = _git("rev-parse", "HEAD")
        return f"{found} with changes" if _git("status", "--porcelain", "--untracked-files=no") else found
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root(), capture_output=True, text=True, check=True)  # noqa: S603, S607 - fixed words
    return done.stdout.strip()
