"""How near patients out of a digitised figure are to the true ones: a study on public cohorts.

Each cohort's Kaplan-Meier curves are read as a person reads a figure: above and below most steps
and at irregular places between, with an error in time and in survival, on a grid of 0.1%. From the
points, and the numbers at risk at six times or less than that, the patients are reconstructed and
analysed as the true ones are. The result is kept in tests/reference; after a change of what it
rests on, from the root of the repository:

    python scripts/digitise_study.py        # a minute
"""

import ast
import datetime
import hashlib
import inspect
import json
from pathlib import Path

import numpy as np
import pandas as pd

from bayesurv.data import digitised, digitised_patients
from bayesurv.data.digitised_patients import reconstruct_patients
from bayesurv.data.digitised_tables import read_digitised
from bayesurv.frequentist.agreement import agreement
from bayesurv.frequentist.cox import cox
from bayesurv.frequentist.kaplan_meier import kaplan_meier
from bayesurv.frequentist.quantiles import quantile
from bayesurv.frequentist.rmst import restricted_mean

ROOT = Path(__file__).parents[1]
DATA = ROOT / "tests" / "reference" / "data"
RESULT = ROOT / "tests" / "reference" / "digitised_study"
REPEATS = 10
READING_ERRORS = (0.002, 0.005)  # standard deviations, of survival and of time / length
NUMBERS = 6  # numbers at risk that are printed
BETWEEN = 60  # points read between the steps
MISSED = 0.1  # share of points that are not read
INFORMATION = ("numbers at risk, events", "numbers at risk", "start, events", "start")
SETTINGS = {
    "repeats": REPEATS,
    "reading_errors": list(READING_ERRORS),
    "numbers_at_risk": NUMBERS,
    "points_between": BETWEEN,
    "points_missed": MISSED,
}


def cohorts():
    """Time, event and arm (0 or 1) of public cohorts."""
    lung, veteran, ovarian, bmt = (
        pd.read_csv(DATA / f"{name}.csv") for name in ("lung", "veteran", "ovarian", "bmt")
    )
    lymphoma = pd.read_csv(ROOT / "scripts" / "lymphoma.csv")
    chosen = {
        "lung by sex": (lung["time"], lung["event"], lung["female"]),
        "veteran by treatment": (veteran["time"], veteran["event"], veteran["trt"]),
        "ovarian by treatment": (ovarian["time"], ovarian["event"], ovarian["rx2"]),
        "bmt by methotrexate": (bmt["time"], bmt["cause"].notna(), bmt["mtx"]),
        "lymphoma by stage": (lymphoma["days"], lymphoma["died"], lymphoma["stage"] == "IV"),
    }
    return {
        name: pd.DataFrame({"time": time.astype(float), "event": event, "arm": arm}).astype(
            {"event": int, "arm": int}
        )
        for name, (time, event, arm) in chosen.items()
    }


def read_off(estimate, length, reading_error, random):
    """Points of a curve as they are read: (time, survival)."""
    steps = estimate.time[1:]
    time = np.concatenate([steps, steps, random.uniform(0, estimate.end, BETWEEN)])
    survival = estimate.survival_at(time)
    survival[: len(steps)] = estimate.survival[:-1]
    read = random.uniform(size=len(time)) >= MISSED
    time = time[read] + random.normal(0, reading_error * length, read.sum())
    survival = survival[read] + random.normal(0, reading_error, read.sum())
    # Where the curve ends is seen, and so is what it ends at.
    time = np.append(np.clip(time, 0, estimate.end), estimate.end)
    survival = np.append(survival, estimate.survival[-1])
    return grid(time, length), np.clip(grid(survival, 1.0), 0, 1)


def grid(values, length):
    return np.round(values / length, 3) * length


def digitise(cohort, information, reading_error, random):
    """The reconstructed patients, and the largest error of their curves at the points."""
    length = cohort["time"].max()
    printed = grid(np.linspace(0, length, NUMBERS, endpoint=False), length)
    parts, errors = [], []
    for arm, rows in cohort.groupby("arm"):
        estimate = kaplan_meier(rows["time"], rows["event"])
        time, survival = read_off(estimate, length, reading_error, random)
        at = printed[printed <= estimate.end] if "numbers" in information else printed[:1]
        [curve] = read_digitised(
            pd.DataFrame({"arm": arm, "time": time, "survival": survival}),
            pd.DataFrame({"arm": arm, "time": at, "at_risk": estimate.at_risk(at)}),
        ).values()
        events = estimate.events if "events" in information else None
        patients = reconstruct_patients(curve, events)
        again = kaplan_meier(patients["time"], patients["event"])
        errors.append(agreement(curve, again).max_absolute_error)
        parts.append(patients.assign(arm=arm))
    return pd.concat(parts, ignore_index=True), max(errors)


def analysis(patients, times, horizon):
    """What a reader would compute: log hazard ratio, and of each arm the rest."""
    fitted = cox(patients["time"], patients["event"], patients[["arm"]].to_numpy(float), ["arm"])
    arms = [kaplan_meier(rows["time"], rows["event"]) for _, rows in patients.groupby("arm")]
    return {
        "log_hr": fitted.coefficient[0],
        "standard_error": fitted.standard_error[0],
        "events": np.array([arm.events for arm in arms]),
        "survival": np.array([arm.survival_at(times) for arm in arms]),
        "median": np.array([quantile(arm).estimate for arm in arms]),
        "rmst": np.array([restricted_mean(arm, horizon).estimate for arm in arms]),
    }


def one(name, cohort, information, reading_error, repeat):
    """The errors of one reconstruction."""
    seed = [2026, *name.encode(), INFORMATION.index(information), int(1e4 * reading_error), repeat]
    again, largest = digitise(cohort, information, reading_error, np.random.default_rng(seed))
    shorter = cohort.groupby("arm")["time"].max().min()
    times, horizon = shorter * np.array([0.25, 0.5, 0.75]), 0.8 * shorter
    true, found = (analysis(patients, times, horizon) for patients in (cohort, again))
    assert len(again) == len(cohort)
    with np.errstate(invalid="ignore"):
        median = found["median"] / true["median"] - 1
    return {
        "cohort": name,
        "information": information,
        "reading_error": reading_error,
        "repeat": repeat,
        "log_hr": found["log_hr"] - true["log_hr"],
        "log_hr_in_se": (found["log_hr"] - true["log_hr"]) / true["standard_error"],
        "se_ratio": found["standard_error"] / true["standard_error"],
        "events": abs(found["events"] - true["events"]).sum() / true["events"].sum(),
        "survival": abs(found["survival"] - true["survival"]).mean(),
        "median": np.nanmean(abs(median)) if np.isfinite(median).any() else np.nan,
        "rmst": abs(found["rmst"] / true["rmst"] - 1).mean(),
        "curve": largest,
    }


def study(repeats):
    return pd.DataFrame(
        one(name, cohort, information, reading_error, repeat)
        for name, cohort in cohorts().items()
        for information in INFORMATION
        for reading_error in READING_ERRORS
        for repeat in repeats
    )


def summary(result):
    """Mean and mean absolute error, by cohort and information."""
    errors = result.drop(columns=["reading_error", "repeat"])
    errors.insert(3, "abs_log_hr", errors["log_hr"].abs())
    return errors.groupby(["information", "cohort"]).mean()


def fingerprint():
    """Of the code that reconstructs, whatever its comments and documentation."""
    digest = hashlib.sha256()
    for module in (digitised, digitised_patients):
        tree = ast.parse(inspect.getsource(module))
        for node in ast.walk(tree):
            kinds = ast.Module | ast.FunctionDef | ast.ClassDef
            if isinstance(node, kinds) and ast.get_docstring(node):
                node.body = node.body[1:]
        digest.update(ast.unparse(tree).encode())
    return digest.hexdigest()


def main():
    result = study(range(REPEATS))
    result.round(5).to_csv(RESULT.with_suffix(".csv"), index=False)
    made = SETTINGS | {"code": fingerprint(), "made_on": str(datetime.date.today())}
    RESULT.with_suffix(".json").write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
    with pd.option_context("display.width", 200, "display.max_columns", 20):
        print(summary(result).round(4))


if __name__ == "__main__":
    main()
