"""What the world did: validated prices, cash, and signals as they became known."""

from allocator.market.align import align_prices
from allocator.market.bonds import constant_maturity_returns
from allocator.market.currency import to_base_currency
from allocator.market.datasets import load_us_debt, load_us_history
from allocator.market.download import Downloads
from allocator.market.files import read_prices
from allocator.market.frames import read_frame
from allocator.market.fred import FRED_RELEASES, FredRelease, read_fred, read_fred_signals
from allocator.market.market import Market
from allocator.market.signals import Signal
from allocator.market.simulate import simulate_market
from allocator.market.yahoo import read_yahoo

__all__ = [
    "Downloads",
    "FRED_RELEASES",
    "FredRelease",
    "Market",
    "Signal",
    "align_prices",
    "constant_maturity_returns",
    "load_us_debt",
    "load_us_history",
    "read_frame",
    "read_fred",
    "read_fred_signals",
    "read_prices",
    "read_yahoo",
    "simulate_market",
    "to_base_currency",
]
