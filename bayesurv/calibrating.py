"""Simulation-based calibration of a survival model on a cohort's own design of follow-up.

Covariates, entries and ends of follow-up are the cohort's; events come from the model at
parameters drawn from its prior, and each simulated data set is fitted as any cohort is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesurv.data.cohort import Cohort
from bayesurv.data.design import Rows
from bayesurv.estimands.arms import checked_horizon, treated, treatment_arms
from bayesurv.estimands.contrasts import baseline_covariates
from bayesurv.estimands.curves import (
    bounded_exp,
    default_profiles,
)
from bayesurv.estimands.functionals import quadrature
from bayesurv.estimands.simulated import Simulated, simulate
from bayesurv.fitting import Fit, compiled_survival, prior
from bayesurv.inference.calibration import Ranks, Refit, calibrate, effective_draws, independent
from bayesurv.inference.diagnostics import elements
from bayesurv.inference.sample import Progress, Sampling
from bayesurv.models.baselines import Baseline
from bayesurv.models.build import Specification
from bayesurv.models.compression import compressed
from bayesurv.models.likelihood import Observed, linear_predictor, log_likelihood
from bayesurv.models.pointwise import log_prior
from bayesurv.models.prior_draws import sampled_draws
from bayesurv.models.priors import Priors
from bayesurv.posterior import dataset

if TYPE_CHECKING:
    from bayesurv.inference.members import Drawn

REFITS = 500
SHORT = Sampling(chains=2, draws=500, tune=400, target_accept=0.9)
GONE = 1e150  # a cumulative hazard at which nobody is left
FEWEST_DRAWS = 50  # effective draws with which a refit counts as sampled


@dataclass(frozen=True, eq=False)
class Experiment:
    """A model on a cohort's design: what is simulated, fitted and compared.

    template : the model with a draw of its prior, and the cohort's follow-up.
    treatment, horizon : of the estimands; without a treatment they are of the reference alone.
    settings : of the sampler; its seed is that of the experiment.
    """

    template: Fit
    treatment: str | None
    horizon: float
    settings: Sampling

    @property
    def specification(self) -> Specification:
        """Baseline, design and priors."""
        return self.template.specification

    @cached_property
    def profiles(self) -> dict[str, Rows]:
        """Coded covariates of the reference profile, and of all patients in each arm."""
        fit = self.template
        found = {"reference": fit.design.apply(default_profiles(fit, self.treatment).iloc[:1])}
        if self.treatment is not None:
            patients = baseline_covariates(fit).reset_index(drop=True)
            for level in treatment_arms(fit, self.treatment).levels:
                found[str(level)] = fit.design.apply(treated(fit, patients, self.treatment, level))
        return found

    def truth(self, number: int) -> dict[str, np.ndarray]:
        """Sampled quantities of a data set, each `(1, 1, ...)`, from the prior."""
        return sampled_draws(self.specification, 1, self._seed(number))

    def simulate(self, number: int) -> Simulated:
        """The data set of a number, at its truth."""
        at = self._fit(self.specification.parameters(self.truth(number)))
        return simulate(at, np.random.default_rng(self._seed(number)))

    def compiled(self, simulated: Simulated) -> Any:
        """The compiled model on a data set, compressed as in any fit."""
        observed = self.template.draws["observed_data"]
        found = compressed(
            self.specification.baseline,
            simulated.rows,
            *simulated.follow_up,
            delayed=bool((observed["entry"] > 0).any()),
            interval=bool(np.isfinite(observed["upper"]).any()),
        )
        return compiled_survival(self.specification, *found)

    def refit(self, number: int) -> Refit:
        """Simulate and fit the data set of a number."""
        from bayesurv.inference.members import sample_members

        simulated = self.simulate(number)
        record = {"events": int(simulated.event.sum())}
        compiled, seeds = self.compiled(simulated), [self._seed(number)]
        try:
            [drawn] = sample_members(lambda _: compiled, seeds, self.settings, workers=1)
        except RuntimeError as error:  # no point to start from, or none to go on to
            return Refit({}, {}, record | {"passed": False, "stopped": str(error)})
        return self._ranked(number, simulated, drawn, record)

    def _ranked(
        self, number: int, simulated: Simulated, drawn: "Drawn", record: dict[str, Any]
    ) -> Refit:
        truth = self.truth(number)
        true = self.quantities(truth, simulated)
        found = self.quantities({name: drawn.posterior[name] for name in truth}, simulated)
        effective = effective_draws(np.stack(list(found.values()), axis=-1))
        kept = independent(effective, self.settings.chains * self.settings.draws)
        record |= {
            "passed": drawn.passed and effective >= FEWEST_DRAWS,
            "r_hat": drawn.r_hat,
            "effective_draws": effective,
            "divergences": drawn.divergences,
            "bfmi": drawn.bfmi if np.isfinite(drawn.bfmi) else np.nan,
            "attempts": drawn.attempts,
            "pareto_k": drawn.pareto_k,
        }
        return Refit(
            {name: float(value[0, 0]) for name, value in true.items()},
            {name: values.reshape(-1)[kept] for name, values in found.items()},
            record,
        )

    def quantities(
        self, drawn: Mapping[str, np.ndarray], simulated: Simulated
    ) -> dict[str, np.ndarray]:
        """Every test quantity at sampled quantities `(chain, draw, ...)`, each `(chain, draw)`."""
        parameters = self.specification.parameters(drawn)
        likelihood, before = self._log_likelihood(simulated, parameters), self._log_prior(drawn)
        return {
            **dict(elements(dataset(self.specification, parameters))),
            "log_likelihood": likelihood,
            "log_prior": before,
            "log_joint": likelihood + before,
            **self._estimands(parameters),
        }

    def _fit(self, parameters: Mapping[str, np.ndarray]) -> Fit:
        """The model with draws of its parameters, each `(chain, draw, ...)`."""
        import xarray as xr

        data = {k: self.template.draws[k].to_dataset() for k in ("observed_data", "constant_data")}
        posterior = dataset(self.specification, parameters)
        return replace(self.template, draws=xr.DataTree.from_dict({"posterior": posterior, **data}))

    def _log_likelihood(
        self, simulated: Simulated, parameters: Mapping[str, np.ndarray]
    ) -> np.ndarray:
        """Row by row, so that the compression of the fit is under test as well."""
        design, baseline = self.specification.design, self.specification.baseline
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            observed = Observed.from_times(*simulated.follow_up, baseline)
            predictor = linear_predictor(design, simulated.rows, parameters, np)
            by_row = log_likelihood(baseline, observed, parameters, predictor, np)
        return by_row.sum(axis=-1)

    def _log_prior(self, drawn: Mapping[str, np.ndarray]) -> np.ndarray:
        stated = log_prior(self.specification, drawn).values()
        total = sum(each.reshape(*each.shape[:2], -1).sum(axis=-1) for each in stated)
        for name, _ in self.specification.standard_normals():
            total = total - np.square(drawn[name]).sum(axis=-1) / 2
        return np.asarray(total)

    def _estimands(self, parameters: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        baseline, design = self.specification.baseline, self.specification.design
        nodes, weights = quadrature(self.horizon, baseline.knots())
        with np.errstate(over="ignore"):
            basis = baseline.cumulative_basis(np.append(nodes, self.horizon))
            cumulative = np.minimum(baseline.cumulative_hazard(basis, parameters, np), GONE)
        reference, *arms = (
            bounded_exp(linear_predictor(design, rows, parameters, np))
            for rows in self.profiles.values()
        )
        curve = np.exp(-reference * cumulative)
        found = {"survival": curve[..., -1], "rmst": curve[..., :-1] @ weights}
        if arms:
            first, second = (np.exp(-each * cumulative[..., -1:]).mean(axis=-1) for each in arms)
            found["survival_difference"] = second - first
        return found

    def _seed(self, number: int) -> int:
        sequence = np.random.SeedSequence([self.settings.seed, number])
        return int(sequence.generate_state(1)[0])


def experiment(
    cohort: Cohort,
    formula: str,
    *,
    baseline: Baseline | None = None,
    priors: Priors | None = None,
    missing: str = "error",
    treatment: str | None = None,
    horizon: float | None = None,
    sampling: Sampling = SHORT,
    seed: int | None = None,
) -> Experiment:
    """A model on a cohort's design; what the cohort settles, such as cuts, is settled once.

    Parameters
    ----------
    cohort, formula, baseline, priors, missing
        As for `fit`.
    treatment
        Of the standardised difference in survival.
    horizon
        Of survival and RMST; unless given, the end of follow-up of the arm followed least long.
    sampling, seed
        Settings of each refit; the same seed gives the same numbers.

    Raises
    ------
    InputError
        Formula, covariates, priors, treatment or horizon that cannot be used.
    """
    settings = sampling if seed is None else replace(sampling, seed=seed)
    template = prior(cohort, formula, baseline=baseline, priors=priors, missing=missing, draws=1)
    if treatment is None:
        until = template.end_of_follow_up if horizon is None else horizon
    else:
        until = checked_horizon(treatment_arms(template, treatment), horizon, template.unit)
    return Experiment(template, treatment, until, settings)


def calibrate_model(
    model: Experiment,
    refits: int = REFITS,
    progress: Progress | None = None,
    workers: int | None = None,
) -> Ranks:
    """Ranks of the true values in so many refits; the same whatever the number of workers."""
    model.compiled(model.simulate(0))  # once, before the refits are shared out among threads
    _ = model.profiles
    return calibrate(model.refit, refits, model.settings.seed, progress, workers)
