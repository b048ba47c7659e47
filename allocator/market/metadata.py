"""What the columns of a table are: kinds of prices and currencies, which only the caller can know."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from allocator.errors import InputError, message

__all__ = ["PriceKind", "checked_currency", "checked_kinds", "metadata_notes"]

PriceKind = Literal["total return", "price", "excess return"]
_MEANINGS = {
    "total return": "with dividends and coupons",
    "price": "without them",
    "excess return": "over cash, as futures have it",
}
_MOST_NAMED = 8


def checked_kinds(kinds: Any, assets: Sequence[str]) -> dict[str, str]:
    """Return the kind of each asset's prices, nothing where none is given.

    Raises
    ------
    InputError
        For a kind that is none, with the nearest that is one, and where not all assets are named.
    """
    given = _by_asset("kinds", kinds, assets, "total return")
    known = get_args(PriceKind)
    for asset, kind in given.items():
        if kind not in known:
            near = difflib.get_close_matches(str(kind).replace("_", " ").replace("-", " ").lower(), known, 1)
            fix = f"did you mean {near[0]!r}?" if near else f"the kinds are {', '.join(map(repr, known))}"
            raise InputError("kinds", f"{kind!r} is no kind of price", asset=asset, fix=fix)
    return given


def checked_currency(currencies: Any, assets: Sequence[str]) -> str | None:
    """Return the one currency of all assets, None where none is given.

    Raises
    ------
    InputError
        For several currencies, naming an asset of each, for what is no code, and where not all are named.
    """
    given = _by_asset("currencies", currencies, assets, "USD")
    for asset, code in given.items():
        if not isinstance(code, str) or len(code) != 3 or not code.isascii() or not code.isupper():
            fix = "write its three letters: 'USD', 'EUR', 'GBP'"
            raise InputError("currencies", f"{code!r} is no code of a currency", asset=asset, fix=fix)
    firsts: dict[str, str] = {}
    for asset, code in given.items():
        firsts.setdefault(code, asset)
    if len(firsts) > 1:
        texts = [f"{asset!r} is in {code}" for code, asset in firsts.items()]
        home = next(iter(firsts))
        raise InputError(
            "currencies",
            f"several in one market: {', '.join(texts)}",
            fix=f"al.to_base_currency(prices, fx, '{home}', currencies=...) makes them one, "
            f"and then currencies='{home}'",
        )
    return next(iter(firsts), None)


def metadata_notes(kinds: Mapping[str, str], currency: str | None, assets: Sequence[str]) -> tuple[str, ...]:
    """Return a line of what all assets are, and one that names those of each kind if there are several."""
    groups: dict[str, list[str]] = {}
    for asset in assets:
        if asset in kinds:
            groups.setdefault(kinds[asset], []).append(asset)
    shared = [*(groups if len(groups) == 1 else ()), *([f"in {currency}"] if currency else [])]
    about = (f"prices: {', '.join(shared)}",) if shared else ()
    if len(groups) < 2:
        return about
    texts = [f"{kind} ({_MEANINGS[kind]}): {_named(names)}" for kind, names in groups.items()]
    fix = "compare within a kind; what pays nothing, such as gold, is 'total return' as it is"
    return (*about, message("kinds", f"mixed, {'; '.join(texts)}", fix=fix))


def _named(assets: list[str]) -> str:
    more = f" and {len(assets) - _MOST_NAMED:,} more" if len(assets) > _MOST_NAMED else ""
    return ", ".join(map(repr, assets[:_MOST_NAMED])) + more


def _by_asset(argument: str, given: Any, assets: Sequence[str], example: str) -> dict[str, Any]:
    """Return what is said of each asset: one text for all, or a mapping that names each."""
    if given is None:
        return {}
    if isinstance(given, str):
        return dict.fromkeys(assets, given)
    if not isinstance(given, Mapping):
        problem = f"expected text for all assets or a mapping of asset to text, got {type(given).__name__}"
        raise InputError(argument, problem, fix=f"{argument}={{{assets[0]!r}: {example!r}, ...}}")
    columns = set(assets)
    for name in given:
        if name not in columns:
            near = difflib.get_close_matches(str(name), assets, 1)
            fix = f"did you mean {near[0]!r}?" if near else f"the assets are {_named(list(assets))}"
            raise InputError(argument, f"names {name!r}, which is no column of prices", fix=fix)
    lacking = [asset for asset in assets if asset not in given]
    if lacking:
        fix = f"name each asset, or pass one for all: {argument}={example!r}"
        raise InputError(argument, "is not given", asset=lacking[0], count=len(lacking), fix=fix)
    return {asset: given[asset] for asset in assets}
