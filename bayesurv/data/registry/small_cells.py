"""Cells so small that they tell of single patients, and the wider intervals that remove them.

Of a pattern in an interval, each of these is to be 0 or at least K: patients at risk; whose
follow-up begins or ends in it, and begins or ends within it rather than at a cut; events; and ends
without an event. Were one patient to leave an interval, the person-time less that of those who
stay would be that patient's own time.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bayesurv.data.registry.tally import Tally


@dataclass(frozen=True)
class Small:
    """A small cell: endpoint, levels of its pattern, interval from 1, and what is few in it."""

    endpoint: str
    levels: str
    interval: str
    what: str


WHAT = (
    "at risk",
    "beginning",
    "beginning within",
    "ending",
    "ending within",
    "with the event",
    "ending without it",
)


def quantities(tally: Tally) -> np.ndarray:
    """What is judged, (quantity, pattern, interval), in the order of WHAT."""
    return np.array(
        [
            tally.at_risk,
            tally.entered,
            tally.entered - tally.at_start,
            tally.ended,
            tally.ended - tally.at_stop,
            tally.events,
            tally.ended - tally.events,
        ]
    )


def small(tally: Tally, fewest: int) -> np.ndarray:
    """Which cells, (pattern, interval), hold a number from 1 to `fewest` - 1."""
    numbers = quantities(tally)
    return ((numbers > 0) & (numbers < fewest)).any(axis=0)


def list_small(tallies: Mapping[str, Tally], fewest: int) -> list[Small]:
    """Every small cell, by endpoint, pattern and interval."""
    found = []
    for endpoint, tally in tallies.items():
        numbers = quantities(tally)
        edges = [f"{edge:g}" for edge in (0.0, *tally.cuts)]
        for pattern, interval in np.argwhere(small(tally, fewest)):
            few = [
                f"{count} {what}"
                for count, what in zip(numbers[:, pattern, interval], WHAT, strict=True)
                if 0 < count < fewest
            ]
            stop = f"{edges[interval + 1]}]" if interval + 1 < len(edges) else "end)"
            where = f"({edges[interval]}, {stop}"
            found.append(Small(endpoint, levels(tally, pattern), where, ", ".join(few)))
    return found


def levels(tally: Tally, pattern: int) -> str:
    """A pattern in words, such as "cti2 1, stage II"."""
    row = tally.patterns.iloc[pattern]
    named = (f"{n} {v:g}" if isinstance(v, float) else f"{n} {v}" for n, v in row.items())
    return ", ".join(named) or "everyone"


def never_enough(tally: Tally, fewest: int) -> np.ndarray:
    """Patterns, (pattern,), that stay small even in one interval from 0 on."""
    while tally.cuts:
        tally = tally.merged(len(tally.cuts) - 1)
    return small(tally, fewest)[:, 0]


def coarsened(tallies: Mapping[str, Tally], fewest: int) -> dict[str, Tally]:
    """Join neighbouring intervals, for all endpoints alike, until joining more removes nothing.

    Each step takes the cut away whose removal leaves the fewest small cells, and of those the one
    between the intervals with the least person-time. Patterns that stay small even in a single
    interval are left out of the count: no interval is wide enough for them.
    """
    made = dict(tallies)
    judged = {name: ~never_enough(tally, fewest) for name, tally in made.items()}

    def left(candidate: Mapping[str, Tally]) -> int:
        return sum(int(small(t, fewest)[judged[name]].sum()) for name, t in candidate.items())

    while left(made) and (cuts := next(iter(made.values())).cuts):
        candidates = [
            {name: tally.merged(position) for name, tally in made.items()}
            for position in range(len(cuts))
        ]
        spent = np.sum([tally.person_time.sum(axis=0) for tally in made.values()], axis=0)
        cost = [(left(c), spent[i] + spent[i + 1]) for i, c in enumerate(candidates)]
        made = candidates[min(range(len(cuts)), key=cost.__getitem__)]
    return made
