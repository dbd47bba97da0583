"""Every kind of effect in one union, and the rules for kinds that may stand in one programme."""

from __future__ import annotations

from collections.abc import Sequence

from cxsim.effects.contacts import Contacts, Reactivation
from cxsim.effects.growth import Acquisition, Referral
from cxsim.effects.loyalty import Membership, Points, Status
from cxsim.effects.prices import Coupon, Markdown
from cxsim.effects.ratios import Basket, Dropout, PurchaseRate
from cxsim.effects.service import Incidents, Recovery, Resolution, Returns, Satisfaction, Tickets
from cxsim.errors import ParamError

Effect = (
    PurchaseRate
    | Dropout
    | Basket
    | Markdown
    | Coupon
    | Points
    | Status
    | Membership
    | Incidents
    | Tickets
    | Resolution
    | Recovery
    | Satisfaction
    | Returns
    | Contacts
    | Reactivation
    | Acquisition
    | Referral
)

_PRICE = ("markdown", "coupon")
# Switching on and off again and again means nothing for these: they begin once for each member.
_LASTING = ("points", "status", "membership", "contacts", "acquisition", "referral")
# These change chances that only a shop's behaviour states.
EXPERIENCED = ("incidents", "tickets", "resolution", "recovery", "satisfaction")


def refuse_contradictions(effects: Sequence[Effect], *, waits: str | None) -> None:
    """Refuse effects that contradict each other or their reach."""
    kinds = [effect.kind for effect in effects]
    if sum(kind in _PRICE for kind in kinds) > 1:
        raise ParamError(
            f"effects: at most one price effect ({' or '.join(_PRICE)}) is possible; found {', '.join(kinds)}; "
            "write two strategies instead."
        )
    told = [_subject(effect) for effect in effects]
    twice = sorted({subject for subject in told if told.count(subject) > 1})
    if twice or ("incidents" in told and any(subject.startswith("incidents:") for subject in told)):
        raise ParamError(
            f"effects: {', '.join(twice) or 'incidents'} stands there twice, and which of them holds cannot be told; "
            "write one, or two strategies."
        )
    lasting = [kind for kind in kinds if kind in _LASTING]
    if waits is not None and lasting:
        raise ParamError(
            f"effects: {', '.join(lasting)} cannot go with {waits}: it begins once for a member and goes on; leave "
            f"{waits} out, or write two strategies."
        )
    if waits != "after_idle_days" and "reactivation" in kinds:
        raise ParamError("effects: reactivation needs a reach with after_idle_days: it happens when that switches on.")


def _subject(effect: Effect) -> str:
    if isinstance(effect, Incidents) and effect.incident is not None:
        return f"incidents:{effect.incident}"
    return effect.kind
