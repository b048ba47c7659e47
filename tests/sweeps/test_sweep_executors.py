"""One result wherever it is computed, to the bit; and memory that does not grow with the portfolios."""

import concurrent.futures as cf
import multiprocessing
import os
import subprocess
import sys
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from sweep_cases import Broken, Chaser, daily_market, random_weights

from allocator.engine import Band, Costs, FixedMix, Monthly
from allocator.errors import StrategyError
from allocator.sweeps import sweep

RULES, COSTS = [Monthly(), Band(0.03)], [Costs(), Costs(0.001)]


def one(executor=None, block=7):
    market = daily_market(400)
    return sweep(
        random_weights(40, market.assets),
        market,
        rebalancing=RULES,
        costs=COSTS,
        executor=executor,
        block=block,
        progress=False,
    )


def assert_identical(table, expected):
    pd.testing.assert_frame_equal(table, expected, check_exact=True)
    for name in ("sharpe", "final_value", "max_drawdown"):
        assert table[name].to_numpy().tobytes() == expected[name].to_numpy().tobytes()


@pytest.fixture(scope="module")
def processes():
    with cf.ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


def test_a_pool_of_processes_gives_the_same_bits(processes):
    assert_identical(one(processes), one())


def test_a_pool_of_threads_gives_the_same_bits():
    with cf.ThreadPoolExecutor(3) as pool:
        assert_identical(one(pool), one())


def test_dask_gives_the_same_bits():
    distributed = pytest.importorskip("distributed", reason="needs the extra [parallel]: dask[distributed]")
    options = {"processes": False, "n_workers": 1, "threads_per_worker": 2, "dashboard_address": None}
    with (
        distributed.LocalCluster(**options) as cluster,
        distributed.Client(cluster) as client,
        client.get_executor() as pool,
    ):
        assert_identical(one(pool), one())


MANY_THREADS = """
import hashlib, sys
sys.path[:0] = [{tests!r}, {sweeps!r}]
import numpy as np
from sweep_cases import daily_market, random_weights
from allocator.engine import Band, BuyAndHold, Monthly
from allocator.sweeps import sweep
from allocator.sweeps.lanes import product

market = daily_market(500, 6)
weights = random_weights(1000, market.assets)
table = sweep(weights, market, rebalancing=[Monthly(), BuyAndHold(), Band(0.05)])
made = hashlib.sha256(table.select_dtypes("number").to_numpy().tobytes())
rng, wide = np.random.default_rng(0), np.empty((64, 500))  # this shape OpenBLAS does differently on threads
product(rng.uniform(size=(64, 40)), rng.uniform(size=(40, 500)), wide)
made.update(wide.tobytes())
print(made.hexdigest())
"""


def test_the_threads_of_the_blas_change_no_bit():
    here = os.path.dirname(__file__)
    code, said = MANY_THREADS.format(tests=os.path.dirname(here), sweeps=here), []
    for threads in ("1", "4"):
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
        options = {"capture_output": True, "text": True, "check": True, "env": environment}
        said.append(subprocess.run([sys.executable, "-c", code], **options).stdout)
    assert len(said[0].strip()) == 64
    assert said[0] == said[1]


def test_a_refusal_in_another_process_names_the_run(processes):
    market = daily_market(60)
    chosen = [FixedMix({"A": 1.0}), Broken(after=30)]
    with pytest.raises(StrategyError, match=r"ZeroDivisionError: no idea \(in run 1: portfolio 1, 'broken'"):
        sweep(chosen, market, executor=processes)


class Counting(cf.Executor):
    """Runs a block when its result is asked for, and counts how many wait."""

    _max_workers = 2

    def __init__(self):
        self.pool, self.waiting, self.most = cf.ThreadPoolExecutor(2), 0, 0

    def submit(self, function, /, *arguments, **options):
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        future = self.pool.submit(function, *arguments, **options)
        future.add_done_callback(self._done)
        return future

    def _done(self, future):
        self.waiting -= 1


def test_blocks_are_handed_out_a_few_at_a_time():
    executor = Counting()
    assert_identical(one(executor, block=2), one(block=2))
    assert executor.most <= 4
    executor.pool.shutdown()


def peak_memory(n_portfolios):
    market = daily_market(500)
    weights = random_weights(n_portfolios, market.assets)
    sweep(weights.iloc[:200], market, block=100)
    tracemalloc.start()
    try:
        table = sweep(weights, market, block=100)
        return tracemalloc.get_traced_memory()[1] - table.memory_usage().sum()
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_portfolios():
    # A path of 500 values for each of 4,000 portfolios would be 16 MB; tables and numbers are 0.3 kB each.
    few, many = peak_memory(400), peak_memory(4400)
    assert many - few < 4000 * 500


def test_blocks_change_nothing_but_the_last_digits():
    for block in (1, 13, 1000):
        np.testing.assert_allclose(one(block=block)["sharpe"], one()["sharpe"], rtol=1e-11)


def test_strategies_run_in_processes_too(processes):
    market = daily_market(100)
    chosen = [Chaser(), Chaser(0.5), FixedMix({"A": 0.5})]
    assert_identical(sweep(chosen, market, executor=processes), sweep(chosen, market))
