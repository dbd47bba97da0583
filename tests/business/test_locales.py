"""A business case is the same in every session; numbers in its sentences are written as the shop's own locale does."""

from __future__ import annotations

import dataclasses

import polars as pl

from cxsim.study.business.case import business_case
from cxsim.wording import written_as


def _tables(case) -> dict[str, pl.DataFrame]:
    held = {field.name: getattr(case, field.name) for field in dataclasses.fields(case)}
    return {name: table for name, table in held.items() if isinstance(table, pl.DataFrame)}


def test_the_tables_of_a_case_follow_the_shops_locale_and_not_the_sessions(study):
    economics = dataclasses.replace(study.scenario.economics, locale="de")
    german = dataclasses.replace(study, scenario=dataclasses.replace(study.scenario, economics=economics))
    with written_as("de"):
        here = _tables(business_case(study))
    there = _tables(business_case(german))
    assert len(here) > 20
    other = {name for name in here if not there[name].equals(here[name])}
    assert other
    assert other <= {"decision", "investment", "test_plan", "checklist", "naive"}
