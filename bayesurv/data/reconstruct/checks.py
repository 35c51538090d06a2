"""Aggregates that cannot all hold, each clash with what it is between."""

from collections.abc import Iterator

from bayesurv.data.reconstruct.summary import Summary


def clashes(summary: Summary) -> Iterator[str]:
    """Every clash, in words."""
    yield from ()
