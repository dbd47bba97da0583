"""A format goes in; the function that reads its exports comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from cxsim.data.exports.formats import Export, Format, Readout, set_aside
from cxsim.data.exports.helpdesks import read_tickets
from cxsim.data.exports.mappings import read_mapped, refuse_columns
from cxsim.data.exports.order_items import read_amazon, read_shopify
from cxsim.data.exports.order_lists import read_orders
from cxsim.data.exports.own_tables import read_table
from cxsim.data.exports.sessions import read_events, read_sessions
from cxsim.data.exports.surveys import read_answers
from cxsim.data.shop import Policy
from cxsim.errors import DataError, ParamError, choices
from cxsim.params import read, shown

Reader = Callable[[Export, Format, Policy], Readout]

# What the language of formats cannot say. A file in params/formats names one at most; shop.yaml cannot.
HOOKS: Mapping[str, Reader] = {
    "amazon-items": read_amazon,
    "analytics-events": read_events,
    "cxsim-table": read_table,
    "session-table": read_sessions,
    "shopify-lines": read_shopify,
    "survey-answers": read_answers,
}
# Tables whose rows say the status of what they are of are read by it.
_BY_STATUS: Mapping[str, Reader] = {"orders": read_orders, "tickets": read_tickets}


def reader_of(form: Format) -> Reader:
    """Return what reads exports of a format."""
    if form.table == "none":
        return set_aside
    if form.hook and form.hook not in HOOKS:
        raise ParamError(f"params/formats/{form.name}.yaml: hook: no '{form.hook}'; {choices(form.hook, HOOKS)}")
    if form.hook:
        return HOOKS[form.hook]
    return _BY_STATUS.get(form.table, read_mapped) if "status" in form.columns else read_mapped


def checked_format(path: Path) -> Format:
    """Return the format of a file under params/formats, whose columns and hook there are."""
    form = read(path, Format)
    reader_of(form)
    absent = [name for name in form.required if name not in form.header]
    if form.header and absent:
        raise ParamError(
            f"{shown(path)}: required: '{absent[0]}' is not in the header; {choices(absent[0], form.header)}"
        )
    if not form.hook and form.table != "none":
        try:
            refuse_columns(form, shown(path))
        except DataError as cause:
            raise ParamError(str(cause)) from cause
    return form
