"""Covariates chosen by their univariable P: the paper's rule, and how little it settles."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import chi2

from bayesurv.data.faults import Fault, InputError, listed
from bayesurv.frequentist.cox import CoxFit, PartialLikelihood, cox
from bayesurv.frequentist.maximum_likelihood import MOVING, spread
from bayesurv.frequentist.newton import maximise, null_space
from bayesurv.frequentist.risk_sets import RiskSets

AVOID = (
    "Choosing covariates by their univariable P is reproduced here only for comparison; it is a "
    "practice to avoid: the P values and intervals of the chosen model take no account of the "
    "choice. State the covariates beforehand, or shrink them."
)


@dataclass(frozen=True, eq=False)
class Screening:
    """What the rule chose in these patients, and in resamples of them.

    Parameters
    ----------
    threshold : float
        Covariates with a univariable P up to this were chosen.
    variables : DataFrame
        Columns variable, p (likelihood ratio), selected, frequency: the share of resamples in
        which the rule chose it.
    sets : DataFrame
        Columns variables, frequency: the sets chosen in resamples, the most frequent first.
    fit : CoxFit or None
        The multivariable model of the chosen; None if none was.
    treatment : str or None
        The variable whose hazard ratio was followed.
    hazard_ratios : array, (resample,)
        Of the treatment in each resample, in the model of those chosen there and the treatment:
        0 or infinite where it is so, NaN where the resample says nothing of it.
    resamples : int
        How many were drawn; those without any event choose nothing.
    """

    threshold: float
    variables: pd.DataFrame
    sets: pd.DataFrame
    fit: CoxFit | None
    treatment: str | None
    hazard_ratios: np.ndarray
    resamples: int

    @property
    def selected(self) -> tuple[str, ...]:
        return tuple(self.variables.loc[self.variables["selected"], "variable"])

    def found(self) -> str:
        """What the rule chose, and how steadily, in words."""
        chosen = _set_name(self.selected)
        same = self.sets.loc[self.sets["variables"] == chosen, "frequency"].sum()
        lines = [
            f"Univariable P <= {self.threshold:g} chooses {chosen}; in {self.resamples} resamples "
            f"of the patients it chose just that set in {same:.0%}."
        ]
        known = self.hazard_ratios[~np.isnan(self.hazard_ratios)]
        if len(known):
            low, middle, high = np.quantile(known, [0.025, 0.5, 0.975], method="inverted_cdf")
            lines.append(
                f"The hazard ratio of {self.treatment}, beside whatever was chosen, had median "
                f"{middle:.2f} and was {low:.2f} to {high:.2f} in 95% of the resamples."
            )
        return " ".join(lines)

    def text(self) -> str:
        """What was found, and that the rule is to be avoided."""
        return f"{self.found()}\n{AVOID}"


def screen(
    time: ArrayLike,
    event: ArrayLike,
    variables: Mapping[str, ArrayLike],
    *,
    entry: ArrayLike | None = None,
    patient: ArrayLike | None = None,
    treatment: str | None = None,
    threshold: float = 0.10,
    resamples: int = 200,
    seed: int = 1,
) -> Screening:
    """Fit each variable alone, keep those with P <= threshold, and fit those together.

    Parameters
    ----------
    time, event : array, (row,)
    variables : mapping
        Values of each variable, (row,) or (row, column); one of several columns (a factor) is
        tested as a whole.
    entry : array, (row,), optional
        Start of follow-up, 0 unless given.
    patient : array, (row,), optional
        Whose row it is, for whole patients are resampled; each row is a patient unless given.
    treatment : str, optional
        A variable of one column, whose hazard ratio is followed.
    threshold : float
        0.10 is the rule of the paper.
    resamples : int
        Bootstrap samples of patients.
    seed : int
    """
    if treatment is not None and treatment not in variables:
        raise InputError([Fault(f'no variable "{treatment}"; there are {listed(variables)}')])
    columns = {name: _columns(values) for name, values in variables.items()}
    time, event = np.asarray(time, dtype=float), np.asarray(event, dtype=bool)
    start = np.full(len(time), -np.inf) if entry is None else np.asarray(entry, dtype=float)
    p = _univariable(_risk_sets(time, event, start), columns)
    chosen, ratios = [], []
    for rows in _resampled(np.arange(len(time)) if patient is None else patient, resamples, seed):
        drawn = {name: x[rows] for name, x in columns.items()}
        risk_sets = _risk_sets(time[rows], event[rows], start[rows])
        chosen.append(_univariable(risk_sets, drawn) <= threshold)
        if treatment is not None:
            kept = [x for x, keep in zip(drawn.items(), chosen[-1], strict=True) if keep]
            joint = {treatment: drawn[treatment], **dict(kept)}
            ratios.append(_first_ratio(risk_sets, np.column_stack(list(joint.values()))))
    names = np.array(list(columns))
    sets = pd.Series([_set_name(names[keep]) for keep in chosen]).value_counts(normalize=True)
    table = pd.DataFrame({"variable": names, "p": p, "selected": p <= threshold})
    return Screening(
        threshold=threshold,
        variables=table.assign(frequency=np.mean(chosen, axis=0)),
        sets=sets.rename_axis("variables").reset_index(name="frequency"),
        fit=_joint({name: columns[name] for name in names[p <= threshold]}, time, event, entry),
        treatment=treatment,
        hazard_ratios=np.array(ratios),
        resamples=resamples,
    )


def _set_name(names: Iterable[str]) -> str:
    return listed(names) or "nothing"


def _columns(values: ArrayLike) -> np.ndarray:
    columns = np.asarray(values, dtype=float)
    return columns[:, None] if columns.ndim == 1 else columns


def _resampled(patient: ArrayLike, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Rows of patients drawn with replacement."""
    _, which = np.unique(np.asarray(patient), return_inverse=True)
    rows = [np.flatnonzero(which == i) for i in range(which.max() + 1)]
    random = np.random.default_rng(seed)
    for _ in range(resamples):
        yield np.concatenate([rows[i] for i in random.integers(len(rows), size=len(rows))])


def _risk_sets(time: np.ndarray, event: np.ndarray, start: np.ndarray) -> RiskSets:
    return RiskSets.from_times(time, event, start, np.zeros(len(time), dtype=int), "efron")


def _univariable(risk_sets: RiskSets, columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """P of each variable alone, (variable,), by its likelihood ratio; 1 if it says nothing."""
    found = [_search(risk_sets, x) for x in columns.values()]
    return np.array([chi2.sf(2 * rise, freedom) if freedom else 1.0 for _, rise, freedom in found])


def _first_ratio(risk_sets: RiskSets, x: np.ndarray) -> float:
    """Hazard ratio of the first column."""
    top, _, _ = _search(risk_sets, x)
    return float(np.exp(top[0]))


def _search(risk_sets: RiskSets, x: np.ndarray) -> tuple[np.ndarray, float, int]:
    """Coefficients, rise of the log-likelihood over no effect, and how many directions it has.

    A resample may lack a level: the coefficient of what it says nothing of is NaN.
    """
    if not len(risk_sets.rows):
        return np.full(x.shape[1], np.nan), 0.0, 0
    likelihood = PartialLikelihood(risk_sets, x - x.mean(axis=0))
    scaled = np.diag(1 / (spread(x) * np.sqrt(len(risk_sets.rows))))
    null = likelihood.evaluate(np.zeros(x.shape[1]))
    curved, flat = null_space(scaled @ null.information @ scaled)
    directions = scaled @ curved
    top = maximise(likelihood.evaluate, np.zeros(x.shape[1]), directions)
    rise = max(top.at.log_likelihood - null.log_likelihood, 0.0)
    moving = abs(directions @ top.step) > MOVING * np.diag(scaled)
    found = np.where(moving, np.copysign(np.inf, top.parameter), top.parameter)
    return np.where((abs(flat) > MOVING).any(axis=1), np.nan, found), rise, curved.shape[1]


def _joint(
    columns: Mapping[str, np.ndarray],
    time: np.ndarray,
    event: np.ndarray,
    entry: ArrayLike | None,
) -> CoxFit | None:
    """The Cox model of some variables; a factor's columns are numbered."""
    if not columns:
        return None
    terms = [
        name if x.shape[1] == 1 else f"{name}[{i}]"
        for name, x in columns.items()
        for i in range(1, x.shape[1] + 1)
    ]
    return cox(time, event, np.column_stack(list(columns.values())), terms, entry=entry)
