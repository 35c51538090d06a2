"""Models of the same patients against each other, by how well they predict patients left out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from bayesurv.data.faults import Fault, InputError
from bayesurv.estimands.leave_one_out import LeaveOneOut, leave_one_out
from bayesurv.estimands.summary import quantiles
from bayesurv.fitting import Fit
from bayesurv.inference.compare import bootstrapped_weights, stacking_weights, standard_error
from bayesurv.refitting import needs_patients

CLEAR = 4.0  # a smaller difference in elpd is none, whatever its standard error
STANDARD_ERRORS = 2.0
BEST, INDISTINGUISHABLE, WORSE = "best", "indistinguishable", "worse"
SAME = "fit both to one endpoint of one file"


@dataclass(frozen=True, eq=False)
class ModelComparison:
    """Models by name, each with its left-out predictions of the same patients."""

    models: Mapping[str, LeaveOneOut]

    @property
    def patients(self) -> int:
        """Number of patients that all models predict."""
        return next(iter(self.models.values())).pointwise.size

    @property
    def best(self) -> str:
        """The model of the highest elpd."""
        return max(self.models, key=lambda name: self.models[name].elpd)

    @cached_property
    def weights(self) -> dict[str, float]:
        """Stacking weight of each model, see `stacking_weights`."""
        return dict(zip(self.models, stacking_weights(self._pointwise).tolist(), strict=True))

    @property
    def _pointwise(self) -> np.ndarray:
        return np.stack([found.pointwise for found in self.models.values()], axis=-1)

    @cached_property
    def table(self) -> pd.DataFrame:
        """Models from the best on.

        elpd_loo with its standard error `se` and Monte-Carlo error `mcse`; p_loo;
        elpd_difference to the best model, 0 or less, with `se_difference` over the patients'
        differences; patients_refitted; stacking weight, and the 95% interval that the Bayesian
        bootstrap of the patients gives it; verdict.
        """
        best = self.models[self.best]
        lower, _, upper = quantiles(bootstrapped_weights(self._pointwise))
        rows = []
        for i, (name, found) in enumerate(self.models.items()):
            apart = found.pointwise - best.pointwise
            difference, error = float(apart.sum()), standard_error(apart)
            row = {
                "model": name,
                "elpd_loo": found.elpd,
                "se": found.se,
                "mcse": found.total_mcse,
                "p_loo": found.p_loo,
                "elpd_difference": difference,
                "se_difference": error,
                "patients_refitted": int(found.refitted.sum()),
                "weight": self.weights[name],
                "weight_lower": lower[i],
                "weight_upper": upper[i],
                "verdict": BEST if found is best else verdict(difference, error),
            }
            rows.append(row)
        ordered = sorted(rows, key=lambda row: row["elpd_difference"], reverse=True)
        return pd.DataFrame(ordered)


def verdict(difference: float, error: float) -> str:
    """Whether a difference in elpd with its standard error tells two models apart.

    Only where it is at least 4 and beyond two standard errors: with few patients, and for models
    that predict alike, the standard error is too small.

    Source: Sivula, Magnusson, Matamoros and Vehtari, arXiv 2008.10296.
    """
    told = abs(difference) >= CLEAR and abs(difference) > STANDARD_ERRORS * error
    return WORSE if told else INDISTINGUISHABLE


def compare(fits: Mapping[str, Fit]) -> ModelComparison:
    """Compare models of the same patients' follow-up by leaving each patient out.

    `fits` are by the name that tables show. Formulas, baselines and priors may differ.

    Raises
    ------
    InputError
        There is one fit only, one was given twice, or they were made from different data:
        another number or order of patients, other follow-up, or another unit of time.
    """
    checked_same_data(fits)
    return ModelComparison({name: leave_one_out(fit) for name, fit in fits.items()})


def checked_same_data(fits: Mapping[str, Fit]) -> None:
    """Refuse fits that cannot be compared, naming each that differs from the first."""
    if len(fits) < 2:
        raise InputError([Fault("a comparison needs two different fits or more; name another")])
    first, *others = fits
    faults = [
        Fault(message, file=name)
        for name in others
        for message in _differences(fits[name], fits[first], first)
    ]
    if faults:
        raise InputError(faults)


def _differences(fit: Fit, first: Fit, name: str) -> Iterator[str]:
    """What keeps a fit from being compared with the first, which has this name."""
    refused = "refused: different data"
    if fit.unit != first.unit:
        yield f"{refused}, time is in {fit.unit} and that of {name} in {first.unit}; {SAME}"
        return
    if fit.n_patients != first.n_patients:
        counts = f"{fit.n_patients} patients and {name} has {first.n_patients}"
        remedy = "and leave out patients with a missing covariate in both"
        yield f"{refused}, it has {counts}; {SAME}, {remedy}"
        return
    own, other = follow_up_by_patient(fit), follow_up_by_patient(first)
    apart = ~np.isclose(own, other, rtol=1e-9, atol=0, equal_nan=True).all(axis=1)
    if not apart.any():
        if fit.posterior.equals(first.posterior):
            yield f"the same draws as {name}; name each fit once"
    elif np.allclose(_in_order(own), _in_order(other), rtol=1e-9, atol=0, equal_nan=True):
        yield f"{refused}, the patients of {name} stand in another order; {SAME}"
    else:
        count = f"{apart.sum()} of {len(apart)} patients have other follow-up than in {name}"
        yield f"{refused}, {count}; {SAME}"


def follow_up_by_patient(fit: Fit) -> np.ndarray:
    """Follow-up of each patient, `(patient, 6)`, the same however it is split into rows.

    Entry, last time, end of the interval of an event, time at risk, events, and sum of their times.
    """
    needs_patients(fit, "a comparison by patients left out")
    data = fit.draws["observed_data"].to_dataset()
    rows = pd.DataFrame({name: data[name].to_numpy() for name in ("entry", "time", "upper")})
    event = data["event"].to_numpy()
    rows = rows.assign(at_risk=rows["time"] - rows["entry"], event=event, at=rows["time"] * event)
    how = dict(entry="min", time="max", upper="max", at_risk="sum", event="sum", at="sum")
    patient = fit.draws["constant_data"]["individual"].to_numpy()
    return rows.groupby(patient).agg(how).to_numpy()


def _in_order(table: np.ndarray) -> np.ndarray:
    """Rows in the order of their columns."""
    return table[np.lexsort(table.T)]
