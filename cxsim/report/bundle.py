"""The libraries that make charts live go in, one script comes out, and the same script packed small for a page."""

from __future__ import annotations

import base64
import functools
import zlib

import vl_convert

from cxsim.report.figures import VEGA_LITE

# Of one library and one level the same bytes come out; another zlib, as some systems and later Pythons bring, may pack
# the same script into other bytes. A page then differs in them, and in nothing that it shows or allows.
_LEVEL = 9
# Vega-Lite tells the author of panels with rows of their own that it takes their scales for scales of one table, which
# they are. A reader's console is no place for that; everything else that it has to say goes through.
_QUIET = (
    "var loud=window.console,console=Object.create(loud);console.warn=function(){"
    "if(Array.prototype.join.call(arguments).indexOf('Detected faceted independent scales')<0)"
    "loud.warn.apply(loud,arguments);};"
)


@functools.cache
def vega_bundle() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script, closed off because it would define 2500 globals."""
    # The wheel's stub calls the snippet required; without one, the bundle sets vegaEmbed on the window.
    bundle = vl_convert.javascript_bundle(vl_version=VEGA_LITE)  # type: ignore[call-arg]
    return f"(function(){{{_QUIET}{bundle}}})();"


@functools.cache
def packed_bundle() -> str:
    """Return the same script as a page carries it: in the format of zlib, in letters of base 64; less than half of it."""
    return base64.b64encode(zlib.compress(vega_bundle().encode(), _LEVEL)).decode("ascii")
