"""What a trade costs, so that the weights wanted hold on what is left."""

from __future__ import annotations

import numpy as np

from allocator.engine.costs import Charges
from allocator.engine.ground import DUST, Array, row_sums

__all__ = ["cost_with_fixed", "moved_weights", "self_financing_cost", "signed_rates"]

_CHUNK = 16384  # weights that are worked on together, few enough to stay in the fast cache


def self_financing_cost(before: Array, targets: Array, charges: Charges, fixed: float = 0.0) -> Array:
    """Return the cost of each trade as a fraction κ of the value before it, shape (n_events,).

    κ solves κ = f + Σ c_i |w*_i (1 - κ) - w_i|, with c_i the rate of the side: the targets hold on what
    is left after the cost. The right side is convex and piecewise linear, so Newton's method from 0 rises
    to the root and ends exactly once the sides stay. Needs Σ c_i |w*_i| < 1; the root is below 1
    where Σ c_i |w_i| is. The first-order model is the right side at κ = 0.
    """
    if not charges.most:
        return np.full(len(before), fixed)
    if before.size <= _CHUNK:
        return _cost(before, targets, charges, fixed)
    size, cost = max(1, _CHUNK // before.shape[1]), np.empty(len(before))
    for first in range(0, len(before), size):
        rows = slice(first, first + size)
        cost[rows] = _cost(before[rows], targets[rows], charges, fixed)
    return cost


def _cost(before: Array, targets: Array, charges: Charges, fixed: float) -> Array:
    moved = targets - before
    rates = signed_rates(moved, charges)
    kappa = np.zeros(len(targets))
    for _ in range(2 * targets.shape[1] + 2):  # each step changes the side of at least one asset, or ends
        cost = fixed + row_sums(rates * moved)
        if not charges.is_exact:
            return np.asarray(cost)
        kappa = cost / (1.0 + row_sums(rates * targets))
        left = targets * (1.0 - kappa)[:, None]
        left -= before
        latest = signed_rates(left, charges)
        if np.array_equal(latest, rates):
            break
        rates = latest
    return np.asarray(kappa)


def signed_rates(moved: Array, charges: Charges) -> Array:
    """Return what buying costs where weights rise and minus what selling costs where they fall."""
    rates = np.copysign(charges.mean, moved)
    return rates if charges.is_symmetric else np.asarray(rates + charges.tilt)


def cost_with_fixed(before: Array, target: Array, charges: Charges, worth: float) -> float:
    """Return the cost of one trade with a fixed part for each asset that is traded because of it."""
    cost = float(self_financing_cost(before, target, charges)[0])
    if not charges.fixed:
        return cost
    traded = -1
    for _ in range(target.shape[1] + 2):  # the count settles at once but for trades that the cost cancels
        count = int((np.abs(moved_weights(before, target, np.array([cost]), charges)) >= DUST).sum())
        if count == traded:
            break
        traded = count
        cost = float(self_financing_cost(before, target, charges, charges.fixed * count / worth)[0])
        if cost >= 1.0:
            return 1.0
    return cost


def moved_weights(before: Array, targets: Array, cost: Array, charges: Charges) -> Array:
    """Return what each trade moves, as fractions of the value before it, dust left out."""
    left = (1.0 - cost)[:, None] if charges.is_exact else 1.0
    moved = targets * left - before
    moved[np.abs(moved) < DUST] = 0.0
    return np.asarray(moved)
