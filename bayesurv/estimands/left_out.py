"""Each patient as predicted by the posterior of all the others."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bayesurv.estimands.curves import predictor
from bayesurv.estimands.patients import FollowUp, Walk, follow_up
from bayesurv.fitting import Fit
from bayesurv.refitting import leave_out

TIE = 1e-9


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Draws weighted by Pareto-smoothed 1 / likelihood of the patient who is predicted.

    weights : (draw, patient) adding up to 1 for each patient.
    pareto_k : (patient,) above 0.7 the weights are unreliable.
    """

    fit: Fit
    follow: FollowUp
    weights: np.ndarray
    pareto_k: np.ndarray

    @classmethod
    def of(cls, fit: Fit) -> "LeftOut":
        """Weigh the draws of a fit, in turn without each patient."""
        found = [leave_out(fit, [i], exact=False) for i in range(fit.n_patients)]
        weights = np.stack([each.weights.reshape(-1) for each in found], axis=-1)
        return cls(fit, follow_up(fit), weights, np.array([each.pareto_k for each in found]))

    def survival(self, time: np.ndarray) -> np.ndarray:
        """Predicted survival from entry to each patient's own time, `(patient,)` both."""
        return np.einsum("sp,sp->p", self.weights, np.exp(-self._walk.hazard(time)))

    def riskier(self) -> np.ndarray:
        """1 where one row's linear predictor is above another's, 0.5 where equal, `(row, row)`.

        Each pair is predicted by all patients but those two: were only one left out, patients
        with the same covariates would differ, the one who failed early being predicted the better
        for it. The weights of a pair are the product of its two patients'.

        Source: Airola et al., Computational Statistics and Data Analysis 2011.
        """
        eta = predictor(self.fit, self.fit.design.rows)
        eta = eta.reshape(-1, eta.shape[-1])
        owner = self.fit.draws["constant_data"]["individual"].to_numpy()
        weights = self.weights[:, owner]
        cross = (weights * eta).T @ weights
        ahead = (cross - cross.T) / (weights.T @ weights)
        return np.where(np.abs(ahead) < TIE, 0.5, ahead > 0)

    @cached_property
    def _walk(self) -> Walk:
        return Walk(self.fit, self.follow)
