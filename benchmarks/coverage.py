"""Coverage of the correlation interval in simulation: ``python -m benchmarks.coverage [--samples N]``.

Prints the share of samples in which the nominal 95 % interval holds the true correlation, for the
block-bootstrap interval that the library shows and for Fisher's, which it shows as the naive one.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from allocator.statistics import bootstrap_correlation

Array = NDArray[np.float64]
SIZES = (15, 30, 100, 1000)
CORRELATIONS = (-0.4, 0.0, 0.6)
WARM_UP = 200


def normal(rng: np.random.Generator, n: int, root: Array) -> Array:
    """Independent normal pairs."""
    return np.asarray(rng.standard_normal((n, 2)) @ root.T)


def student(rng: np.random.Generator, n: int, root: Array) -> Array:
    """Independent pairs of a bivariate Student t with 5 degrees."""
    return normal(rng, n, root) / np.sqrt(rng.chisquare(5, (n, 1)) / 5)


def autoregressive(rng: np.random.Generator, n: int, root: Array) -> Array:
    """Pairs that each follow an AR(1) with coefficient 0.5."""
    pairs = normal(rng, n + WARM_UP, root)
    for t in range(1, len(pairs)):
        pairs[t] += 0.5 * pairs[t - 1]
    return pairs[WARM_UP:]


def garch(rng: np.random.Generator, n: int, root: Array) -> Array:
    """Return normal pairs scaled by one GARCH(1,1) volatility (0.1, 0.85)."""
    pairs = normal(rng, n + WARM_UP, root)
    variance = 1.0
    for t in range(len(pairs)):
        pairs[t] *= np.sqrt(variance)
        variance = 0.05 + 0.10 * float(pairs[t] @ pairs[t]) / 2 + 0.85 * variance
    return pairs[WARM_UP:]


PROCESSES: dict[str, Callable[[np.random.Generator, int, Array], Array]] = {
    "normal": normal,
    "t5": student,
    "AR(1) .5": autoregressive,
    "GARCH": garch,
}


def coverage(process: str, n: int, rho: float, samples: int, seed: int) -> tuple[float, float]:
    """Return the coverage of the block-bootstrap and of Fisher's interval."""
    rng = np.random.default_rng([seed, n, round(100 * rho) + 100, *process.encode()])
    root = np.linalg.cholesky(np.array([[1.0, rho], [rho, 1.0]]))
    hits = np.zeros(2)
    for sample in range(samples):
        x, y = PROCESSES[process](rng, n, root).T / 100.0
        found = bootstrap_correlation(x, y, n_resamples=500, seed=sample)
        hits += [found.low <= rho <= found.high, found.fisher_low <= rho <= found.fisher_high]
    return float(hits[0] / samples), float(hits[1] / samples)


def main() -> None:
    """Print a row a process and size, the mean over the correlations."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=500, help="samples a cell (500)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    error = 100 * np.sqrt(0.95 * 0.05 / options.samples)
    print(f"coverage in % of nominal 95 %, {options.samples} samples a cell ", end="")
    print(f"(simulation error {error:.1f} points)")
    head = f"{'process':<10}{'n':>6}{'block bootstrap':>17}{'Fisher':>9}"
    print(f"{head}   mean over rho = {CORRELATIONS}")
    for process in PROCESSES:
        for n in SIZES:
            cells = [coverage(process, n, rho, options.samples, options.seed) for rho in CORRELATIONS]
            ours, naive = 100 * np.mean(cells, axis=0)
            print(f"{process:<10}{n:>6}{ours:>17.1f}{naive:>9.1f}", flush=True)


if __name__ == "__main__":
    main()
