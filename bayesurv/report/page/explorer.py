"""The explorer of a report: survival of every profile, computed before the page is opened.

The browser adds no number: it looks up the profile that was chosen and draws it.
"""

from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from math import ceil
from typing import Any

import numpy as np

from bayesurv.data.faults import InputError
from bayesurv.ensembles import EnsembleFit
from bayesurv.estimands.comparison import compare
from bayesurv.estimands.summary import CI_PROB
from bayesurv.fitting import Fit
from bayesurv.plots.style import time_ticks
from bayesurv.report.page.explorer_numbers import (
    COHORT,
    Grid,
    Packed,
    averaged,
    cohort_draws,
    digits,
    profile_draws,
)
from bayesurv.report.page.explorer_profiles import MOST_PROFILES, Choices, choices
from bayesurv.saved import provenance

type Fitted = Fit | EnsembleFit

AVERAGED = "model-averaged"
POINTS = 49
EXACT = 6  # digits of a time
MOST_CURVES = 400_000  # draws times profiles times arms, in memory at a time
MILESTONES = {
    "days": (30, 90, 180, 365, 730, 1095, 1825, 3650),
    "weeks": (4, 13, 26, 52, 104, 156, 260, 520),
    "months": (3, 6, 12, 24, 36, 60, 120),
    "years": (0.5, 1, 2, 3, 5, 10),
}
MOST_MILESTONES = 5
STATIC = ("vendor/d3.min.js", "vendor/plot.min.js", "explorer.js")


def explorer_data(
    fits: Mapping[str, Mapping[str, Fitted]],
    treatment: str | None,
    horizon: float | None,
    weights: Mapping[str, Mapping[str, float]] | None = None,
) -> dict[str, Any]:
    """Curves, medians, milestones, RMST and contrasts of every profile, ready for JSON.

    Parameters
    ----------
    fits
        By endpoint and name of the model, as loaded; an ensemble's draws are those of its mixture.
    treatment
        The arms to compare; unless given, those of the first covariate with few levels.
    horizon
        Of RMST, in the fits' unit; unless given, the one that a fit was saved with. Without one, or
        past the follow-up of an arm, the end of the arm followed least long. The page states it.
    weights
        Of each model of an endpoint; unless given, stacking weights of the models of one formula.

    Raises
    ------
    InputError
        The treatment has a single level.
    """
    endpoints = []
    for endpoint, models in fits.items():
        given = _weights(models) if weights is None else weights.get(endpoint, {})
        endpoints.append(
            {
                "name": endpoint,
                "label": endpoint.upper() if len(endpoint) <= 4 else endpoint.replace("_", " "),
                "models": _models(models, treatment, horizon, given),
            }
        )
    return {"ci_prob": CI_PROB, "treatment": treatment or "", "endpoints": endpoints}


def explorer_assets() -> dict[str, str]:
    """Style sheet and script of the explorer, `css` and `js`, with the libraries they need."""
    folder = files("bayesurv.report.page") / "static"
    scripts = [(folder / name).read_text(encoding="utf-8") for name in STATIC]
    return {
        "css": (folder / "explorer.css").read_text(encoding="utf-8"),
        "js": ";\n".join(scripts),
    }


def _weights(models: Mapping[str, Fitted]) -> dict[str, float]:
    """Stacking weights of fits of the same patients by one formula; none where there are none."""
    single = {name: fit for name, fit in models.items() if isinstance(fit, Fit)}
    formulas = {fit.design.formula for fit in single.values()}
    if len(single) < 2 or len(single) < len(models) or len(formulas) > 1:
        return {}
    try:
        return compare(single).weights
    except InputError:
        return {}


def _models(
    models: Mapping[str, Fitted],
    treatment: str | None,
    horizon: float | None,
    weights: Mapping[str, float],
) -> list[dict[str, Any]]:
    """Every model of an endpoint, and their average where there are weights."""
    found = {name: choices(fit, treatment) for name, fit in models.items()}
    pooled = {name: weights[name] for name in models if name in weights}
    shared: dict[str, Any] = {"profiles": {}, COHORT: {}}
    packed = []
    for name, fit in models.items():
        whole = fit.stacked if isinstance(fit, EnsembleFit) else fit
        grid = _grid(whole, found[name], horizon)
        step = _step(whole, found[name])
        drawn = profile_draws(whole.thinned(step), found[name], grid)
        cohort = cohort_draws(fit.thinned(step), found[name], grid)
        described = _describe(fit, found[name], grid, step)
        packed.append(_packed(name, described, grid, found[name], drawn, cohort))
        if len(pooled) > 1 and name in pooled:
            shared["profiles"][name], shared[COHORT][name] = drawn, cohort
            shared["last"] = (described, grid, found[name])
    if len(pooled) > 1:
        described, grid, chosen = shared["last"]
        both = [
            (averaged({name: each[0] for name, each in shared[which].items()}, pooled), member)
            for which in ("profiles", COHORT)
            for member in [next(iter(shared[which].values()))[1]]
        ]
        said = described | {"weights": {name: digits(share) for name, share in pooled.items()}}
        packed.append(_packed(AVERAGED, said, grid, chosen, *both))
    return packed


def _packed(
    name: str,
    described: Mapping[str, Any],
    grid: Grid,
    chosen: Choices,
    profiles: tuple[Mapping[str, Any], np.ndarray],
    cohort: tuple[Mapping[str, Any], np.ndarray],
) -> dict[str, Any]:
    """One model as the browser gets it."""
    packed = Packed(grid)
    packed.add(*profiles, chosen.keys)
    packed.add(*cohort, [COHORT])
    label = name.replace("-", " ") if name != AVERAGED else name
    return {
        "name": name,
        "label": label[:1].upper() + label[1:],
        **described,
        "curves": packed.curves,
        "contrasts": packed.contrasts,
        "profiles": packed.profiles,
    }


def _describe(fit: Fitted, chosen: Choices, grid: Grid, step: int) -> dict[str, Any]:
    """What the browser must know of a model besides its numbers."""
    whole = fit.stacked if isinstance(fit, EnsembleFit) else fit
    arms = chosen.arms
    return {
        "unit": whole.unit,
        "failed": whole.failed,
        "arms": list(arms.names) if arms.treatment else ["all patients"],
        "ends": [digits(end, EXACT) for end in _ends(fit, chosen)],
        "end": digits(arms.end, EXACT),
        "time": [digits(time, EXACT) for time in grid.times],
        "ticks": time_ticks(float(grid.times[-1]), whole.unit),
        "milestones": grid.positions,
        "horizon": digits(grid.horizon, EXACT),
        "covariates": [
            {"name": each.name, "label": _words(each.name), "choices": list(each.labels)}
            | {"start": each.start}
            for each in chosen.offered
        ],
        "notes": list(_notes(fit, chosen, step)),
    }


def _notes(fit: Fitted, chosen: Choices, step: int) -> Iterable[str]:
    whole = fit.stacked if isinstance(fit, EnsembleFit) else fit
    sizes = whole.posterior.sizes
    every, used = sizes["chain"] * sizes["draw"], sizes["chain"] * ceil(sizes["draw"] / step)
    some = f"{used:,} of {every:,} posterior draws" if step > 1 else f"{every:,} posterior draws"
    members = f", pooled over {fit.n_members} members" if isinstance(fit, EnsembleFit) else ""
    yield f"From {some}{members}; averages are taken inside each draw."
    if any("quartile" in label for each in chosen.offered for label in each.labels):
        yield "Quartiles are rounded, so that they are no single patient's values."
    for each in chosen.still:
        fixed = f"{_words(each.name)} stands at {each.labels[each.start]}"
        yield f"{fixed}: with it there would be more than {MOST_PROFILES} profiles."


def _ends(fit: Fitted, chosen: Choices) -> Sequence[float]:
    """End of follow-up of each arm; of an ensemble what holds for both arms of every member."""
    arms = chosen.arms
    if isinstance(fit, EnsembleFit) or not arms.treatment:
        return [arms.end] * len(arms.levels)
    data = fit.draws["observed_data"]
    last = np.fmax(data["time"].to_numpy(), data["upper"].to_numpy())
    given = fit.design.training[arms.treatment]
    return [float(last[(given == level).to_numpy()].max()) for level in arms.levels]


def _grid(fit: Fit, chosen: Choices, horizon: float | None) -> Grid:
    """Times to the end of follow-up, with the milestones and the horizon among them."""
    arms = chosen.arms
    last = arms.end if fit.end_of_follow_up < arms.end else fit.end_of_follow_up
    asked = provenance(fit).get("horizon") if horizon is None else horizon
    until = asked if asked is not None and 0 < asked <= arms.end else arms.end
    known = [float(time) for time in MILESTONES.get(fit.unit, ()) if time <= arms.end]
    stated = known or [time for time in time_ticks(arms.end, fit.unit) if time > 0]
    milestones = tuple(sorted({*stated[-MOST_MILESTONES:], until}))
    times = np.union1d(np.linspace(0, last, POINTS), [*milestones, arms.end])
    return Grid(times, milestones, float(until))


def _step(fit: Fit, chosen: Choices) -> int:
    """Every how many draws are used, so that the curves of all profiles fit into memory."""
    sizes = fit.posterior.sizes
    curves = len(chosen.keys) * len(chosen.arms.levels)
    return max(1, ceil(sizes["chain"] * sizes["draw"] * curves / MOST_CURVES))


def _words(name: str) -> str:
    return name.replace("_", " ")
