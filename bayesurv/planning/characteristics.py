"""Operating characteristics of a design: what its simulated studies found, as a table."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
import pandas as pd

from bayesurv.inference.reweigh import MAX_PARETO_K
from bayesurv.planning.analysis import DOUBTFUL, LAPLACE
from bayesurv.planning.batches import Table
from bayesurv.planning.contradictions import PRIOR, RUNNING
from bayesurv.planning.decision import course, stopped
from bayesurv.planning.keys import DecisionKeys
from bayesurv.planning.monte_carlo import NONE, Estimate, mean, median, share
from bayesurv.planning.scenarios import Scenario

TYPE_I, POWER, ASSURANCE, SUCCESS = "type I error", "power", "assurance", "success"
CHANCES = (TYPE_I, POWER, ASSURANCE, SUCCESS)
FINAL, OVERALL = "final", "with looks"
NO_RATIO = "the hazard ratio changes with time, so that there is no single true one"

type Row = tuple[str, str, float, Estimate, str]


@dataclass(frozen=True, eq=False)
class Found:
    """All that the studies of one scenario and one number of patients found."""

    scenario: Scenario
    patients: int
    table: Table

    @classmethod
    def of_running(cls, table: Table) -> Self:
        """Completions of a running study."""
        return cls(Scenario(RUNNING), int(table["entered"].max()), table)

    @property
    def looks(self) -> int:
        """Number of interim analyses."""
        return len(self.table["calendar"]) - 1


def characteristics(found: list[Found], keys: DecisionKeys) -> pd.DataFrame:
    """Every quantity of every scenario and number of patients, one a row.

    Columns scenario, patients, hazard_ratio (empty where there is no single one), look ("1", "2",
    ..., "final" or "with looks"), quantity, threshold (of quantities that depend on it), estimate,
    mcse, lower, upper (95%, of the Monte Carlo error), studies, remark.
    """
    rows = []
    for each in found:
        place = {
            "scenario": each.scenario.name,
            "patients": each.patients,
            "hazard_ratio": each.scenario.hazard_ratio,
        }
        for look, quantity, threshold, estimate, remark in _rows(each, keys):
            own = {"look": look, "quantity": quantity, "threshold": threshold}
            rows.append(place | own | asdict(estimate) | {"remark": remark})
    return pd.DataFrame(rows)


def chance_name(scenario: Scenario, margin: float) -> str:
    """What the probability of success is called under a scenario."""
    if scenario.name == PRIOR:
        return ASSURANCE
    if np.isnan(scenario.hazard_ratio):
        return SUCCESS
    return POWER if scenario.hazard_ratio < margin else TYPE_I


def _rows(found: Found, keys: DecisionKeys) -> Iterator[Row]:
    for look in range(found.looks):
        yield from _look(found, keys, look)
    yield from _final(found, keys)
    if found.looks:
        yield from _overall(found, keys)


def _look(found: Found, keys: DecisionKeys, look: int) -> Iterator[Row]:
    """What one interim analysis shows; its own bounds, as if no look before it had stopped any."""
    at = {name: value[look] for name, value in found.table.items() if name != "log_ratio"}
    name, probability = str(look + 1), at["probability"]
    took_place = np.isfinite(at["calendar"])
    won, lost = stopped(probability, keys, look)
    yield name, "takes place", np.nan, share(took_place), ""
    if keys.efficacy is not None:
        yield name, "stops for success", keys.efficacy[look], share(won), ""
    if keys.futility is not None:
        yield name, "stops for futility", keys.futility[look], share(lost), ""
    yield name, "mean calendar time", np.nan, mean(at["calendar"]), ""
    yield name, "mean patients entered", np.nan, mean(at["entered"]), ""
    yield from _common(name, at, took_place)


def _final(found: Found, keys: DecisionKeys) -> Iterator[Row]:
    """What the final analysis shows, whether or not a look would have stopped the study."""
    at = {name: value[-1] for name, value in found.table.items() if name != "log_ratio"}
    chance = chance_name(found.scenario, keys.margin)
    for threshold in keys.threshold:
        yield FINAL, chance, threshold, share(at["probability"] >= threshold), ""
    truth = found.table["log_ratio"]
    known = bool(np.isfinite(truth).all())
    covered = (at["lower"] <= truth) & (truth <= at["upper"])
    remark = "" if known else NO_RATIO
    bias = mean(at["estimate"] - truth) if known else NONE
    yield FINAL, "bias of the log hazard ratio", np.nan, bias, remark
    yield FINAL, "coverage", np.nan, share(covered) if known else NONE, remark
    yield FINAL, "mean width of the interval", np.nan, mean(at["upper"] - at["lower"]), LOG_SCALE
    yield FINAL, "mean calendar time", np.nan, mean(at["calendar"]), ""
    yield from _common(FINAL, at, np.ones(len(truth), dtype=bool))


LOG_SCALE = "of the log hazard ratio"


def _common(name: str, at: Table, took_place: np.ndarray) -> Iterator[Row]:
    yield name, "mean P(benefit)", np.nan, mean(at["probability"]), ""
    yield name, "mean events", np.nan, mean(at["events"]), ""
    yield name, "median events", np.nan, median(at["events"]), ""
    method = at["method"][took_place]
    good = share(at["pareto_k"][took_place] < MAX_PARETO_K)
    yield name, f"share with k-hat below {MAX_PARETO_K:g}", np.nan, good, ""
    yield name, "share sampled by NUTS", np.nan, share(method != LAPLACE), ""
    yield name, "share that failed the sampler's checks", np.nan, share(method == DOUBTFUL), ""


def _overall(found: Found, keys: DecisionKeys) -> Iterator[Row]:
    """What a study with its looks comes to."""
    probability, count = found.table["probability"], np.arange(len(found.table["log_ratio"]))
    for threshold in keys.threshold:
        went = course(probability, keys, threshold)
        chance = chance_name(found.scenario, keys.margin)
        entered, calendar, events = (
            found.table[name][went.stage, count] for name in ("entered", "calendar", "events")
        )
        early = went.stage < found.looks
        yield OVERALL, chance, threshold, share(went.success), ""
        yield OVERALL, "stopped early", threshold, share(early), ""
        yield OVERALL, "stopped early for success", threshold, share(early & went.success), ""
        yield OVERALL, "expected patients", threshold, mean(entered), ""
        yield OVERALL, "expected events", threshold, mean(events), ""
        yield OVERALL, "expected calendar time", threshold, mean(calendar), ""


def study_rows(found: list[Found]) -> pd.DataFrame:
    """One row for each simulated study and analysis, with the columns of `Answers` and the truth.

    Columns scenario, hazard_ratio (the scenario's), patients, true_hazard_ratio (the study's own),
    study, look, calendar, entered, events, and the fields of `Answers`.
    """
    parts = []
    for each in found:
        looks = [*map(str, range(1, each.looks + 1)), FINAL]
        count = len(each.table["log_ratio"])
        for place, look in enumerate(looks):
            columns: Mapping[str, object] = {
                "scenario": each.scenario.name,
                "hazard_ratio": each.scenario.hazard_ratio,
                "patients": each.patients,
                "true_hazard_ratio": np.exp(each.table["log_ratio"]),
                "study": np.arange(count),
                "look": look,
                **{k: v[place] for k, v in each.table.items() if k != "log_ratio"},
            }
            part = pd.DataFrame(columns)
            parts.append(part[np.isfinite(part["calendar"])])
    return pd.concat(parts, ignore_index=True)
