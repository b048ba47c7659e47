# ---
# jupyter:
#   jupytext:
#     text_representation:
#       format_name: percent
# ---

# %% [markdown]
# # Quickstart
#
# Does a stock–bond portfolio still diversify? Five lines from data to an answer.

# %%
import allocator as al
from strategies import GoldDiversified, RiskParity, SixtyForty

market = al.load_us_history()
study = al.compare([SixtyForty(), RiskParity(), GoldDiversified()], market)
print(study)

# %% [markdown]
# And how the stock–bond correlation depends on the regime.

# %%
returns = market.returns
regimes = al.inflation_level(market, ex_post=True)
print(al.conditional_correlation(returns["stocks"], returns["bonds"], regimes))
