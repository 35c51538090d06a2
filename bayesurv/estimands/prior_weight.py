"""How much the priors weigh in a fit: power-scaling, and the share of precision that is theirs."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from bayesurv.estimands.arms import Comparison
from bayesurv.estimands.sensitivity import rmst_difference, treatment_term
from bayesurv.fitting import Fit
from bayesurv.inference.diagnostics import elements
from bayesurv.inference.sensitivity import PowerScaling, diagnosis
from bayesurv.models.priors import Distribution
from bayesurv.refitting import density, total_log_likelihood

QUARTILES = (0.25, 0.75)


def power_scaling(comparison: Comparison) -> pd.DataFrame:
    """Sensitivity of the treatment's contrasts and of each parameter to prior and likelihood.

    Columns quantity; prior, all stated priors being scaled; treatment_prior, that of the
    treatment's coefficient alone; likelihood; and the diagnosis from prior and likelihood.
    """
    fit = comparison.fit
    stated = fit.draws["log_prior"].to_dataset()
    whole = sum(values for _, values in elements(stated))
    term = treatment_term(comparison)
    own = stated["coefficient"].transpose("chain", "draw", ...).to_numpy()
    own = own.reshape(*own.shape[:2], -1)[..., fit.design.terms.index(term)]
    data = total_log_likelihood(fit)
    scaled = [PowerScaling.of(np.asarray(part)) for part in (whole, own, data)]
    rows = []
    for name, draws in _quantities(comparison):
        prior, alone, likelihood = (each.sensitivity(draws) for each in scaled)
        rows.append((name, prior, alone, likelihood, diagnosis(prior, likelihood)))
    columns = ["quantity", "prior", "treatment_prior", "likelihood", "diagnosis"]
    return pd.DataFrame(rows, columns=columns)


def _quantities(comparison: Comparison) -> Iterator[tuple[str, np.ndarray]]:
    """Draws of what is power-scaled: the treatment's contrasts, then every parameter."""
    if comparison.conditional_ratio is None:
        yield "log_marginal_hazard_ratio", np.log(comparison.marginal_ratio)
    yield "rmst_difference", rmst_difference(comparison)
    parameters = elements(comparison.fit.posterior)
    own = f"coefficient[{treatment_term(comparison)}]"
    for name, draws in sorted(parameters, key=lambda each: each[0] != own):
        if not name.startswith("group_effect["):
            yield name, draws


def prior_share(fit: Fit) -> pd.DataFrame:
    """Share of each parameter's posterior precision that is its prior's.

    (posterior interquartile range / prior interquartile range)^2, on the logarithm of what is
    positive: prior variance^-1 / posterior variance^-1 where both are normal, and defined for
    heavy tails too. About 1, or above, where the data say nothing. Columns quantity, prior (its
    printed form), share and mcse.
    """
    model = density(fit)
    drawn = model.sampled(fit.draws["positions"]["position"].to_numpy())
    stated = {quantity.name for quantity in fit.specification.sampled()}
    rows = []
    for block in model.blocks():
        for i, prior in enumerate(block.priors if block.name in stated else ()):
            name = f"{block.name}[{block.labels[i]}]" if block.dim else block.name
            draws = drawn[block.name][..., i] if block.dim else drawn[block.name]
            rows.append((name, str(prior), *_share(draws, prior)))
    table = pd.DataFrame(rows, columns=["quantity", "prior", "share", "mcse"])
    level = table["quantity"] == "log_median"
    table.loc[level, ["quantity", "prior"]] = "median_survival", str(fit.specification.median)
    return table


def _share(draws: np.ndarray, prior: Distribution) -> tuple[float, float]:
    """Share of the precision that is the prior's, and its Monte-Carlo error."""
    from arviz_stats.base import array_stats

    believed = prior.frozen().ppf(QUARTILES)
    if prior.positive:
        draws, believed = np.log(draws), np.log(believed)
    width = np.ptp(np.quantile(draws, QUARTILES))
    errors = [
        array_stats.mcse(draws, chain_axis=0, draw_axis=1, method="quantile", prob=prob)
        for prob in QUARTILES
    ]
    share = (width / np.ptp(believed)) ** 2
    return float(share), float(2 * share * np.hypot(*errors) / width)
