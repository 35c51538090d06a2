"""How near a reconstructed cohort is to the curve and the numbers at risk it was made from."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import ks_2samp

from bayesurv.data.digitised import Digitised
from bayesurv.frequentist.kaplan_meier import KaplanMeier


@dataclass(frozen=True, eq=False)
class Agreement:
    """Reconstructed minus given, of one arm.

    Parameters
    ----------
    points : int
        Number of digitised points.
    rmse, mean_absolute_error, max_absolute_error : float
        Of survival at the points: root of the mean square, mean and largest absolute difference.
    ks_p : float
        Two-sample Kolmogorov-Smirnov P of the two sets of survival values. Points are no patients,
        and a long flat part that is 0.002 off makes P small: the errors tell more.
    at_risk : array, (number,)
        Patients at risk, reconstructed minus printed.
    """

    points: int
    rmse: float
    mean_absolute_error: float
    max_absolute_error: float
    ks_p: float
    at_risk: np.ndarray


def agreement(curve: Digitised, reconstructed: KaplanMeier) -> Agreement:
    """Compare the Kaplan-Meier estimate of reconstructed patients with the curve they are from.

    Source: the statistics that Liu, Zhou and Lee, BMC Medical Research Methodology 2021, report.
    """
    given = curve.survival[1:]  # the first, (0, 1), was not read
    again = reconstructed.survival_at(curve.time[1:])
    error = again - given
    values = np.round(given, 3), np.round(again, 3)  # no figure is read more finely
    return Agreement(
        points=len(given),
        rmse=float(np.sqrt(np.mean(error**2))),
        mean_absolute_error=float(np.mean(abs(error))),
        max_absolute_error=float(abs(error).max()),
        ks_p=float(ks_2samp(*values, method="asymp").pvalue) if len(given) > 1 else np.nan,
        at_risk=reconstructed.at_risk(curve.risk_time) - curve.at_risk,
    )
