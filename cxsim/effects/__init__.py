"""What a programme does: whom it reaches and when, and how it changes their behaviour and what they pay.

An effect knows nothing of strategies and draws no number; it holds sourced quantities, and the simulator compiles them.
"""

from __future__ import annotations

from cxsim.effects.contacts import Contacts, Reactivation
from cxsim.effects.courses import ALWAYS, MAX_STEPS, Course, decay_steps, steps_of
from cxsim.effects.effect import EXPERIENCED, Effect, refuse_contradictions
from cxsim.effects.growth import Acquisition, Referral
from cxsim.effects.loyalty import Membership, Points, Status
from cxsim.effects.prices import Coupon, Markdown
from cxsim.effects.ratios import Basket, Dropout, PurchaseRate
from cxsim.effects.reach import Programme, Reach
from cxsim.effects.service import Incidents, Recovery, Resolution, Returns, Satisfaction, Tickets

__all__ = [
    "ALWAYS",
    "EXPERIENCED",
    "MAX_STEPS",
    "Acquisition",
    "Basket",
    "Contacts",
    "Coupon",
    "Course",
    "Dropout",
    "Effect",
    "Incidents",
    "Markdown",
    "Membership",
    "Points",
    "Programme",
    "PurchaseRate",
    "Reach",
    "Reactivation",
    "Recovery",
    "Referral",
    "Resolution",
    "Returns",
    "Satisfaction",
    "Status",
    "Tickets",
    "decay_steps",
    "refuse_contradictions",
    "steps_of",
]
