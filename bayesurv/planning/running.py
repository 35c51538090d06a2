"""A study that is under way: its patients, its posterior, and what is still to come."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesurv.data.design import Design
from bayesurv.data.faults import Fault, InputError, listed, nearest
from bayesurv.data.read import read_table
from bayesurv.fitting import Fit
from bayesurv.models.baselines import Baseline
from bayesurv.models.build import Specification
from bayesurv.models.priors import MedianSurvival, Priors
from bayesurv.plan import read_plan
from bayesurv.planning.keys import RunningKeys
from bayesurv.saved import load, provenance


@dataclass(frozen=True, eq=False)
class RunningStudy:
    """What a completion is simulated from; plain data, so that it can be sent to a worker.

    training : covariates of the patients, a row each, from which the formula's coding is made.
    parameters : posterior draws by name, each `(draw, ...)`.
    time, event, entry, ongoing : (patient,) follow-up so far, and who is still followed.
    """

    formula: str
    training: pd.DataFrame
    baseline: Baseline
    priors: Priors
    median: MedianSurvival
    parameters: Mapping[str, np.ndarray]
    time: np.ndarray
    event: np.ndarray
    entry: np.ndarray
    ongoing: np.ndarray
    treatment: str
    unit: str
    scale: float

    def specification(self) -> Specification:
        """The model of the fit."""
        design = Design.from_frame(self.formula, self.training)
        return Specification(self.baseline, design, self.priors, self.median)

    @property
    def log_ratio(self) -> np.ndarray:
        """Draws of the treatment's log hazard ratio, `(draw,)`."""
        terms = Design.from_frame(self.formula, self.training).terms
        return self.parameters["coefficient"][:, terms.index(self.treatment)]


def running_study(keys: RunningKeys) -> RunningStudy:
    """Read the fit of a running study, and who of its patients is still followed.

    Raises
    ------
    InputError
        There is no such fit, it is one that this simulation cannot complete, or the plan's cohort
        is not the one that was fitted.
    """
    fit = load(keys.fit)
    treatment = keys.treatment or provenance(fit).get("treatment")
    data = {name: v.to_numpy() for name, v in fit.draws["observed_data"].data_vars.items()}
    event = data["event"] > 0
    faults = _faults(fit, keys, treatment, event, data["upper"])
    if faults:
        raise InputError(Fault(f"[running] {message}") for message in faults)
    censored = ~event
    flat = {name: v.reshape(-1, *v.shape[2:]) for name, v in fit.parameters().items()}
    return RunningStudy(
        formula=fit.design.formula,
        training=fit.design.training,
        baseline=fit.baseline,
        priors=fit.specification.priors,
        median=fit.specification.median,
        parameters=flat,
        time=data["time"],
        event=event,
        entry=data["entry"],
        ongoing=censored & _followed(keys, fit, data["time"]),
        treatment=str(treatment),
        unit=fit.unit,
        scale=fit.end_of_follow_up,
    )


def _faults(
    fit: Fit, keys: RunningKeys, treatment: str | None, event: np.ndarray, upper: np.ndarray
) -> list[str]:
    """What of a fit cannot be completed by simulation."""
    found = []
    terms = fit.design.terms
    if treatment is None:
        found.append(
            f"treatment: the fit names none; say which of its terms it is: {listed(terms)}"
        )
    elif treatment not in terms:
        hint = nearest(treatment, terms)
        found.append(f'treatment: "{treatment}" is no term of the fit\'s formula.{hint}')
    elif keys.patients and not _binary(fit.design.training, str(treatment)):
        found.append(f'treatment: "{treatment}" is not 0 or 1, so that nobody can be allocated')
    if (event & np.isfinite(upper)).any():
        found.append("fit: events in intervals are not simulated; fit exact times")
    if len(np.unique(fit.draws["constant_data"]["individual"])) < len(event):
        found.append("fit: patients with several rows are not simulated")
    if fit.failed:
        found.append("fit: it failed the sampler's checks; run it again")
    return found


def _binary(frame: pd.DataFrame, column: str) -> bool:
    return column in frame and set(np.unique(frame[column])) == {0, 1}


def _followed(keys: RunningKeys, fit: Fit, time: np.ndarray) -> np.ndarray:
    """Patients who are still followed, as a column of the plan's cohort says; all unless named."""
    if keys.plan is None or keys.under_observation is None:
        return np.ones(len(time), dtype=bool)
    plan = read_plan(keys.plan)
    frame = read_table(plan.cohort.file, plan.cohort.sheet)
    name = provenance(fit).get("endpoint")
    endpoint = plan.endpoint.get(str(name)) or next(iter(plan.endpoint.values()))
    column = keys.under_observation
    if column not in frame:
        message = f'[running] under_observation: no column "{column}" in the cohort.'
        raise InputError([Fault(message + nearest(column, frame))])
    same = len(frame) == len(time) and endpoint.time in frame
    if not same or not np.allclose(pd.to_numeric(frame[endpoint.time]), time):
        message = "[running] plan: its cohort is not the one of the fit; fit the plan again"
        raise InputError([Fault(message)])
    values = pd.to_numeric(frame[column], errors="coerce").to_numpy(float)
    if not np.isin(values, (0, 1)).all():
        message = f"[running] under_observation: {column} holds something else than 0 and 1"
        raise InputError([Fault(message)])
    return values == 1
