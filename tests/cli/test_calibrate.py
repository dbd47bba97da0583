"""`cxsim calibrate` writes a behaviour of a shop's own numbers, and says what it wrote and what it could not say."""

from __future__ import annotations

import pytest

from cxsim.params import read
from cxsim.strategies.behaviour import Behaviour
from tests.cli.conftest import TINY

SERVICE = TINY.replace("economics: cdnow", "economics: cdnow-service\nbehaviour: online-shop").replace(
    "per_month: 20", "per_month: 500"
)


@pytest.fixture
def service(project):
    (project.folder / "params" / "scenarios" / "service.yaml").write_text(SERVICE, encoding="utf-8")
    return project


def test_a_scenario_becomes_a_behaviour_that_can_be_named(service):
    sentence = service("calibrate", "service", "--name", "mine")
    assert (sentence.code, sentence.err) == (0, "")
    behaviour = read(service.folder / "params" / "behaviour" / "mine.yaml", Behaviour)
    assert behaviour.experience.incidents[0].chance.evidence == "measured"
    assert "experience.late.chance" in sentence.out
    assert "Not measured, and kept as assumed" in sentence.out
    # What is added to a file of the project is shown.
    assert "Added to params/sources.yaml:\nmine-tables:\n  authors:" in sentence.out
    assert "Written: params/behaviour/mine.yaml; name it in a scenario as behaviour: mine" in sentence.out
    assert service("check").code == 0


def test_a_folder_of_tables_says_the_same_as_the_scenario(service):
    service("tables", "service", "--out", "shop")
    service("calibrate", "service", "--name", "one")
    sentence = service("calibrate", "shop", "--name", "other")
    assert sentence.code == 0, sentence.err
    one, other = (
        read(service.folder / "params" / "behaviour" / f"{name}.yaml", Behaviour).experience
        for name in ("one", "other")
    )
    for place in range(4):
        assert other.incidents[place].chance.value == one.incidents[place].chance.value


def test_a_name_that_is_taken_is_refused_before_anything_is_measured(service):
    before = service.files()
    sentence = service("calibrate", "service", "--name", "online-shop")
    assert sentence.error.startswith("params/behaviour/online-shop.yaml: there is such a behaviour already")
    assert service.files() == before


def test_an_unknown_behaviour_is_answered_with_the_nearest(service):
    sentence = service("calibrate", "service", "--name", "mine", "--like", "online-shp")
    assert "did you mean 'online-shop'?" in sentence.error


def test_where_nothing_can_be_measured_nothing_is_written(service):
    (service.folder / "orders.csv").write_text("order_id,customer_id,ordered_at,amount\n1,a,2024-03-01 09:00,5\n")
    before = service.files()
    sentence = service("calibrate", "orders.csv", "--name", "mine")
    assert sentence.code == 1
    assert "none of the numbers of a behaviour can be measured there, so nothing is written" in sentence.error
    assert service.files() == before
