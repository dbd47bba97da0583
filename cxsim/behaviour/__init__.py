"""How a shop's customers behave in every arm: seasons, experience and satisfaction, surveys, returns, visits."""

from __future__ import annotations

from cxsim.behaviour.behaviour import PLAIN, Behaviour, Sessions, Traits
from cxsim.behaviour.experience import MAX_INCIDENTS, Experience, Incident, Returning
from cxsim.behaviour.seasons import Drift, Season
from cxsim.behaviour.surveys import Scale, Surveys

__all__ = [
    "MAX_INCIDENTS",
    "PLAIN",
    "Behaviour",
    "Drift",
    "Experience",
    "Incident",
    "Returning",
    "Scale",
    "Season",
    "Sessions",
    "Surveys",
    "Traits",
]
