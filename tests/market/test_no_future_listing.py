"""What a past market says of an asset that is not listed yet: nothing, not even when it will be."""

import numpy as np
import pandas as pd

from allocator import Market
from allocator.market.market import cut


def market(first_price, listed_row):
    dates = pd.bdate_range("2020-01-01", periods=60)
    late = np.where(np.arange(60) < listed_row, np.nan, first_price + np.arange(60.0))
    return Market(pd.DataFrame({"old": np.linspace(100.0, 120.0, 60), "late": late}, index=dates), cash=0.01)


def test_neither_the_first_price_nor_the_date_of_listing_is_there_before():
    soon, later = cut(market(50.0, 30), 20), cut(market(7.0, 45), 20)
    for one, other in ((soon.levels, later.levels), (soon.listed_from, later.listed_from)):
        np.testing.assert_array_equal(one, other)
    assert repr(soon) == repr(later)
    assert not soon.listed("late")
    assert cut(market(50.0, 30), 31).listed("late")
