"""Effects and behaviour in few words: numbers in, the same without spread out."""

from __future__ import annotations

from typing import get_args, get_type_hints

from cxsim.strategies.effects import Course, Effect
from tests.simulated import assumed

_KINDS = {kind.__dataclass_fields__["kind"].default: kind for kind in get_args(Effect)} | {"course": Course}
_USUAL = {
    "points": {"earn": 1.0, "threshold": 100.0, "reward": 5.0, "redemption": 0.7, "expiry_days": 365.0},
    "status": {"threshold": 150.0, "purchase_rate": 1.0, "dropout": 1.0, "demotion": 1.0},
    "membership": {"fee": 10.0, "period_days": 365.0, "renewal": 0.7},
    "contacts": {"per_month": 4.0, "response": 0.0, "fatigue": 0.0, "unsubscribe": 0.0},
    "referral": {
        "per_year": 0.5,
        "success": 0.2,
        "anyway": 0.0,
        "dropout": 1.0,
        "premium": 1.0,
        "premium_half_life_days": 365.0,
    },
    "recovery": {"share": 1.0, "compensation": 0.0, "repair": 0.0, "delight": 0.0},
    "reactivation": {"share": 0.0, "second_life": 1.0},
    "resolution": {"unresolved": 1.0, "hours": 1.0},
    "acquisition": {"ratio": 1.0, "charge": 0.0},
}


def made(kind, /, **numbers):
    """Return an effect, a course or a part of a behaviour; what is no number is handed through as it is."""
    shape, written = _KINDS.get(kind, kind), _USUAL.get(kind, {}) | numbers
    hints = get_type_hints(shape, include_extras=True)
    return shape(**{name: _quantity(hints[name], value) for name, value in written.items()})


def _quantity(hint, value):
    parts = [part for part in (hint, *get_args(hint)) if hasattr(part, "__metadata__")]
    return assumed(value, parts[0].__metadata__[0]) if parts and isinstance(value, int | float) else value
