"""What a report asks of the headline's fit beyond what its folder holds."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from bayesurv.estimands.arms import Comparison
from bayesurv.estimands.benefit import compare_arms
from bayesurv.estimands.conclusion import Conclusion
from bayesurv.estimands.flips import Search, flip_table, most_removed
from bayesurv.estimands.influence import each_left_out, influence_table
from bayesurv.estimands.patients import arms
from bayesurv.estimands.tipping import THRESHOLD
from bayesurv.fitting import Fit
from bayesurv.frequentist.e_value import EValue, e_value
from bayesurv.frequentist.guaranteed_time import FirstExit, first_exit
from bayesurv.models.baselines import Weibull
from bayesurv.models.priors import MedianSurvival
from bayesurv.report.answer import Answer
from bayesurv.report.check import check_answer
from bayesurv.report.sensitivity import answered

PRIOR_DRAWS = 4000
DECISION = 0.95


@dataclass(frozen=True)
class Analyses:
    """Prior sensitivity, influence and checks of one fit of patients that were given."""

    fit: Fit
    treatment: str
    horizon: float | None

    @cached_property
    def asked(self) -> Comparison:
        """The two arms up to the horizon."""
        return compare_arms(self.fit, self.treatment, self.horizon)

    @cached_property
    def sensitivity(self) -> Answer:
        """The same analysis under other priors."""
        return answered(self.asked, {}, THRESHOLD)

    @cached_property
    def check(self) -> Answer:
        """The cohort beside those that the model makes."""
        return check_answer(self.fit, self.treatment)

    @cached_property
    def conclusion(self) -> Conclusion:
        """What is concluded at the threshold."""
        return Conclusion.of(self.asked.hazard_ratio, DECISION)

    @cached_property
    def influence(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The answer without each patient, and the fewest on whom the conclusion hangs."""
        left_out = each_left_out(self.fit)
        search = Search.of(self.asked, left_out, DECISION)
        return (
            influence_table(self.asked, left_out),
            flip_table(search, most_removed(self.fit.n_patients)),
        )

    @cached_property
    def e_value(self) -> EValue:
        """How strong unmeasured confounding would have to be to explain the hazard ratio away."""
        lower, ratio, upper = np.quantile(self.asked.hazard_ratio, [0.025, 0.5, 0.975])
        return e_value(float(ratio), float(lower), float(upper))


def prior_and_posterior(fit: Fit) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Draws of prior and posterior by what they are of, in clinical units."""
    return {name: (prior, posterior) for name, prior, posterior in _pairs(fit)}


def _pairs(fit: Fit) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    generator = np.random.default_rng(0)
    priors, posterior = fit.specification.priors, fit.posterior
    median = priors.median_survival or fit.specification.median
    if isinstance(fit.baseline, Weibull):
        rate, shape = np.exp(posterior["intercept"].values), posterior["shape"].values
        if median is not None:
            after = ((np.log(2) / rate) ** (1 / shape)).ravel()
            yield f"median survival ({fit.unit})", _of_median(median, generator), after
        before = priors.shape.frozen().rvs(PRIOR_DRAWS, random_state=generator)
        yield "shape", before, shape.ravel()
    terms = fit.design.terms
    if not terms:
        return
    after = np.exp(posterior["coefficient"].values).reshape(-1, len(terms))
    for term, prior, own in zip(terms, priors.coefficients(terms), after.T, strict=True):
        draws = prior.frozen().rvs(PRIOR_DRAWS, random_state=generator)
        yield f"hazard ratio, {term}", np.exp(draws), own


def _of_median(median: MedianSurvival, generator: np.random.Generator) -> np.ndarray:
    return np.exp(median.distribution().frozen().rvs(PRIOR_DRAWS, random_state=generator))


def first_exits(fit: Fit, treatment: str) -> dict[str, FirstExit]:
    """When the first patient left each arm, and how probable that is."""
    data = fit.draws["observed_data"].to_dataset()
    row = fit.draws["constant_data"]["individual"].to_numpy()
    time, entry = data["time"].to_numpy(), data["entry"].to_numpy()
    events = data["event"].to_numpy() > 0
    found = {}
    for name, chosen in arms(fit, treatment).items():
        own = chosen[row]
        found[name] = first_exit(time[own], events[own], entry[own])
    return found
