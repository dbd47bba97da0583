"""YAML of strategies, levers and behaviour in; checked effects and costs out."""

from cxsim.strategies.strategy import Strategy

__all__ = [
    "Strategy",
]
