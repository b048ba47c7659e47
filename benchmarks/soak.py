"""Size, faults and a long day: ``python -m benchmarks.soak [CASE ...] [--json FILE]``.

Each case runs in a process of its own and prints what it held and how long it took, and whether that is
what docs/testing.md promises. The table of 10,000 assets wants 4 GB of free memory.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.memory import held_by_this_process, peak_of_this_process
from benchmarks.options import refuse_unwritable
from benchmarks.threads import use_one_thread

if TYPE_CHECKING:
    import pandas as pd

    import allocator as al

__all__ = ["CASES", "Fact", "killed_and_resumed", "main", "market_of", "portfolios", "runs_and_reports"]

_ROOT = Path(__file__).resolve().parents[1]
_SEED = 8
_WHOLE = 10  # every tenth report is a tear sheet


@dataclass(frozen=True)
class Fact:
    """One line: what was done, the memory it added at its peak and left behind, the time, and the promise."""

    what: str
    seconds: float
    peak_mb: float = 0.0
    left_mb: float = 0.0
    most_mb: float | None = None
    holds: bool = True

    def __str__(self) -> str:
        promise = f" of {self.most_mb:,.0f} allowed" if self.most_mb is not None else ""
        verdict = "" if self.holds else "   BROKEN"
        return f"{self.what:<62}{self.seconds:>9.2f} s{self.peak_mb:>9,.0f} MB{promise}{verdict}"


class Watch:
    """Collects facts; each names what ran within it."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []

    @contextmanager
    def of(self, what: str, most_mb: float | None = None) -> Iterator[None]:
        """Measure what runs within: the peak beyond what was held before."""
        held, peak, begin = held_by_this_process(), peak_of_this_process(), time.perf_counter()
        yield
        seconds, now = time.perf_counter() - begin, peak_of_this_process()
        added = now - held if now > peak else 0.0  # the peak before was higher: nothing to say
        kept = held_by_this_process() - held
        self.facts.append(Fact(what, seconds, added, kept, most_mb, most_mb is None or added <= most_mb))

    def whole_process(self) -> None:
        """Record the most memory that the process ever held, imports and data included."""
        self.facts.append(Fact("the whole process", 0.0, peak_of_this_process()))

    def note(self, what: str, holds: bool, seconds: float = 0.0, left_mb: float = 0.0) -> None:
        """Record what is right or wrong without a measure of memory."""
        self.facts.append(Fact(what, seconds, left_mb=left_mb, holds=holds))


# What the cases are of.


def market_of(n_rows: int, n_assets: int, spacing: str = "B") -> tuple[pd.DataFrame, type[al.Market]]:
    """Return random prices and the class that reads them, so that reading can be measured."""
    import numpy as np
    import pandas as pd

    import allocator as al

    rng = np.random.default_rng(_SEED)
    prices = rng.normal(2e-4, 0.01, (n_rows, n_assets))
    np.cumsum(prices, axis=0, out=prices)
    np.exp(prices, out=prices)
    dates = pd.date_range(end="2024-12-31", periods=n_rows, freq=spacing, unit="s")
    return pd.DataFrame(prices, dates, [f"A{k}" for k in range(n_assets)], copy=False), al.Market


def portfolios(n: int, n_assets: int) -> pd.DataFrame:
    """Return random weights that sum to 1, a row a portfolio."""
    import numpy as np
    import pandas as pd

    weights = np.random.default_rng(_SEED).dirichlet(np.ones(n_assets), n)
    return pd.DataFrame(weights, columns=[f"A{k}" for k in range(n_assets)])


def _backtests(watch: Watch, market: al.Market, name: str) -> None:
    import allocator as al

    mix = al.FixedMix(dict.fromkeys(market.assets, 1.0 / len(market.assets)))
    for rule in (al.BuyAndHold(), al.Monthly()):
        with watch.of(f"{name}: {rule!r}, equal weights"):
            value = al.run_backtest(mix, market, rebalancing=rule).value
        if not value.iloc[-1] > 0.0:
            watch.note(f"{name}: {rule!r} does not end at a number", holds=False)


def table(watch: Watch, n: int = 10_000) -> None:
    """Hold and trade 10,000 assets over 10,000 rows."""
    with watch.of(f"{n:,} rows x {n:,} assets: the prices alone"):
        prices, kind = market_of(n, n)
    with watch.of(f"{n:,} x {n:,}: Market(prices, 0.02)"):
        market = kind(prices, 0.02)
    _backtests(watch, market, f"{n:,} x {n:,}")
    watch.whole_process()


def refused(watch: Watch) -> None:
    """Refuse a table above the limit before anything is copied."""
    import numpy as np
    import pandas as pd

    import allocator as al

    for n_rows, n_assets in ((20_000, 20_000), (200_000_000, 1)):
        shape = f"{n_rows:,} x {n_assets:,}"
        cells = np.broadcast_to(np.float64(1.0), (n_rows, n_assets))  # takes no memory
        prices = pd.DataFrame(cells, copy=False)
        with watch.of(f"{shape} cells are refused", most_mb=16.0):
            try:
                al.Market(prices, 0.0)
            except al.InputError as error:
                watch.note(f"{shape}: {str(error)[:80]}", "max_cells" in str(error))
            else:
                watch.note(f"{shape} was taken", holds=False)


def sweep(watch: Watch, n: int = 100_000, n_rows: int = 2520, n_assets: int = 10) -> None:
    """Sweep 100,000 portfolios within 300 MB."""
    import allocator as al

    prices, kind = market_of(n_rows, n_assets)
    market, weights = kind(prices, 0.02), portfolios(n, n_assets)
    al.sweep(weights.iloc[:10], market, progress=False)  # imports are not of the sweep
    with watch.of(f"sweep of {n:,} portfolios, {n_rows:,} days, Monthly", most_mb=300.0):
        al.sweep(weights, market, progress=False)
    with watch.of(f"sweep of {n:,} portfolios, {n_rows:,} days, Band(5 %)", most_mb=300.0):
        al.sweep(weights, market, rebalancing=al.Band(0.05), progress=False)
    watch.whole_process()


def shapes(watch: Watch) -> None:
    """Run wide and long tables, a single column, and three rows."""
    for n_rows, n_assets, spacing in (
        (100_000, 1, "B"),
        (30, 20_000, "B"),
        (3, 1000, "ME"),
        (100_000, 30, "B"),
        (2520, 2000, "B"),
    ):
        name = f"{n_rows:,} rows x {n_assets:,} assets"
        with watch.of(f"{name}: Market"):
            prices, kind = market_of(n_rows, n_assets, spacing)
            market = kind(prices, 0.02)
        _backtests(watch, market, name)


# Killed, interrupted, resumed.

_SWEEPER = """
import sys, time
from pathlib import Path
sys.path.insert(0, {root!r})
import allocator as al
import allocator.sweeps.run as run
from benchmarks.soak import market_of, portfolios
prices, kind = market_of(250, 4)
real = run.run_block
run.run_block = lambda study, block: (time.sleep({pause}), real(study, block))[1]
market, weights = kind(prices, 0.02), portfolios({n}, 4)
Path(sys.argv[2]).touch()
al.sweep(weights, market, file=sys.argv[1], block={block}, progress=False)
"""


def killed_and_resumed(
    folder: Path, by: int, kills: int, n: int = 400, block: int = 10, pause: float = 0.02, seed: int = _SEED
) -> tuple[pd.DataFrame, pd.DataFrame, list[int]]:
    """Stop a sweep by a signal at random moments, resume it, and return its table and that of one run.

    Last come the blocks that were on the disk after each signal. A moment is a random number of blocks later
    and a random time after that, so that a busy machine is not stopped before it begins.
    """
    import allocator as al

    moments, file, finished = random.Random(seed), folder / "sweep.jsonl", [0]
    code = _SWEEPER.format(root=str(_ROOT), n=n, block=block, pause=pause)
    for number in range(kills):
        ready = folder / f"ready{number}"
        wanted = finished[-1] + moments.randint(0, n // block // kills)
        command = [sys.executable, "-c", code, str(file), str(ready)]
        child = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        while child.poll() is None and not (ready.exists() and _blocks_in(file) >= wanted):
            time.sleep(0.002)
        time.sleep(moments.uniform(0.0, 2.0 * pause))
        child.send_signal(by)
        child.wait()
        finished.append(_blocks_in(file))
    prices, kind = market_of(250, 4)
    market, weights = kind(prices, 0.02), portfolios(n, 4)
    resumed = al.sweep(weights, market, file=file, block=block, progress=False)
    return resumed, al.sweep(weights, market, block=block, progress=False), finished[1:]


def _blocks_in(file: Path) -> int:
    return max(file.read_bytes().count(b"\n") - 1, 0) if file.exists() else 0


def killed(watch: Watch, rounds: int = 2, kills: int = 8) -> None:
    """Kill a sweep again and again: it gives the table of one that was left alone."""
    for by in (signal.SIGKILL, signal.SIGINT):
        for seed in range(rounds):
            begin = time.perf_counter()
            with tempfile.TemporaryDirectory() as folder:
                one, other, finished = killed_and_resumed(Path(folder), by, kills, seed=seed)
            what = f"{by.name} after {', '.join(map(str, finished))} of 40 blocks: same table"
            watch.note(what, one.equals(other), time.perf_counter() - begin)


# A long day.


def runs_and_reports(n_runs: int, n_reports: int, settled: float = 0.1) -> Iterator[tuple[int, int, float]]:
    """Run backtests and reports in one process and yield how many were done and the memory held, in MB."""
    import allocator as al

    prices, kind = market_of(1260, 4)
    market, months = kind(prices, 0.02), al.simulate_market(3, 8)
    compared = [al.FixedMix({"stocks": w, "bonds": 1.0 - w}, f"{w:.1f}") for w in (0.4, 0.6)]
    rules = (al.Monthly(), al.Band(0.05), al.Quarterly() | al.LeverageAbove(1.5), al.BuyAndHold())
    every, done = max(n_runs // max(n_reports, 1), 1), 0
    for run in range(n_runs):
        mix = al.FixedMix({"A0": 0.3 + 0.3 * (run % 7) / 7, "A1": 0.2, "A2": 0.1})
        found = al.run_backtest(mix, market, rebalancing=rules[run % 4])
        str(found), found.weights, al.performance_summary(found.returns, 0.0)
        if (run + 1) % every == 0 and done < n_reports:
            _report(al.compare(compared, months), whole=done % _WHOLE == _WHOLE - 1)
            done += 1
        if run + 1 in (max(int(n_runs * settled), 1), n_runs):
            yield run + 1, done, held_by_this_process()


def _report(comparison: al.Comparison, *, whole: bool) -> None:
    """Write a comparison as text, HTML and a picture, or as a tear sheet of all its pictures."""
    import allocator as al

    with tempfile.TemporaryDirectory() as folder:
        if whole:
            al.tear_sheet(comparison, Path(folder) / "sheet.html")
        str(comparison), comparison._repr_html_(), al.to_latex(comparison.table)
        al.plot_growth(comparison).figure.savefig(Path(folder) / "growth.png", dpi=60)


def day(watch: Watch, n_runs: int = 2000, n_reports: int = 200, most_mb: float = 20.0) -> None:
    """Leave nothing behind after 2,000 backtests and 200 reports in one process."""
    begin = time.perf_counter()
    (first, _, before), (last, reports, after) = runs_and_reports(n_runs, n_reports)
    what = f"{last:,} backtests, {reports} reports: {after:.0f} MB, {after - before:+.1f} since run {first:,}"
    watch.note(what, after - before < most_mb, time.perf_counter() - begin, after - before)


CASES: dict[str, Callable[[Watch], None]] = {
    "sweep": sweep,
    "shapes": shapes,
    "refused": refused,
    "killed": killed,
    "day": day,
    "table": table,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cases named; return 0, 1 where a promise is broken, 2 where a request is wrong."""
    use_one_thread()
    options = _options(arguments)
    if options.one:
        watch = Watch()
        CASES[options.one](watch)
        print(json.dumps([asdict(fact) for fact in watch.facts]))
        return 0
    facts: list[Fact] = []
    for name in options.cases or CASES:
        print(f"{name}: {(CASES[name].__doc__ or '').strip()}", flush=True)
        found = _in_a_process(name)
        print(*(f"  {fact}" for fact in found), sep="\n", flush=True)
        facts += found
    if options.json:
        options.json.write_text(json.dumps([asdict(fact) for fact in facts], indent=1), encoding="utf-8")
    return 0 if all(fact.holds for fact in facts) else 1


def _in_a_process(name: str) -> list[Fact]:
    command = [sys.executable, "-m", "benchmarks.soak", "--one", name]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.splitlines() or [""])[-1]
        return [Fact(f"its process ended with {done.returncode}: {last}", 0.0, holds=False)]
    return [Fact(**each) for each in json.loads(done.stdout)]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.soak",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}; all if none")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the facts there as well")
    parser.add_argument("--one", choices=[*CASES], help=argparse.SUPPRESS)  # here, and as JSON
    options = parser.parse_args(arguments)
    unknown = [name for name in options.cases if name not in CASES]
    if unknown:
        parser.error(f"there is no case {unknown[0]!r}; choose of {', '.join(CASES)}")
    if options.json:
        refuse_unwritable(options.json, parser)
    return options


if __name__ == "__main__":
    sys.exit(main())
