"""Many portfolios at once: the product of portfolios, rules and costs, one row of a table each."""

from allocator.sweeps.portfolios import grid
from allocator.sweeps.run import sweep

__all__ = ["grid", "sweep"]
