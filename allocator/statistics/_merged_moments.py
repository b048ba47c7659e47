"""Second moments of long stretches of rows, merged from those of short ones without losing digits.

Two groups with weights v and w, means m and p, and centred products C and D merge to C + D + d d' vw/(v + w),
d = p - m: Chan, Golub and LeVeque (1983), The American Statistician 37(3). Every term is positive
semidefinite, so that nothing cancels, however large the means and however wild the rows that were left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from allocator.statistics._one_thread import gram, is_left_to_one_thread, product
from allocator.statistics._returns import FloatArray

__all__ = ["Merged", "Stretches", "add_merged", "blocks_of", "total_weight"]

Rows = NDArray[np.int64]
_NUMBERS_AT_ONCE = 2**17  # 1 MB stays in a cache
_LONGEST = 64  # rows of a piece
_UNEVEN = 1.5  # times the median stretch: what is longer is cut, so that little is padded


@dataclass(frozen=True, eq=False)
class Stretches:
    """Rows ``start`` to ``stop`` (excluded), in the order in which they are merged; each (n_stretches,).

    ``is_first``: nothing before is merged with it; only such a stretch may be empty. ``into``: the number of
    the matrix to which all so far is added.
    """

    start: Rows
    stop: Rows
    is_first: NDArray[np.bool_]
    into: Rows


@dataclass(frozen=True, eq=False)
class Merged:
    """Total weight, shape (n_matrices,), and mean, (n_matrices, n_assets), of what each matrix was given.

    A mean is the sum of a return that was seen and a small offset: means that dwarf the volatility can be
    subtracted from each other without losing its digits.
    """

    weight: FloatArray
    seen: FloatArray
    offset: FloatArray


@dataclass(frozen=True, eq=False)
class _Pieces:
    """Stretches cut to like lengths; each (n_pieces,).

    ``into`` is -1 for a piece that completes no stretch; ``fade`` what the weight of all before is
    multiplied by; ``before`` the weight of it then, ``total`` with the piece's own ``weight``.
    """

    start: Rows
    stop: Rows
    into: Rows
    fade: FloatArray
    weight: FloatArray
    before: FloatArray
    total: FloatArray

    def part(self, which: slice | NDArray[np.bool_]) -> _Pieces:
        return _Pieces(*(getattr(self, field.name)[which] for field in fields(self)))


def add_merged(matrices: FloatArray, values: FloatArray, stretches: Stretches, decay: float = 0.0) -> Merged:
    """Merge one stretch after the other and add the centred products of all so far to its matrix.

    Parameters
    ----------
    matrices
        Shape (n_matrices, n_assets, n_assets); changed in place.
    values
        Shape (n_periods, n_assets).
    stretches
        One for each matrix.
    decay
        A row weighs 2**(-decay × rows between it and the last one); 0 weighs all alike.
    """
    pieces = _cut(stretches, decay)
    n_matrices, n_assets, _ = matrices.shape
    merged = Merged(np.empty(n_matrices), np.empty((n_matrices, n_assets)), np.empty((n_matrices, n_assets)))
    seen, offset, matrix = np.zeros(n_assets), np.zeros(n_assets), np.zeros((n_assets, n_assets))
    ages = np.arange(int((pieces.stop - pieces.start).max()) + 1)
    for which in blocks_of(len(pieces.weight), n_assets * max(len(ages), n_assets)):
        part = pieces.part(which)
        block, lasts, path = _centred(values, part, seen, offset, ages, decay)
        matrix = _add_products(matrices, block, part, matrix)
        seen, offset, is_end = lasts[-1], path[-1], part.into >= 0
        into = part.into[is_end]
        merged.weight[into] = part.total[is_end]
        merged.seen[into], merged.offset[into] = lasts[is_end], path[is_end]
    return merged


def blocks_of(n_items: int, numbers_each: int) -> Iterator[slice]:
    """Yield slices of items that together hold as many numbers as a cache does, at least one item."""
    step = max(1, _NUMBERS_AT_ONCE // numbers_each)
    return (slice(i, i + step) for i in range(0, n_items, step))


def total_weight(n_rows: Rows, decay: float) -> FloatArray:
    """Return the weight of so many rows, of which the last one weighs 1: a geometric sum."""
    if not decay:
        return n_rows.astype(np.float64)
    rate = -decay * np.log(2.0)
    return np.asarray(np.expm1(rate * n_rows) / np.expm1(rate))


def _cut(stretches: Stretches, decay: float) -> _Pieces:
    length = stretches.stop - stretches.start
    longest = int(np.clip(np.ceil(_UNEVEN * np.median(length)), 1, _LONGEST))
    count = np.maximum(-(-length // longest), 1)
    number = np.repeat(np.arange(len(count)), count)
    place = np.arange(len(number)) - np.repeat(np.cumsum(count) - count, count)
    start = stretches.start[number] + place * longest
    stop = np.minimum(start + longest, stretches.stop[number])
    into = np.where(place == count[number] - 1, stretches.into[number], -1)
    begins = stretches.is_first[number] & (place == 0)
    fade = np.where(begins, 0.0, np.exp2(-decay * (stop - start)))
    weight = total_weight(stop - start, decay)
    return _Pieces(start, stop, into, fade, weight, *_running_weights(fade, weight))


def _running_weights(fade: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    before, so_far = [], 0.0
    for kept, added in zip(fade.tolist(), weight.tolist(), strict=True):
        before.append(so_far * kept)
        so_far = before[-1] + added
    return np.array(before), np.array(before) + weight


def _centred(
    values: FloatArray, part: _Pieces, seen: FloatArray, offset: FloatArray, ages: Rows, decay: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return blocks of rows whose products are to be added up, and the mean after each piece was merged.

    A block has the shape (n_pieces, len(ages), n_assets): rows centred and times the root of their weight,
    zero where a piece is short, and in the last row the d of the merger. The mean is given, (n_assets,), and
    returned, (n_pieces, n_assets), as the last return of a piece and the offset from it.
    """
    rows = part.stop[:, None] - 1 - ages  # from the last row of a piece to rows before it, which weigh 0
    weight = np.where(rows >= part.start[:, None], np.exp2(-decay * ages), 0.0)
    block = values.take(rows, axis=0, mode="clip")
    lasts = block[:, 0].copy()
    block -= lasts[:, None, :]
    own = _weighted_sums(weight, block) / np.maximum(part.weight, 1.0)[:, None]
    block -= own[:, None, :]
    block *= np.sqrt(weight)[:, :, None]
    share = part.weight / np.maximum(part.total, 1.0)  # the last row of a piece that has one weighs 1
    moved = np.concatenate([[seen], lasts[:-1]]) - lasts
    path = _offsets(own, moved, share, offset)
    gap = own - moved - np.concatenate([[offset], path[:-1]])
    block[:, -1] = gap * np.sqrt(part.before * share)[:, None]
    return block, lasts, path


def _offsets(own: FloatArray, moved: FloatArray, share: FloatArray, offset: FloatArray) -> FloatArray:
    """Return the offset of the mean after each merger, shape (n_pieces, n_assets).

    ``own`` is that of the piece alone, and ``moved`` by how much what offsets are measured from was greater
    before, all of that shape; ``offset`` is that before the first, and ``share`` the weight of the piece in
    the sum, (n_pieces,).
    """
    path = own * share[:, None] + moved * (1.0 - share)[:, None]
    for now, kept in zip(path, (1.0 - share).tolist(), strict=True):
        now += kept * offset
        offset = now
    return path


def _add_products(matrices: FloatArray, block: FloatArray, part: _Pieces, matrix: FloatArray) -> FloatArray:
    """Add up the products of the blocks, from ``matrix`` on, and return the last sum."""
    products = _products(block)
    for added, kept, number in zip(products, part.fade.tolist(), part.into.tolist(), strict=True):
        if kept:
            added += matrix if kept == 1.0 else kept * matrix
        matrix = added
        if number >= 0:
            matrices[number] += matrix
    return matrix


def _weighted_sums(weight: FloatArray, block: FloatArray) -> FloatArray:
    """Return the weighted sum of the rows of each piece, (n_pieces, n_assets)."""
    if is_left_to_one_thread(1, *block.shape[1:]):
        return np.asarray((weight[:, None, :] @ block)[:, 0])
    return np.stack([product(each, rows) for each, rows in zip(weight, block, strict=True)])


def _products(block: FloatArray) -> FloatArray:
    """Return the products of the columns of each piece, symmetric, (n_pieces, n_assets, n_assets)."""
    if is_left_to_one_thread(block.shape[2], *block.shape[1:]):
        return np.asarray(block.transpose(0, 2, 1) @ block)  # of a matrix with itself: BLAS sees it
    return np.stack([gram(rows) for rows in block])
