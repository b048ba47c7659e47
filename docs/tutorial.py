# ---
# jupyter:
#   jupytext:
#     text_representation:
#       format_name: percent
# ---

# %% [markdown]
# # Tutorial: from data to an answer
#
# Does a stock–bond portfolio still diversify, and does gold help? This page goes from five lines to an
# answer on your own prices. Its code ran when the page was built, and what stands below each cell is what it
# printed. To run it yourself: `python docs/tutorial.py`, or open the file as a notebook (Jupytext).
#
# ## Five lines
#
# The library carries a yearly history of US stocks, bonds, gold, bills and inflation since 1928, so that
# nothing has to be found or downloaded first.

# %%
import allocator as al
from strategies import GoldDiversified, RiskParity, SixtyForty

market = al.load_us_history()
study = al.compare([SixtyForty(), RiskParity(), GoldDiversified()], market)
study

# %% [markdown]
# How to read it:
#
# * **± is one standard error** of that Sharpe ratio alone. The strategies hold much the same assets, so two
#   overlapping ± say nothing about a difference. The rows below test the difference from the first column.
# * **The window is common.** Risk parity needs a history to estimate from, so that all three begin where
#   it can, and the footer says so.
# * **The footer is part of the answer**: timing, costs, what cash earned, how the ratio was computed.
#
# The same as a picture. Charts are functions; they return Matplotlib's Axes.

# %%
al.plot_growth(study).figure

# %%
al.plot_drawdown(study).figure

# %% [markdown]
# ## Costs, and borrowed money
#
# Costs are never off by accident: five basis points of what is traded, and borrowing at cash plus half a
# percent, unless you say otherwise. A levered portfolio shows what that means. The weights below sum to
# 150 %, of which 50 % are borrowed. The market is a simulated daily one, and all that is made of it says so.

# %%
daily = al.simulate_market(seed=1)
levered = al.FixedMix({"stocks": 0.6, "bonds": 0.9}, name="levered")
for costs in (al.Costs(borrow_spread=0.0), al.Costs(), al.Costs(trading=0.002, borrow_spread=0.02)):
    backtest = al.run_backtest(levered, daily, costs=costs)
    print(f"{costs}\n    CAGR {al.cagr(backtest.returns):.2%} a year\n")

# %% [markdown]
# Every item adds up to the change of value, on every date:

# %%
backtest.itemised.sum().round(4)

# %% [markdown]
# On daily data a decision trades one row later (`lag=1`), because the close that it was made on is gone.
# [Why the lag](explanation/lag.md) says what difference that makes.
#
# ## Regimes
#
# How do stocks and bonds move together when inflation is high? Labels say how they were made and
# whether one could have known them at the time; `ex_post=True` asks for labels that describe the past, which
# is right for a description and refused in a backtest.

# %%
returns = market.returns
regimes = al.inflation_level(market, threshold=0.03, ex_post=True)
al.conditional_correlation(returns["stocks"], returns["bonds"], regimes)

# %% [markdown]
# The interval of each regime comes from blocks of whole years; Fisher's, which takes years as independent,
# stands beside it as the naive one. The line below tests whether the regimes differ at all. Name two
# assets of the comparison, and it is done for all the regimes that its market has signals for:

# %%
in_regimes = al.study_regimes(study, "stocks", "bonds")
al.plot_regime_correlation(in_regimes).figure

# %% [markdown]
# ## Gold
#
# The same portfolio with and without gold, from 1975 on: before, Americans could not own it. The test is of
# the difference of the two Sharpe ratios, by the studentised block bootstrap of Ledoit and Wolf (2008).

# %%
without = GoldDiversified(gold_weight=0.0, name="without gold")
pair = al.compare([without, GoldDiversified()], market, start="1975")
gold_free, golden = (run.returns for run in pair.backtests)
al.sharpe_difference(golden, gold_free, pair.backtests[0].cash_returns)

# %% [markdown]
# And for several weights at once. A p-value that is corrected for their number stands
# beside each.

# %%
mix = {"stocks": 0.6, "bonds": 0.4}
al.weight_curve(market, mix, "gold", [0.1, 0.2, 0.3], funded_from="bonds", start="1975")

# %% [markdown]
# Undecided is the usual answer, and an honest one: half a century of years is some fifty numbers.
#
# ## Your own data
#
# A file with a date column and a column of total-return price levels an asset is enough. Here one is made
# first, to have something to read.

# %%
import tempfile
from pathlib import Path

folder = Path(tempfile.mkdtemp())
daily.prices[["stocks", "bonds", "gold"]].rename_axis("date").to_csv(folder / "prices.csv")

prices = al.read_prices(folder / "prices.csv")
# cash: 2 % a year, or a Series of its returns; simulated, because these prices are
own = al.Market(prices, cash=0.02, name="my prices", simulated=True)
own

# %%
al.compare([SixtyForty(), RiskParity(), GoldDiversified(global_assets=())], own, rebalancing=al.Quarterly())

# %% [markdown]
# What is wrong with data is refused, with the place and a way out, never mended in silence:

# %%
broken = prices.copy()
broken.iloc[700, 2] = 0.0
try:
    al.Market(broken, cash=0.02)
except al.InputError as refusal:
    print(refusal)

# %% [markdown]
# ## Before you believe it
#
# One call asks the strategy again in worlds that differ only in the future. What changes would be look-ahead.

# %%
al.audit_causality(RiskParity(("stocks", "bonds", "gold")), own, every=12)

# %% [markdown]
# ## From here
#
# * [Your own data](howto/own_data.md), [your own strategy](own_strategy.md),
#   [your own regimes](howto/own_regimes.md), [costs and financing](howto/costs.md)
# * [Why the lag](explanation/lag.md), [regimes known only later](explanation/regimes.md),
#   [why risk parity needs financing](explanation/financing.md)
# * [All strategies](strategies.md), and [every convention](conventions.md)
