# ---
# jupyter:
#   jupytext:
#     text_representation:
#       format_name: percent
# ---

# %% [markdown]
# # How much gold?
#
# A sweep over gold weights and rules on a simulated daily market, one row a run. The same table for your own
# prices: make a Market of them. Read the ± of each ratio beside it, and mind how many rows were tried before
# choosing the best of them.

# %%
import numpy as np
import pandas as pd

import allocator as al

market = al.simulate_market(seed=1)
gold = np.linspace(0.0, 0.4, 9)
mixes = pd.DataFrame({"stocks": 0.6, "bonds": 0.4 - gold, "gold": gold}, index=[f"{g:.0%}" for g in gold])
table = al.sweep(mixes, market, rebalancing=[al.Monthly(), al.Yearly(), al.Band(0.05)])
print(table.pivot_table(index="gold", columns="rebalancing", values="sharpe").round(2).to_string())
shown = ["gold", "rebalancing", "sharpe", "sharpe_se", "max_drawdown", "turnover"]
print(table[shown].head(6).round(3).to_string())
print(*table.attrs["conventions"], sep="\n")
