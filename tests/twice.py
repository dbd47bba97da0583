"""A case's file in; its report written twice by the command line, and what must hold of every report, out."""

from __future__ import annotations

import html
import re

import pytest

from cxsim.cli.commands import main


def written_twice(case, page):
    """Write the report of a case into `first` and, on other numbers of threads, into `second` beside its folder."""
    folder = case.parent.parent
    for turn, threads in (("first", "1"), ("second", "3")):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("POLARS_MAX_THREADS", threads)
            patch.setenv("OPENBLAS_NUM_THREADS", threads)
            patch.setattr("sys.argv", ["cxsim", "report", str(case), "--out", str(folder / turn / page)])
            with pytest.raises(SystemExit) as stop:
                main()
            assert stop.value.code == 0
    return folder


def differing(folder):
    """Return the files of the two reports that are not there twice, or not with the same bytes."""
    first, second = (
        {path.relative_to(folder / turn): path.read_bytes() for path in (folder / turn).rglob("*") if path.is_file()}
        for turn in ("first", "second")
    )
    return sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))


def ways_out(page):
    """Return what in a page points to a network, and whether its policy lets anything be fetched."""
    links = re.findall(r"""(?:src|href|action)=["']?(?:https?:)?//""", page)
    return links if "default-src 'none'" in html.unescape(page[:2000]) else [*links, "no policy"]


def charts_alive(tab, report):
    """Open a report and return how many of its charts are alive, how many there are, and what should not have been."""
    tab.open(report, width=1280)
    # Charts of the appendix are drawn when a reader opens it.
    tab.evaluate("document.querySelectorAll('details.cx-appendix').forEach(part => { part.open = true; })")
    tab.wait_for("!document.querySelector('figure.cx-figure:not(.on)')")
    alive = tab.evaluate("document.querySelectorAll('figure.on .cx-live svg.marks').length")
    addresses = [event["request"]["url"] for event in tab.reported("Network.requestWillBeSent")]
    fetched = [address for address in addresses if not address.startswith(("file:", "data:"))]
    complaints = tab.reported("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
    return alive, tab.evaluate("document.querySelectorAll('figure').length"), fetched + complaints
