"""What the world did: validated prices, cash, and signals as they became known."""

from allocator.market.bonds import constant_maturity_returns
from allocator.market.currency import to_base_currency
from allocator.market.datasets import load_us_history
from allocator.market.files import read_prices
from allocator.market.market import Market
from allocator.market.signals import Signal
from allocator.market.simulate import simulate_market

__all__ = [
    "Market",
    "Signal",
    "constant_maturity_returns",
    "load_us_history",
    "read_prices",
    "simulate_market",
    "to_base_currency",
]
