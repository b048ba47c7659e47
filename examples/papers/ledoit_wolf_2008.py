"""Table 3 of Ledoit and Wolf (2008): are two Sharpe ratios equal? Theirs beside ours, on their data.

::

    python examples/papers/ledoit_wolf_2008.py --data ../shared/cases

``--data`` is a folder with the monthly log returns over cash in percent, 1994 to 2003, of the R package
bootTimeInference: B_ledoitwolf2008_agg_input.csv (two mutual funds) and B_ledoitwolf2008_hedge_input.csv
(two hedge funds), columns t, a, b. They are not ours to ship.

Ledoit, O. and Wolf, M. (2008), Robust performance hypothesis testing with the Sharpe ratio, Journal of
Empirical Finance 15, 850-859.
"""

import argparse
import pathlib
import sys

import numpy as np
import pandas as pd

import allocator as al
from allocator.statistics import KernelVariance, Parzen, Prewhitened, SharpeMethod

# p-values in percent: Jobson-Korkie-Memmel, HAC, prewhitened HAC, studentised bootstrap of blocks.
PUBLISHED = {"mutual funds": (3.9, 6.3, 6.7, 9.2), "hedge funds": (1.0, 14.7, 25.4, 29.4)}
FILES = {"mutual funds": "agg", "hedge funds": "hedge"}
BLOCKS = {"mutual funds": 4, "hedge funds": 6}
THEIR_RESAMPLES = 4999
RESAMPLES = 99_999  # so that the simulation error is theirs
UNIT = 0.01  # they measured in percent, on which an automatic bandwidth depends


def read_funds(folder: pathlib.Path) -> dict[str, np.ndarray]:
    """Return the excess returns of each pair as fractions, shape (120, 2)."""
    paths = {pair: folder / f"B_ledoitwolf2008_{name}_input.csv" for pair, name in FILES.items()}
    missing = [str(path) for path in paths.values() if not path.is_file()]
    if missing:
        print(f"nothing to reproduce: {', '.join(missing)} not found; pass --data FOLDER (see the docstring)")
        sys.exit(0)
    return {pair: pd.read_csv(path)[["a", "b"]].to_numpy() / 100 for pair, path in paths.items()}


def methods(block: int) -> dict[str, SharpeMethod]:
    """Return the methods of the table, in its order."""
    error = al.HAC(Prewhitened(KernelVariance(Parzen())), UNIT)  # as in their code of the bootstrap
    return {
        "Jobson-Korkie-Memmel": al.NormalReturns(),
        "HAC": al.HAC(KernelVariance(), UNIT),
        "HAC, prewhitened": al.HAC(Prewhitened(KernelVariance()), UNIT),
        f"bootstrap, blocks of {block}": al.StudentizedBootstrap(block, RESAMPLES, error=error),
    }


def beside_theirs(excess: np.ndarray, pair: str) -> pd.DataFrame:
    """Return p-values in percent, a row a method."""
    rows = {}
    for (name, method), theirs in zip(methods(BLOCKS[pair]).items(), PUBLISHED[pair], strict=True):
        ours = al.sharpe_difference(*excess.T, 0.0, method, periods_per_year=12)
        draws = 1 / THEIR_RESAMPLES + 1 / RESAMPLES if ours.n_resamples else np.nan
        noise = 100 * np.sqrt(ours.p_value * (1 - ours.p_value) * draws)
        rows[name] = {"theirs": theirs, "ours": 100 * ours.p_value, "simulation error": noise}
    return pd.DataFrame(rows).T.round(2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder with the two tables")
    for pair, excess in read_funds(parser.parse_args().data).items():
        default = al.sharpe_difference(*excess.T, 0.0, periods_per_year=12)
        first, second = default.sharpe_1 / np.sqrt(12), default.sharpe_2 / np.sqrt(12)
        print(f"\n{pair}: monthly Sharpe ratios {first:.3f} and {second:.3f}, n={default.n}")
        print("two-sided p-values of their being equal, in percent")
        print(beside_theirs(excess, pair).to_string(na_rep=""))
        print(f"our default (free of units, blocks of {default.block_length}): {100 * default.p_value:.2f}")
    print(
        "\nTheir table has one decimal. Jobson-Korkie-Memmel: 3.95 with deviations over n - 1, 3.87 over n.",
        f"Their bootstrap has {THEIR_RESAMPLES:,} resamples and ours {RESAMPLES:,}: the simulation error is",
        "that of the difference. The kernel is the quadratic-spectral one, in the bootstrap Parzen's, as in",
        "their code. Their bootstrap of single rows is left out.",
        sep="\n",
    )


if __name__ == "__main__":
    main()
