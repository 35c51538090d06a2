"""Number of patients at which a study succeeds with the probability that is asked for."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd

from bayesurv.planning.characteristics import ASSURANCE, CHANCES, FINAL, OVERALL, TYPE_I
from bayesurv.planning.monte_carlo import REACH

FARTHEST = 4.0  # so many times the largest study simulated is as far as the curve is followed
COLUMNS = ("scenario", "hazard_ratio", "look", "threshold", "target", "patients", "lower", "upper")


@dataclass(frozen=True)
class Curve:
    """The probability of success over the number of patients, Phi(level + slope sqrt(n)).

    covariance : of level and slope, from the Monte Carlo error of the simulated shares.
    """

    level: float
    slope: float
    covariance: np.ndarray

    def patients(self, target: float) -> tuple[float, float, float]:
        """Number of patients at which the target is reached, and its 95% interval."""
        root = (NormalDist().inv_cdf(target) - self.level) / self.slope
        slopes = np.array([-1.0, -root]) / self.slope
        error = float(np.sqrt(slopes @ self.covariance @ slopes))
        return root**2, max(root - REACH * error, 0.0) ** 2, (root + REACH * error) ** 2


def fit_curve(patients: np.ndarray, success: np.ndarray, studies: np.ndarray) -> Curve:
    """Fit the curve to shares of success, each `(size,)`, by weighted least squares of probits.

    With half a success and half a failure added to each share, so that 0 and 1 have a probit. Where
    only the noise in an estimate falls, as 1/sqrt(n), the power of a test of fixed size is this
    curve exactly.
    """
    adjusted = (success * studies + 0.5) / (studies + 1)
    probit = np.array([NormalDist().inv_cdf(float(p)) for p in adjusted])
    density = np.exp(-(probit**2) / 2) / np.sqrt(2 * np.pi)
    variance = adjusted * (1 - adjusted) / studies / density**2
    terms = np.stack([np.ones(len(patients)), np.sqrt(patients)], axis=1)
    information = terms.T @ (terms / variance[:, None])
    covariance = np.linalg.inv(information)
    level, slope = covariance @ (terms.T @ (probit / variance))
    return Curve(float(level), float(slope), covariance)


def sample_sizes(table: pd.DataFrame, target: float) -> pd.DataFrame:
    """Patients needed for the target power or assurance, for each scenario and threshold.

    Columns scenario, hazard_ratio, look, threshold, target, patients (rounded up; empty where the
    target is not reached), lower, upper (95%, of the Monte Carlo error), remark. `table` is that of
    `characteristics`.
    """
    asked = table[table["quantity"].isin(CHANCES) & (table["quantity"] != TYPE_I)]
    asked = asked[asked["look"].isin([FINAL, OVERALL])]
    rows = []
    keys = ["scenario", "hazard_ratio", "look", "threshold"]
    for place, group in asked.groupby(keys, sort=False, dropna=False):
        own = dict(zip(keys, place, strict=True)) | {"target": target}
        rows.append(own | _needed(group.sort_values("patients"), target))
    return pd.DataFrame(rows, columns=[*COLUMNS, "remark"])


def _needed(group: pd.DataFrame, target: float) -> dict[str, object]:
    """Patients needed in one scenario, from its rows of rising numbers of patients."""
    nothing: dict[str, object] = {"patients": np.nan, "lower": np.nan, "upper": np.nan}
    sizes, success = group["patients"].to_numpy(float), group["estimate"].to_numpy()
    reached = bool((success >= target).any())
    if len(sizes) < 2:
        how = f"{'reached' if reached else 'not reached'} with {sizes[0]:g} patients"
        return nothing | {"remark": f"{how}; simulate two numbers of patients or more"}
    if success[0] >= target:
        said = f"reached with the fewest patients simulated, {sizes[0]:g}"
        return nothing | {"upper": sizes[0], "remark": said}
    curve = fit_curve(sizes, success, group["studies"].to_numpy(float))
    if curve.slope <= 0:
        said = "not reached: success does not become more frequent with more patients"
        return nothing | {"remark": said}
    needed, lower, upper = curve.patients(target)
    found = {"patients": np.ceil(needed), "lower": np.floor(lower), "upper": np.ceil(upper)}
    if needed <= sizes[-1]:
        return found | {"remark": ""}
    said = f"not reached with {sizes[-1]:g} patients, the most that were simulated"
    assurance = group["quantity"].iloc[0] == ASSURANCE
    if assurance or needed > FARTHEST * sizes[-1]:
        return nothing | {"remark": said}
    return found | {"remark": f"{said}; extrapolated"}
