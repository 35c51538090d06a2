"""Checks of MCMC draws: R-hat, effective sample sizes, divergences and energy."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import xarray as xr

MAX_R_HAT = 1.01
MIN_ESS = 400.0
MIN_BFMI = 0.3
TAILS = (0.05, 0.95)


class SamplingError(RuntimeError):
    """The sampler failed its checks twice; its draws should not be reported."""

    def __init__(self, sentences: list[str]) -> None:
        self.sentences = sentences
        advice = (
            "Try tighter priors, fewer terms or groups, or in [sampling] more tuning (tune = 4000) "
            "or a higher target_accept (0.999); to see the draws anyway, marked as failed, ask for "
            "it (--force, or force=True in Python)."
        )
        super().__init__("\n  ".join(["sampling failed its checks:", *sentences, advice]))


def summarise_chains(posterior: "xr.Dataset") -> pd.DataFrame:
    """Bulk and tail ESS and R-hat of every element.

    One row for each element, named as in `parameters.csv`, such as `coefficient[cti2]`.

    Source: Vehtari et al., Bayesian Analysis 2021, through arviz-stats.
    """
    from arviz_stats.base import array_stats

    rows = {}
    for label, values in elements(posterior):
        rows[label] = {
            "ess_bulk": array_stats.ess(values, chain_axis=0, draw_axis=1, method="bulk"),
            "ess_tail": array_stats.ess(
                values, chain_axis=0, draw_axis=1, method="tail", prob=TAILS
            ),
            "r_hat": array_stats.rhat(values, chain_axis=0, draw_axis=1),
        }
    return pd.DataFrame.from_dict(rows, orient="index").astype(float)


def elements(posterior: "xr.Dataset") -> list[tuple[str, np.ndarray]]:
    """Every scalar of a posterior by label, each of shape (chain, draw)."""
    found = []
    for name, variable in posterior.data_vars.items():
        values = variable.transpose("chain", "draw", ...).to_numpy()
        if values.ndim == 2:
            found.append((str(name), values))
            continue
        labels = posterior[variable.dims[-1]].to_numpy()
        prefix = str(name).partition("[")[0]
        found += [(f"{prefix}[{label}]", values[..., i]) for i, label in enumerate(labels)]
    return found


def diagnose(tree: "xr.DataTree") -> pd.DataFrame:
    """Check a run: columns check, value, limit, passed, worst (the parameter concerned).

    Draws without `sample_stats`, which were not made by NUTS, have no divergences and no energy.
    """
    chains = summarise_chains(tree["posterior"].to_dataset())
    rows = [
        ("r_hat", chains["r_hat"].max(), MAX_R_HAT, chains["r_hat"].idxmax()),
        ("ess_bulk", chains["ess_bulk"].min(), MIN_ESS, chains["ess_bulk"].idxmin()),
        ("ess_tail", chains["ess_tail"].min(), MIN_ESS, chains["ess_tail"].idxmin()),
    ]
    if "sample_stats" in tree.children:
        stats = tree["sample_stats"].to_dataset()
        rows += [
            ("divergences", int(stats["diverging"].sum()), 0, ""),
            ("bfmi", energy_fraction(stats["energy"].to_numpy()), MIN_BFMI, ""),
        ]
    return judged(rows)


def judged(rows: list[tuple[str, float, float, str]]) -> pd.DataFrame:
    """Table of checks from each one's name, value, limit and the parameter concerned."""
    table = pd.DataFrame(rows, columns=["check", "value", "limit", "worst"])
    at_most = table["check"].isin(["r_hat", "divergences", "pareto_k"])
    within = np.where(at_most, table["value"] <= table["limit"], table["value"] >= table["limit"])
    return table.assign(passed=within)[["check", "value", "limit", "passed", "worst"]]


def failures(diagnostics: pd.DataFrame) -> list[str]:
    """One sentence for each check that did not pass."""
    words = {
        "r_hat": "R-hat of {worst} is {value:.3f}, above {limit}: the chains disagree",
        "ess_bulk": "{worst} has {value:.0f} effective draws in the bulk, below {limit:.0f}",
        "ess_tail": "{worst} has {value:.0f} effective draws in the tails, below {limit:.0f}",
        "divergences": "{value:.0f} divergent transitions: part of the posterior is not reached",
        "bfmi": "the energy fraction (BFMI) is {value:.2f}, below {limit}: slow exploration",
    }
    failed = diagnostics[~diagnostics["passed"]]
    return [words[row["check"]].format(**row) for row in failed.to_dict("records")]


def monte_carlo_error(values: np.ndarray) -> float:
    """Monte-Carlo standard error of the mean of draws, shape `(chain, draw)`.

    Where all draws agree, that of one more draw that does not.
    """
    from arviz_stats.base import array_stats

    if np.ptp(values.astype(float)) == 0:
        return 1 / (values.size + 1)
    floats = values.astype(float)
    return float(array_stats.mcse(floats, chain_axis=0, draw_axis=1, method="mean"))


def energy_fraction(energy: np.ndarray) -> float:
    """Lowest Bayesian fraction of missing information of the chains; energy is (chain, draw)."""
    jumps = np.square(np.diff(energy, axis=1)).mean(axis=1)
    return float((jumps / energy.var(axis=1)).min())
