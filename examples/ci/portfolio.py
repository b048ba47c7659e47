"""The portfolio that this project guards: stocks, bonds and gold, less of what has just fallen."""

from dataclasses import dataclass

import allocator as al

ASSETS = ("stocks", "bonds", "gold")


@dataclass(frozen=True)
class ThreeWay(al.Strategy):
    """A fixed mix; an asset below its own mean over a span is held by half, the rest is cash."""

    mix: tuple[float, ...] = (0.5, 0.3, 0.2)
    years: float = 10.0
    name: str = "Three-way"

    def weights(self, past: al.Market) -> dict[str, float]:
        returns = past.window(ASSETS, self.years)  # waits until there is a full window
        is_weak = returns[-1] < returns.mean(axis=0)
        return {
            asset: share / 2 if weak else share
            for asset, share, weak in zip(ASSETS, self.mix, is_weak, strict=True)
        }


def three_way() -> al.Backtest:
    """Run it on yearly US history up to a fixed date, so that new data do not move it."""
    return al.run_backtest(ThreeWay(), al.load_us_history(), end="2020", costs=al.Costs(trading=0.001))
