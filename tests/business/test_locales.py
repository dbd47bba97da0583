"""A business case is the same tables in every locale; numbers in their sentences are English, and turned when shown."""

from __future__ import annotations

import dataclasses

import polars as pl

from cxsim.study.business.case import business_case
from cxsim.wording import localised_texts, written_as


def _tables(case) -> dict[str, pl.DataFrame]:
    held = {field.name: getattr(case, field.name) for field in dataclasses.fields(case)}
    return {name: table for name, table in held.items() if isinstance(table, pl.DataFrame)}


def test_the_tables_of_a_case_know_no_locale(study):
    english = _tables(business_case(study))
    with written_as("de"):
        german = _tables(business_case(study))
    assert len(english) > 20
    assert [name for name in english if not german[name].equals(english[name])] == []
    # A sentence with a number that German would write otherwise: else the comparison says nothing.
    sentence = [*english["test_plan"]["verdict"], *english["decision"]["rule"], *english["checklist"]["answer"]]
    with written_as("de"):
        assert any(localised_texts(sentence) != sentence for sentence in sentence)
