"""The audit trail is readable for people and machines."""

from __future__ import annotations

import pytest

from cxsim.errors import ReportError
from cxsim.reporting.render import manifest_json, trail


def test_names_become_labels_and_the_command_comes_last():
    entries = trail({"command": "cxsim report x", "scenario_hash": "ab" * 32, "seed": 7, "clean": True, "commit": None})
    assert [(entry.label, entry.value, entry.kind) for entry in entries] == [
        ("Scenario hash", "ab" * 32, "code"),
        ("Seed", "7", "text"),
        ("Clean", "yes", "text"),
        ("Commit", "not recorded", "text"),
        ("Command to reproduce", "cxsim report x", "command"),
    ]


def test_the_names_inside_a_group_are_left_as_they_are():
    (group,) = trail({"parameter_files": {"params/levers.yaml": "x", "great_tables": "1.1"}})
    assert [entry.label for entry in group.entries] == ["params/levers.yaml", "great_tables"]


def test_a_manifest_is_the_same_text_in_any_order_of_its_names():
    assert manifest_json({"a": 1, "b": {"d": 2, "c": 3}}) == manifest_json({"b": {"c": 3, "d": 2}, "a": 1})


@pytest.mark.parametrize("value", [float("nan"), object(), {1, 2}])
def test_a_manifest_without_a_place_in_json_is_refused(value):
    with pytest.raises(ReportError, match="cannot be written as JSON"):
        manifest_json({"a": value})
