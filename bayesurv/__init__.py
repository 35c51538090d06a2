"""bayesurv: Bayesian survival analysis of small clinical cohorts."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bayesurv.data.cohort import Cohort as Cohort
    from bayesurv.data.design import Design as Design
    from bayesurv.data.faults import InputError as InputError
    from bayesurv.estimands.benefit import benefit as benefit
    from bayesurv.estimands.checks import check as check
    from bayesurv.estimands.comparison import compare as compare
    from bayesurv.estimands.contrasts import standardised_survival as standardised_survival
    from bayesurv.estimands.curves import cumulative_hazard as cumulative_hazard
    from bayesurv.estimands.curves import hazard as hazard
    from bayesurv.estimands.curves import survival as survival
    from bayesurv.estimands.functionals import rmst as rmst
    from bayesurv.estimands.functionals import survival_quantile as survival_quantile
    from bayesurv.estimands.influence import influence as influence
    from bayesurv.estimands.sensitivity import prior_sensitivity as prior_sensitivity
    from bayesurv.estimands.summary import hazard_ratios as hazard_ratios
    from bayesurv.estimands.summary import parameter_table as parameter_table
    from bayesurv.estimands.summary import summarise as summarise
    from bayesurv.fitting import CohortWarning as CohortWarning
    from bayesurv.fitting import Fit as Fit
    from bayesurv.fitting import fit as fit
    from bayesurv.fitting import prior as prior
    from bayesurv.inference.diagnostics import SamplingError as SamplingError
    from bayesurv.inference.sample import Sampling as Sampling
    from bayesurv.models.baselines import Exponential as Exponential
    from bayesurv.models.baselines import Gompertz as Gompertz
    from bayesurv.models.baselines import MSpline as MSpline
    from bayesurv.models.baselines import PiecewiseExponential as PiecewiseExponential
    from bayesurv.models.baselines import Weibull as Weibull
    from bayesurv.models.priors import Gamma as Gamma
    from bayesurv.models.priors import HalfCauchy as HalfCauchy
    from bayesurv.models.priors import HalfNormal as HalfNormal
    from bayesurv.models.priors import HazardRatio as HazardRatio
    from bayesurv.models.priors import LogNormal as LogNormal
    from bayesurv.models.priors import MedianSurvival as MedianSurvival
    from bayesurv.models.priors import Normal as Normal
    from bayesurv.models.priors import Priors as Priors
    from bayesurv.models.priors import StudentT as StudentT
    from bayesurv.refitting import refit as refit
    from bayesurv.saved import load as load
    from bayesurv.saved import save as save

_HOMES = {
    "data.cohort": "Cohort",
    "data.design": "Design",
    "data.faults": "InputError",
    "estimands.benefit": "benefit",
    "estimands.checks": "check",
    "estimands.comparison": "compare",
    "estimands.contrasts": "standardised_survival",
    "estimands.curves": "cumulative_hazard hazard survival",
    "estimands.functionals": "rmst survival_quantile",
    "estimands.influence": "influence",
    "estimands.sensitivity": "prior_sensitivity",
    "estimands.summary": "hazard_ratios parameter_table summarise",
    "fitting": "CohortWarning Fit fit prior",
    "inference.diagnostics": "SamplingError",
    "inference.sample": "Sampling",
    "models.baselines": "Exponential Gompertz MSpline PiecewiseExponential Weibull",
    "models.priors": (
        "Gamma HalfCauchy HalfNormal HazardRatio LogNormal MedianSurvival Normal Priors StudentT"
    ),
    "refitting": "refit",
    "saved": "load save",
}
_HOME = {name: home for home, names in _HOMES.items() for name in names.split()}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that the command line answers at once."""
    if name not in _HOME:
        raise AttributeError(f"module 'bayesurv' has no attribute {name!r}")
    value = getattr(import_module(f"bayesurv.{_HOME[name]}"), name)
    globals()[name] = value
    return value
