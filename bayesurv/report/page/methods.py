"""The methods as a paper states them, from the plan and what the run wrote; with sources."""

import re
from collections.abc import Iterator
from typing import Any

import pandas as pd

from bayesurv.data.faults import listed
from bayesurv.inference.sample import LAPLACE
from bayesurv.plots.style import duration, number
from bayesurv.report.benefit_words import survival_name
from bayesurv.report.page.folder import Results
from bayesurv.report.reproduce_index import BASELINES

CITATIONS = (
    "Kruschke JK. Bayesian analysis reporting guidelines. Nature Human Behaviour 2021;5:1282-1291. "
    "doi:10.1038/s41562-021-01177-7",
    "Sung L, et al. Seven items were identified for inclusion when reporting a Bayesian analysis "
    "of a clinical study. Journal of Clinical Epidemiology 2005;58:261-268. "
    "doi:10.1016/j.jclinepi.2004.08.010",
    "Hoffman MD, Gelman A. The No-U-Turn Sampler. Journal of Machine Learning Research "
    "2014;15:1593-1623",
    "Vehtari A, et al. Rank-normalization, folding, and localization: an improved R-hat. Bayesian "
    "Analysis 2021;16:667-718. doi:10.1214/20-BA1221",
    "Vehtari A, Gelman A, Gabry J. Practical Bayesian model evaluation using leave-one-out "
    "cross-validation and WAIC. Statistics and Computing 2017;27:1413-1432. "
    "doi:10.1007/s11222-016-9696-4",
    "Royston P, Parmar MKB. Restricted mean survival time. BMC Medical Research Methodology "
    "2013;13:152. doi:10.1186/1471-2288-13-152",
    "Daniel R, Zhang J, Farewell D. Making apples from oranges: comparing noncollapsible effect "
    "estimators. Biometrical Journal 2021;63:528-557. doi:10.1002/bimj.201900297",
    "VanderWeele TJ, Ding P. Sensitivity analysis in observational research: introducing the "
    "E-value. Annals of Internal Medicine 2017;167:268-274. doi:10.7326/M16-2607",
)


def methods(results: Results) -> Iterator[str]:
    """The methods paragraph, sentence groups as paragraphs."""
    described = results.described()
    yield f"{_data(results)} {_model(results)} {_priors(described)}"
    yield f"{_sampling(results, described)} {_estimands(results)}"


def _data(results: Results) -> str:
    names = listed(survival_name(each) for each in results.fits)
    fit, unit = results.fit, results.fit.unit
    end = f"followed for at most {duration(float(f'{fit.end_of_follow_up:.3g}'), unit)}"
    if results.members:
        return (
            f"{names[:1].upper()}{names[1:]} was analysed in {results.members} synthetic cohorts "
            f"that agree with what is published, {end}, and pooled with equal weights."
        )
    return (
        f"{names[:1].upper()}{names[1:]} of {fit.n_patients} patients ({fit.n_events} events in "
        f"{results.endpoint}), {end}, was analysed. Patients without the event were censored at "
        "their last contact."
    )


def _model(results: Results) -> str:
    models = dict.fromkeys(
        BASELINES.get(name, name) for models in results.fits.values() for name in models
    )
    return (
        f"Proportional-hazards models with {listed(models)} baseline hazard had the linear "
        f"predictor {results.fit.design.formula}."
    )


def _priors(described: Any) -> str:
    said = [f"{name} {prior}" for name, prior in prior_words(described).items()]
    return f"Priors: {'; '.join(said)} (coefficients are log hazard ratios)."


def prior_words(described: Any) -> dict[str, str]:
    """Every prior of a fit in words, a reference median as the range that it states."""
    said = {}
    for name, prior in described["priors"].items():
        ends = re.fullmatch(r"MedianSurvival\(([^,]+), ([^,]+), ([^,]+)\)", str(prior))
        if ends:
            lower, upper, prob = (float(end) for end in ends.groups())
            prior = f"between {number(lower)} and {number(upper)} with probability {prob:g}"
        said[name.replace("_", " ")] = str(prior)
    return said


def _sampling(results: Results, described: Any) -> str:
    used, versions = described["sampling"], results.provenance["versions"]
    diagnostics = results.table(f"{results.place}/diagnostics.csv")
    said = "not kept"
    if diagnostics is not None:
        rows = diagnostics.set_index("check")["value"]
        said = ", ".join(f"{check_name(name)} {_value(rows[name])}" for name in rows.index)
    each = f" for each of {results.members} members" if results.members else ""
    if used.get("method") == LAPLACE:
        return (
            "The posterior was approximated by importance sampling around its mode (PyMC "
            f"{versions['pymc']}), {used['chains'] * used['draws']} draws{each}, seed "
            f"{used['seed']} (worst values: {said})."
        )
    return (
        f"The posterior was sampled by the No-U-Turn sampler (PyMC {versions['pymc']}, nutpie "
        f"{versions['nutpie']}), {used['chains']} chains of {used['draws']} draws after "
        f"{used['tune']} of warm-up{each}, seed {used['seed']} (worst values: {said})."
    )


def check_name(name: str) -> str:
    """A check of the sampler as papers call it."""
    return {"r_hat": "R-hat", "ess_bulk": "bulk ESS", "ess_tail": "tail ESS", "bfmi": "BFMI"}.get(
        name, name.replace("_", " ")
    )


def _value(value: Any) -> str:
    if pd.isna(value):
        return "not available"
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.3f}"


def _estimands(results: Results) -> str:
    if results.treatment is None:
        return "Estimates are posterior medians with 95% equal-tailed credible intervals (CrI)."
    horizon = results.horizon
    until = f" to {duration(horizon, results.fit.unit)}" if horizon is not None else ""
    return (
        f"Survival and restricted mean survival time{until} were standardised over the cohort "
        "inside each draw; medians and differences followed from these curves. Estimates are "
        "posterior medians with 95% equal-tailed credible intervals (CrI), beside the posterior "
        "probability that the treatment had the better outcome."
    )
