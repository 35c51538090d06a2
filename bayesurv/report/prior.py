"""What the priors imply, before any outcome is seen."""

from pathlib import Path

import numpy as np
import pandas as pd

from bayesurv.estimands.curves import survival, time_grid
from bayesurv.estimands.functionals import survival_quantile
from bayesurv.estimands.summary import hazard_ratios, summarise, survival_table
from bayesurv.fitting import Fit
from bayesurv.plan import Plan
from bayesurv.report.folder import staged
from bayesurv.report.origin import write_provenance
from bayesurv.report.rehearse import rehearse
from bayesurv.report.results import stated_profiles

Tables = list[tuple[str, pd.DataFrame, tuple[str, ...]]]


def run_prior(plan: Plan, out: Path) -> Tables:
    """Write `prior.csv`, `survival.csv` and a figure for every endpoint and baseline of a plan.

    Returns a title, the table of `prior.csv` and the notes of each.
    """
    found: Tables = []
    with staged(out) as staging:
        for (endpoint, baseline), drawn in rehearse(plan, plan.cohorts()).items():
            profiles = stated_profiles(drawn, plan.estimand.profiles, plan.estimand.treatment)
            table = implied(drawn, profiles)
            folder = staging / endpoint / baseline
            folder.mkdir(parents=True)
            _write(drawn, profiles, table, folder)
            title = f"Prior of {endpoint}, {baseline} (time in {drawn.unit})"
            found.append((title, table, drawn.notes))
        (staging / "plan.toml").write_text(plan.to_toml(), encoding="utf-8")
        write_provenance(staging, seed=plan.sampling_settings().seed)
    return found


def implied(drawn: Fit, profiles: pd.DataFrame) -> pd.DataFrame:
    """Median and 95% interval of hazard ratios, medians and survival under the prior.

    Columns quantity, of (term or profile), time, median, lower, upper, ci_prob.
    """
    ratios = hazard_ratios(drawn).rename(columns={"term": "of", "hazard_ratio": "median"})
    ratios = ratios.assign(quantity="hazard_ratio", time=np.nan)
    middle = summarise(survival_quantile(drawn, profiles, extrapolate=True)).to_dataframe()
    middle = middle.rename_axis("of").reset_index()
    middle = middle.assign(quantity="median_survival", time=np.nan, ci_prob=0.95)
    quarters = drawn.end_of_follow_up * np.array([0.25, 0.5, 0.75, 1])
    curve = survival_table(survival(drawn, profiles, quarters)).rename(columns={"profile": "of"})
    curve = curve.assign(quantity="survival")
    columns = ["quantity", "of", "time", "median", "lower", "upper", "ci_prob"]
    return pd.concat([part[columns] for part in (ratios, middle, curve) if len(part)])


def _write(drawn: Fit, profiles: pd.DataFrame, table: pd.DataFrame, folder: Path) -> None:
    from bayesurv.plots.curves import plot_survival
    from bayesurv.plots.style import save_all

    table.to_csv(folder / "prior.csv", index=False)
    curve = survival(drawn, profiles, time_grid(drawn))
    survival_table(curve).to_csv(folder / "survival.csv", index=False)
    arms = {
        str(name): summarise(curve.isel(individual=i))
        for i, name in enumerate(curve.individual.to_numpy()[:6])
    }
    axes = plot_survival(arms, None, unit=drawn.unit, label="Survival under the prior")
    save_all(axes, folder / "prior")
