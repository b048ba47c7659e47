# ---
# jupyter:
#   jupytext:
#     text_representation:
#       format_name: percent
# ---

# %% [markdown]
# # Do US Treasuries still act as the pricing anchor?
#
# An article of May 2025 ("When US Treasuries no longer act as the pricing anchor", Huatai Securities)
# makes sixteen claims: gold has left Treasuries (A), because of the term premium (B), so that 60/40
# and risk parity may fail and gold helps (C), and how the debt is handled decides what comes (D).
# Each is tried here on data. The rules by which a number becomes *supported*, *contradicted* or
# *undecided* were written before the numbers were seen (docs/verdicts.md).
#
# `python examples/pricing_anchor.py DIR` does it on a folder of daily and monthly panels
# (docs/data_folder.md); without one it uses the embedded yearly history, which is too coarse for most
# claims about the time since 2022 and says so.

# %%
import sys
import warnings

import pandas as pd

import allocator as al
from strategies import RiskParity, SixtyForty

warnings.simplefilter("ignore", UserWarning)  # few rows: every table says its n
data = sys.argv[1] if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else None
board = al.score_article([SixtyForty(), RiskParity(("stocks", "bonds"))], data)
print(board)

# %% [markdown]
# Each claim is several parts, and all must hold. *Undecided* is the usual answer: four years of
# months are 54 numbers, and a correlation from 54 numbers has an interval half a unit wide.

# %%
for claim in board.claims:
    print(f"\n{claim}")

# %% [markdown]
# ## A. What still follows government bonds
#
# Correlations of changes beside those of levels, betas where Treasuries rise and where they fall, the
# dollar, equities. Alpha stands apart from the betas: an asset that simply rises looks, in levels, as
# if it refused to fall.

# %%
market = al.load_us_history()
print(al.anchor_diagnostics(market, since=("2000-01-01",)))

# %% [markdown]
# ## B. What a long yield is made of
#
# The 10-year yield is expected short rates plus a term premium (Adrian, Crump and Moench 2013;
# estimated with all data, so ex post). The share of a part in the variance of yield changes is its
# Shapley value.

# %%
signals = {name: market.signals[name].values for name in ("bond_yield", "term_premium")}
nominal, premium = (signals[name].rename(name) for name in ("bond_yield", "term_premium"))
nominal = nominal.loc[premium.index[0] :]
yields = al.decompose_yield(nominal, {"term premium": premium}, 10, ex_post=True, rest="expected rates")
print(
    al.episode_table(
        yields, {"2013": ("2012", "2013"), "2022": ("2021", "2022"), "2023-25": ("2022", "2025")}
    )
)
print(al.driver_shares(yields))

# %% [markdown]
# ## C. What gold does to a portfolio
#
# Every weight of gold against none, funded from bonds, with costs. The p-values of the family know
# that eight weights were tried.

# %%
print(al.weight_curve(market, {"stocks": 0.6, "bonds": 0.4}, "gold", funded_from="bonds", start="1972"))

# %% [markdown]
# ## D. How the debt was handled
#
# The change of the debt ratio is split into interest, growth, inflation, the primary deficit and the
# rest, to the last digit; the means that matched most of what pushed the ratio up gives a year its
# label, and a confidence says how much the label hangs on the thresholds (docs/debt.md).

# %%
debt = al.debt_regimes(al.debt_accounts(al.load_us_debt()))
labels = debt.table["label"]
for label, years in labels.groupby(labels).groups.items():
    print(f"{label:13s} {', '.join(str(year) for year in pd.DatetimeIndex(years).year)}")
print(al.debt_fan(al.debt_accounts(al.load_us_debt())))
