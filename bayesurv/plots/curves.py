"""Survival and hazard over time, from summaries of the posterior."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, NullLocator

from bayesurv.frequentist.kaplan_meier import KaplanMeier
from bayesurv.plots.risk_table import TABLE_LEFT, Counts, draw_risk_table, table_height
from bayesurv.plots.style import DASHED, INK, legend_above, look, name_time, new_axes

if TYPE_CHECKING:
    import xarray as xr

AXES_HEIGHT = 2.9
MOST_TICKS = 300
END = 10  # points, of the mark of the end of follow-up


def plot_survival(
    curves: "Mapping[str, xr.Dataset]",
    observed: Mapping[str, KaplanMeier] | None = None,
    *,
    unit: str,
    label: str = "Survival",
    origin: str = "origin",
    ends: Mapping[str, float] | None = None,
    columns: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw survival of each arm, the Kaplan-Meier estimate over it, and the numbers at risk.

    Parameters
    ----------
    curves : mapping of Dataset
        By arm, variables mean, lower and upper over `time`, as `summarise` gives; attribute
        `ci_prob`.
    observed : mapping of KaplanMeier, optional
        By arm; brings the table of numbers at risk. Alone, without `curves`, is allowed.
    unit, label, origin : str
        Unit of time, such as months; what survives, for the y axis; what time counts from.
    ends : mapping of float, optional
        End of follow-up by arm, beyond which a curve is dashed. Unless given, that of `observed`,
        else the curve's attribute `end_of_follow_up`.
    columns : int, optional
        Journal columns; unless given, one for up to two arms.
    ax : Axes, optional
        Where to draw; new axes, with room for the table, unless given.
    """
    observed = observed or {}
    arms = list(dict.fromkeys([*curves, *observed]))
    if ax is None:
        height = table_height(len(observed), lines=3) if observed else 0
        ax = new_axes(columns or (1 if len(arms) <= 2 else 2), AXES_HEIGHT + height)
    stops = [float(curve.time[-1]) for curve in curves.values()]
    stop = max([*stops, *(estimate.end for estimate in observed.values())])
    known = _ends(curves, observed, ends)
    for i, arm in enumerate(arms):
        if arm in curves:
            _draw_curve(ax, i, curves[arm], known[arm])
        if arm in observed:
            _draw_observed(ax, i, observed[arm], alone=arm not in curves)
    name_time(ax, stop, unit, origin)
    ax.set(ylim=(0, 1.02), yticks=np.linspace(0, 1, 6), ylabel=label)
    ax.spines.left.set_bounds(0, 1)
    _legend(ax, curves, observed, known)
    if observed:
        tables = ((i, arm) for i, arm in enumerate(arms) if arm in observed)
        draw_risk_table(ax, {arm: (i, _counts(observed[arm])) for i, arm in tables})
    return ax


def plot_hazard(
    curves: "Mapping[str, xr.Dataset]",
    *,
    unit: str,
    origin: str = "origin",
    knots: np.ndarray | None = None,
    ends: Mapping[str, float] | None = None,
    log: bool = False,
    columns: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the hazard per unit of time of each arm, dashed beyond its end of follow-up.

    Parameters
    ----------
    curves, unit, origin, ends, columns, ax
        As for `plot_survival`; the hazard is per `unit`.
    knots : array, (knot,), optional
        Cuts of the baseline, marked on the axis of time.
    log : bool
        Logarithmic y axis; otherwise from 0.
    """
    if ax is None:
        ax = new_axes(columns or (1 if len(curves) <= 2 else 2), AXES_HEIGHT)
    stop = max(float(curve.time[-1]) for curve in curves.values())
    known = _ends(curves, {}, ends)
    for i, (arm, curve) in enumerate(curves.items()):
        _draw_curve(ax, i, curve, known[arm])
    name_time(ax, stop, unit, origin)
    if log:
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_locator(NullLocator())
    else:
        ax.set_ylim(0, _top([*curves.values()]))
    ax.set_ylabel(f"Hazard per {unit.removesuffix('s')}")
    if knots is not None:
        inside = [float(knot) for knot in knots if 0 < knot < stop]
        ax.plot(
            inside,
            0 * np.array(inside),
            "|",
            ms=7,
            mew=0.6,
            c=INK,
            transform=ax.get_xaxis_transform(),
        )
    _legend(ax, curves, {}, known)
    return ax


def _ends(
    curves: "Mapping[str, xr.Dataset]",
    observed: Mapping[str, KaplanMeier],
    given: Mapping[str, float] | None,
) -> dict[str, float]:
    """End of follow-up of each curve."""
    known = {arm: c.attrs.get("end_of_follow_up", np.inf) for arm, c in curves.items()}
    known |= {arm: observed[arm].end for arm in curves if arm in observed}
    return {arm: float((given or {}).get(arm, end)) for arm, end in known.items()}


def _draw_curve(ax: Axes, i: int, curve: "xr.Dataset", end: float) -> None:
    """Band and mean, solid up to the end of follow-up, which is marked, and dashed beyond."""
    colour, marker = look(i)
    time = curve.time.to_numpy().astype(float)
    parts = [curve[name].to_numpy() for name in ("mean", "lower", "upper")]
    finite = np.isfinite(parts).all(axis=0)
    time, parts = time[finite], [part[finite] for part in parts]
    cut = np.sort(np.append(time, end)) if time[0] < end < time[-1] else time
    mean, lower, upper = (np.interp(cut, time, part) for part in parts)
    for part, alpha, dashes in ((cut <= end, 0.2, "-"), (cut >= end, 0.08, DASHED)):
        if part.sum() < 2:
            continue
        ax.fill_between(cut[part], lower[part], upper[part], color=colour, alpha=alpha, lw=0)
        (line,) = ax.plot(cut[part], mean[part], lw=1.3, ls=dashes, color=colour, zorder=3)
        if dashes == "-":
            spots = float(curve.time[-1]) * (0.06 + 0.05 * (i % 6) + 0.3 * np.arange(4))
            every = np.searchsorted(cut[part], spots[spots <= cut[part][-1]])
            line.set(marker=marker, markevery=every.tolist(), ms=3.6, mfc="white", mew=0.8)
    if time[0] < end < time[-1]:
        at = np.interp(end, cut, mean)
        ax.plot([end], [at], "|", ms=END, mew=1.3, color=colour, zorder=3, clip_on=False)


def _draw_observed(ax: Axes, i: int, observed: KaplanMeier, alone: bool) -> None:
    """Steps, and a tick at each time of censoring; the main line of the arm where alone."""
    time = np.append(observed.time, observed.end)
    survival = np.append(observed.survival, observed.survival[-1])
    style: dict[str, Any] = {"color": look(i)[0], "zorder": 2}
    ax.step(time, survival, where="post", lw=1.2 if alone else 0.6, **style)
    seen = np.unique(observed.censored)
    if len(seen) <= MOST_TICKS:  # more would hide the line
        ax.plot(seen, observed.survival_at(seen), "|", ms=4.5, mew=0.6, **style)
    if alone:
        lower, upper = (np.append(a, a[-1]) for a in (observed.lower, observed.upper))
        ax.fill_between(time, lower, upper, step="post", color=style["color"], alpha=0.15, lw=0)


def _top(curves: "list[xr.Dataset]") -> float:
    """Upper end of the hazard axis; a spike, as of a Weibull at 0, may run out of it."""
    bands = [curve["upper"].to_numpy() for curve in curves]
    bands = [band[np.isfinite(band)] for band in bands]
    return 1.05 * max(min(band.max(), 2 * float(np.quantile(band, 0.9))) for band in bands)


def _legend(
    ax: Axes,
    curves: "Mapping[str, xr.Dataset]",
    observed: Mapping[str, KaplanMeier],
    ends: Mapping[str, float],
) -> None:
    """Above the axes, so that it never lies over the data."""
    handles: list[Any] = []
    arms = list(dict.fromkeys([*curves, *observed]))
    for i, arm in enumerate(arms):
        colour, marker = look(i)
        shape = marker if arm in curves else ""
        line = Line2D([], [], color=colour, lw=1.3, marker=shape, ms=3.6, mfc="white", mew=0.8)
        handles.append((Patch(facecolor=colour, alpha=0.2), line))
    names = list(arms)
    if observed and curves:
        handles.append(Line2D([], [], color=INK, lw=0.6, marker="|", ms=4.5, mew=0.6))
        names.append("Kaplan–Meier")
    if any(float(curve.time[-1]) > ends[arm] for arm, curve in curves.items()):
        end = Line2D([], [], color=INK, lw=0, marker="|", ms=END, mew=1.3)
        handles.append((Line2D([], [], color=INK, lw=1.3, ls=DASHED), end))
        names.append("Beyond follow-up")
    legend_above(ax, handles, names, _title(curves, observed), TABLE_LEFT * bool(observed))


def _counts(estimate: KaplanMeier) -> Counts:
    return {
        "At risk": estimate.at_risk,
        "Events": estimate.events_before,
        "Censored": estimate.censored_before,
    }


def _title(curves: "Mapping[str, xr.Dataset]", observed: Mapping[str, KaplanMeier]) -> str | None:
    """What the lines and bands are."""
    if curves:
        probs = {c.attrs["ci_prob"] for c in curves.values() if "ci_prob" in c.attrs}
        what, kind = "Posterior mean", "credible"
    else:
        probs = {estimate.ci_prob for estimate in observed.values()}
        what, kind = "Kaplan–Meier", "confidence"
    written = " or ".join(f"{100 * prob:g}%" for prob in sorted(probs))
    return f"{what}, {written} {kind} interval" if written else what
