"""Every answer under many surroundings: ``python tests/determinism/matrix.py [NAME ...]``.

Each of the threads, hash seeds, locales, time zones, ``-O`` and another folder alone, and then all at once,
against one thread in the C locale in UTC.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from surroundings import Surroundings, answered, differing, locales, started

PLAIN = Surroundings()
ALONE = [
    *(Surroundings(threads=n) for n in (2, 4)),
    *(Surroundings(hash_seed=seed) for seed in (1, 12345)),
    *(Surroundings(zone=zone) for zone in ("America/New_York", "Asia/Kathmandu", "Pacific/Apia")),
    Surroundings(locale="C.UTF-8"),
    Surroundings(optimised=True),
    Surroundings(elsewhere=True),
]
_AT_ONCE = 2


def main(names: Sequence[str]) -> int:
    """Print a line for each surrounding; return 1 where an answer differs."""
    others = [*ALONE, *(Surroundings(locale=name) for name in locales())]
    foreign = next(iter(locales()), "C.UTF-8")
    others.append(Surroundings(4, 12345, foreign, "Asia/Kathmandu", optimised=True, elsewhere=True))
    with started([PLAIN], names) as running:
        plain = answered(running[0][1])
    print(f"{PLAIN}: {len(plain['bytes'])} answers by their bytes, {len(plain['numbers'])} to 1e-12")
    wrong = 0
    for first in range(0, len(others), _AT_ONCE):
        with started(others[first : first + _AT_ONCE], names) as running:
            for one, process in running:
                found = differing(plain, answered(process))
                wrong += bool(found)
                print(f"{one}: {', '.join(found) or 'the same'}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
