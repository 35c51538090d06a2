"""Hierarchical fits of EFS, PFS and OS to every member, and how much of it is missing data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bayesurv.ensembles import EnsembleFit, fit_ensemble
from bayesurv.estimands.members import member_arms
from bayesurv.models.baselines import Baseline, PiecewiseExponential, Weibull
from bayesurv.report.ensemble_results import write_ensemble_fit
from bayesurv.report.origin import command, versions
from bayesurv.report.reproduce_input import PRIMARY, TREATMENT, Members
from bayesurv.report.watcher import Watcher

FORMULA = "cti2 + bulky + I(stage - 3) + cti1_response + (0 + I(1 - cti2) | salvage_type)"
"""Stage and response to CTI1 as steps, from stage III and CR; the other regimens partially pooled.

The group term is of the patients without CTI2 alone. With (1 | salvage_type) the level CTI2 would
be the same patients as cti2 = 1, so that its effect and the coefficient could not be told apart and
the answer would carry the variance of both priors.
"""

UNADJUSTED = TREATMENT
TIMES = (1.0, 3.0, 6.0, 12.0, 24.0, 36.0)
MAIN = ("marginal_hazard_ratio", "rmst_difference", "survival_difference")
HORIZONS = (12.0, 6.0, 3.0)
PROFILES = [
    {"label": f"{name}, {arm}", "cti2": treated, **factors, "salvage_type": regimen}
    for name, factors in {
        "stage IV, not bulky, CR to CTI1": {"bulky": 0, "stage": 4, "cti1_response": 0},
        "stage IV, not bulky, NR to CTI1": {"bulky": 0, "stage": 4, "cti1_response": 2},
        "stage IV, bulky, NR to CTI1": {"bulky": 1, "stage": 4, "cti1_response": 2},
    }.items()
    for arm, treated, regimen in (("CTI2", 1, "CTI2"), ("other salvage", 0, None))
]
COLUMNS = (
    "endpoint", "baseline", "model", "quantity", "horizon", "estimate", "lower", "upper",
    "probability_of_benefit", "prob_low", "prob_high", "within_sd", "between_sd", "share_between",
    "member_low", "member_high",
)  # fmt: skip


@dataclass(frozen=True)
class Fitted:
    """What one fit says, as its tables do.

    model : "adjusted" or "unadjusted".
    """

    endpoint: str
    baseline: str
    model: str
    ratios: pd.DataFrame
    benefit: pd.DataFrame
    described: Mapping[str, Any]
    failed: bool


def models(endpoint: str) -> Iterator[tuple[str, str, Baseline]]:
    """Model, formula and baseline of every fit of an endpoint."""
    for baseline in (Weibull(), PiecewiseExponential()):
        yield "adjusted", FORMULA, baseline
        if endpoint == PRIMARY:
            yield "unadjusted", UNADJUSTED, baseline


def fit_members(members: Members, folder: Path, seed: int, watcher: Watcher) -> list[Fitted]:
    """Fit every endpoint with every model, and write each fit into a folder of its own.

    `<endpoint>/<baseline>/`, and `os/<baseline>-unadjusted/`.

    Raises
    ------
    SamplingError
        A member fails its checks after two retries with stricter settings.
    """
    found = []
    for endpoint, ensemble in members.ensembles.items():
        for model, formula, baseline in models(endpoint):
            name = baseline.name if model == "adjusted" else f"{baseline.name}-{model}"
            watcher.step(f"Fitting {endpoint}, {name}, {ensemble.n_members} members")
            fit = fit_ensemble(
                ensemble, formula, baseline=baseline, seed=seed, progress=watcher.share
            )
            watcher.step(f"Writing {endpoint}, {name}")
            place = folder / endpoint / name
            found.append(_written(fit, place, endpoint, baseline.name, model))
    return found


def _written(fit: EnsembleFit, folder: Path, endpoint: str, baseline: str, model: str) -> Fitted:
    horizon = horizon_of(fit)
    end = min(fit.stacked.end_of_follow_up, member_arms(fit, TREATMENT).end)
    ratios = write_ensemble_fit(
        fit,
        folder,
        label=f"{endpoint.upper()}, {baseline}, {model}",
        treatment=TREATMENT,
        horizon=horizon,
        times=[0.0, *(time for time in TIMES if time <= end)],
        profiles=PROFILES if model == "adjusted" else None,
        provenance={
            "endpoint": endpoint,
            "treatment": TREATMENT,
            "horizon": horizon,
            "command": command(),
            "versions": versions(),
            "data": {"sha256": fit.ensemble.cohort.digest()},
        },
    )
    return Fitted(
        endpoint=endpoint,
        baseline=baseline,
        model=model,
        ratios=ratios,
        benefit=pd.read_csv(folder / "benefit.csv"),
        described=_described(fit),
        failed=fit.failed,
    )


def horizon_of(fit: EnsembleFit) -> float:
    """12, 6 or 3 months: the longest within the follow-up of both arms in every member.

    Where none is, the follow-up itself.
    """
    end = member_arms(fit, TREATMENT).end
    return next((horizon for horizon in HORIZONS if horizon <= end), end)


def _described(fit: EnsembleFit) -> dict[str, Any]:
    return {
        "formula": fit.stacked.design.formula,
        "events": [int(fit.events.min()), int(fit.events.max())],
        "priors": fit.stacked.specification.described_priors(),
        "sampling": dict(fit.stacked.settings),
        "notes": list(fit.notes),
        "passed_checks": not fit.failed,
    }


def variance_table(fits: list[Fitted]) -> pd.DataFrame:
    """How much of the uncertainty of each main estimand lies between members: the missing data.

    Columns as `COLUMNS`: prob_low and prob_high are the range of single members' probabilities;
    the standard deviations are of the logarithm for ratios.
    """
    rows = [row for each in fits for row in _rows(each)]
    return pd.DataFrame(rows).reindex(columns=list(COLUMNS))


def _rows(fitted: Fitted) -> Iterator[dict[str, Any]]:
    once = {"endpoint": fitted.endpoint, "baseline": fitted.baseline, "model": fitted.model}
    ratio = fitted.ratios.set_index("term").loc[TREATMENT]
    yield {
        **once,
        **ratio.to_dict(),
        "quantity": f"hazard ratio of {TREATMENT}",
        "estimate": ratio["hazard_ratio"],
        "probability_of_benefit": ratio["prob_below_1"],
    }
    benefit = fitted.benefit.drop_duplicates("quantity").loc[lambda t: t["quantity"].isin(MAIN)]
    for row in benefit.to_dict("records"):
        yield {
            **once,
            **row,
            "quantity": str(row["quantity"]).replace("_", " "),
            "probability_of_benefit": row["probability"],
        }
