"""How much of an estimate's uncertainty is the missing data, in sentences."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from bayesurv.ensembles import EnsembleFit
from bayesurv.plots.style import duration, limits, number, percent, probability

MEANING = (
    "What lies between members comes from patient data that were not published; it is as large as "
    "the members differ, and would vanish if the patients' data were known. The rest is what a "
    "cohort of this size leaves open."
)


def ensemble_sentence(fit: EnsembleFit, ratios: pd.DataFrame) -> str:
    """Share of the variance of each log hazard ratio that lies between members."""
    size = f"{fit.n_members} members of {fit.n_patients} patients"
    shares = [f"{row.term} {_share(row.share_between)}" for row in ratios.itertuples()]
    if not shares:
        return f"Pooled over {size}."
    text = f"Of the variance of the log hazard ratios, pooled over {size}, this much lies between "
    return f"{text}members: {', '.join(shares)}. {MEANING}"


def member_sentences(benefit: pd.DataFrame, unit: str) -> Iterator[str]:
    """What single members say of the treatment, beside the mixture."""
    rows: dict[str, Any] = {row.quantity: row for row in benefit[::-1].itertuples()}
    ratio = "hazard_ratio" if "hazard_ratio" in rows else "marginal_hazard_ratio"
    for quantity, written in ((ratio, number), ("rmst_difference", _time)):
        row = rows[quantity]
        name = quantity.replace("_", " ").replace("rmst", "RMST")
        at = "" if np.isnan(row.horizon) else f" to {duration(row.horizon, unit)}"
        yield (
            f"{name[0].upper()}{name[1:]}{at}: {written(row.estimate)} (95% CrI "
            f"{limits(written(row.lower), written(row.upper))}), "
            f"{_share(row.share_between)} of the variance between members, whose own medians run "
            f"from {written(row.member_low)} to {written(row.member_high)}. Posterior probability "
            f"of benefit {probability(row.probability)}; that of single members "
            f"{limits(probability(row.prob_low), probability(row.prob_high))}."
        )


def _share(share: float) -> str:
    return "an unknown part" if np.isnan(share) else percent(share)


def _time(value: float) -> str:
    return f"{round(value, 1) + 0.0:.1f}"
