"""How large a benefit must be to matter, as the reader states it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bayesurv.data.faults import Fault

RATIO_MARGINS = (1.0, 0.8)


@dataclass(frozen=True)
class Margins:
    """What a benefit must exceed to matter; without a margin, 0.

    rmst : in the fit's unit of time; survival : a share, 10 points being 0.10;
    hazard_ratio : ratios below which a hazard ratio is to lie.
    """

    rmst: float | None = None
    survival: float | None = None
    hazard_ratio: tuple[float, ...] = RATIO_MARGINS

    def faults(self, horizon: float | None, unit: str) -> Iterator[Fault]:
        """What is wrong with the margins; without a horizon, apart from it."""
        below = f" and below the horizon, {horizon:g}" if horizon is not None else ""
        if self.rmst is not None and not 0 < self.rmst < (horizon or np.inf):
            message = f"rmst_margin: {self.rmst:g} is not above 0{below}; it is in {unit} of gain"
            yield Fault(message, value=self.rmst)
        if self.survival is not None and not 0 < self.survival < 1:
            message = f"survival_margin: {self.survival:g} is not between 0 and 1; it is a share"
            points = self.survival if 1 <= self.survival < 100 else 10
            yield Fault(f"{message}: {points:g} points are {points / 100:.2f}", value=self.survival)
        for ratio in self.hazard_ratio:
            if not 0 < ratio <= 1:
                message = f"hazard_ratio_margins: {ratio:g} is not above 0 and at most 1"
                yield Fault(f"{message}; a benefit is a ratio below it, as 0.8", value=ratio)


NO_MARGINS = Margins()
