"""The classical analysis of a plan's endpoints, alone and beside the Bayesian one."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from bayesurv.data.cohort import Cohort
from bayesurv.data.design import variables
from bayesurv.estimands.patients import arms
from bayesurv.estimands.side_by_side import UNEXPLAINED, side_by_side
from bayesurv.fitting import Fit
from bayesurv.frequentist.classical import classical
from bayesurv.frequentist.estimate import Estimate
from bayesurv.frequentist.guaranteed_time import guaranteed_time
from bayesurv.frequentist.observations import Observations
from bayesurv.plan import Plan
from bayesurv.plots.style import limits, number
from bayesurv.report.answer import FAILED
from bayesurv.report.results import observed_arm

FIRST = ("endpoint", "term", "method", "estimate", "lower", "upper", "p")


def classical_table(plan: Plan, observed: Mapping[str, Observations]) -> pd.DataFrame:
    """Every classical estimate of every endpoint; columns endpoint and those of `classical`."""
    asked = plan.estimand
    tables = {
        endpoint: classical(each, asked.treatment, asked.horizon, plan.endpoint[endpoint].cause)
        for endpoint, each in observed.items()
    }
    table = pd.concat(tables, names=["endpoint"]).reset_index("endpoint")
    return table[[*FIRST, *table.columns.drop(list(FIRST))]]


def observations(plan: Plan, cohort: Cohort) -> Observations:
    """The patients that a fit of this plan uses."""
    formula = plan.model.formula
    needed = variables(formula, cohort.covariates)
    return Observations.of(cohort.complete(needed, plan.cohort.missing), formula)


def write_side_by_side(
    plan: Plan, observed: Observations, fits: Mapping[str, Fit], folder: Path
) -> list[str]:
    """Write `side_by_side.csv` and `.txt` of an endpoint, its fits by baseline.

    Returns what there is to say of it.
    """
    cox, notes = regular_cox(observed)
    tables = {baseline: _beside(plan, fit, cox) for baseline, fit in fits.items()}
    table = pd.concat(tables, names=["baseline"]).reset_index("baseline")
    early = guaranteed_time(observed, plan.estimand.treatment)
    sentences = [*notes, *disagreements(table), *early]
    table.to_csv(folder / "side_by_side.csv", index=False)
    failed = [FAILED] if any(fit.failed for fit in fits.values()) else []
    text = "".join(f"{sentence}\n" for sentence in (*failed, *sentences))
    (folder / "side_by_side.txt").write_text(text, encoding="utf-8")
    return sentences


def regular_cox(observed: Observations) -> tuple[Estimate | None, list[str]]:
    """Cox's model of all terms, or Firth's where an estimate is infinite, and what to say of it."""
    if not observed.terms:
        return None, []
    try:
        found = observed.cox()
        if not found.infinite:
            return found, []
        firth = "Firth's penalised estimate and the posterior stand in its place."
        return observed.cox(firth=True), [f"Cox: {note}. {firth}" for note in found.notes]
    except ValueError as error:
        return None, [f"Cox's model could not be fitted: {error}."]


def classical_ratios(plan: Plan, cohort: Cohort) -> pd.DataFrame | None:
    """Hazard ratios of Cox's model of all terms, as `plot_forest` takes them; None without one.

    Firth's where an estimate is infinite.
    """
    found, _ = regular_cox(observations(plan, cohort))
    if found is None:
        return None
    ratios, lower, upper = np.exp([found.coefficient, *found.interval()])
    method = "cox-firth" if found.likelihood.firth else "cox"
    columns = {"term": found.terms, "hazard_ratio": ratios, "lower": lower, "upper": upper}
    return pd.DataFrame(columns).assign(method=method)


def _beside(plan: Plan, fit: Fit, cox: Estimate | None) -> pd.DataFrame:
    asked = plan.estimand
    members = arms(fit, asked.treatment)
    curves = {name: (chosen, observed_arm(fit, chosen)) for name, chosen in members.items()}
    end = min(km.end for _, km in curves.values())
    horizon = end if asked.horizon is None else asked.horizon
    times = [time for time in asked.times or (horizon,) if time <= end]
    return side_by_side(fit, cox, curves, horizon, times)


def disagreements(table: pd.DataFrame) -> Iterator[str]:
    """Where the two differ by more than prior and chance explain, or that they nowhere do."""
    compared = table[table["excess"].notna()]
    beyond = compared[compared["unexplained"]]
    if not len(beyond):
        largest = compared["excess"].abs().max()
        yield (
            f"Bayesian and classical estimates of the same {len(compared)} quantities agree to "
            f"within what the prior and chance explain (largest excess {largest:.1f}; "
            f"above {UNEXPLAINED:g} would be told)."
        )
    for row in beyond.itertuples():
        ratio = row.quantity == "hazard ratio"
        at = "" if pd.isna(row.time) else f" at {row.time:g}"
        pull = f"; the prior leads from there to {number(row.explained)}" if ratio else ""
        yield (
            f"{row.baseline}, {row.quantity}{at} of {row.of}: {number(row.bayesian)} (95% CrI "
            f"{limits(number(row.lower), number(row.upper))}) beside {number(row.classical)} "
            f"(95% CI {limits(number(row.classical_lower), number(row.classical_upper))}, "
            f"{row.method}){pull}. The rest is {abs(row.excess):.1f} times what chance "
            "explains: look at the form of the hazard (bayesurv check), at proportional hazards "
            "(schoenfeld in classical.csv) and at what the group terms take up."
        )
