"""How do portfolios do if a debt is handled by growth, inflation, monetization or tightening? SIMULATED.

Every year of a simulated path is a whole year of US history with that label. Read how few years those are
before the numbers, and compare the two samples: what is drawn from matters more than how often.
"""

import allocator as al
from strategies import GoldDiversified, RiskParity, SixtyForty

print(al.debt_scenario("inflation"))
print()
print(al.simulate_scenarios("inflation").debt)

strategies = [SixtyForty(), RiskParity(), GoldDiversified(global_assets=())]
for since in (1940, 1972):
    history = al.scenario_history(since=since)
    regimes = ("growth", "inflation", "monetization", "tightening")
    worlds = {
        f"{regime} since {since}": al.simulate_scenarios(regime, 500, history=history) for regime in regimes
    }
    print()
    print(al.run_scenarios(strategies, worlds))
