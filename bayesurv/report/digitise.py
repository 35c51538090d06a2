"""Patients out of digitised curves, as files: the cohort, how near it is, a figure, its origin."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from bayesurv.data.digitised import Digitised
from bayesurv.data.digitised_patients import reconstruct_patients
from bayesurv.data.digitised_tables import check_events, read_digitised
from bayesurv.data.faults import Fault, InputError
from bayesurv.frequentist.agreement import Agreement, agreement
from bayesurv.frequentist.cox import cox
from bayesurv.frequentist.kaplan_meier import KaplanMeier, kaplan_meier
from bayesurv.frequentist.log_rank import log_rank
from bayesurv.frequentist.quantiles import quantile
from bayesurv.plots.digitised import plot_digitised
from bayesurv.plots.style import figure_files, number, p_value, save_all
from bayesurv.report.answer import Answer
from bayesurv.report.files import REMEDY, check_files, write_files
from bayesurv.report.origin import command, versions

SIBLINGS = ("agreement.csv", "provenance.json")
OUTCOME = ("synthetic", "time", "event")
POOR = 0.05  # largest error of survival that needs no remark
CAUTION = (
    "These patients are synthetic: they share the curve and the numbers at risk, not the persons. "
    "Nothing but time, event and arm is known of them, so nothing can be adjusted for."
)


def run_digitise(
    curves: Path,
    at_risk: Path,
    out: Path,
    *,
    events: Mapping[str, int] | None = None,
    treatment: str = "arm",
    unit: str = "months",
) -> Answer:
    """Reconstruct, and write `out` and beside it its agreement, figure and provenance.

    Of ipd.csv these are ipd.agreement.csv, ipd.png, ipd.svg, ipd.pdf and ipd.provenance.json.
    Returns what there is to say of it.

    Raises
    ------
    InputError
        As `read_digitised`; numbers of events cannot be; or a file cannot be written.
    """
    _check_names(out, treatment)
    agreed, mark = (out.with_name(f"{out.stem}.{name}") for name in SIBLINGS)
    figures = figure_files(out.with_suffix(""))
    check_files((out, agreed, *figures, mark), (curves, at_risk), mark)
    read = read_digitised(curves, at_risk)
    check_events(read, events or {})
    patients = _patients(read, events or {})
    answer = digitised_answer(read, patients, unit)
    provenance = {
        "bayesurv": version("bayesurv"),
        "command": command(),
        "versions": versions(),
        "options": {"treatment": treatment, "unit": unit, "events": dict(events or {})},
        "inputs": {path.name: _digest(path) for path in (curves, at_risk)},
        "notes": list(answer.notes),
        "files": [path.name for path in (out, agreed, *figures, mark)],
    }
    table = patients.rename(columns={"arm": treatment}).round({"time": 6})
    write_files(
        {
            agreed: answer.tables["agreement"].to_csv(index=False),
            mark: json.dumps(provenance, indent=2) + "\n",
            out: table.to_csv(index=False),
        }
    )
    save_all(answer.figures["digitised"], out.with_suffix(""))
    return answer


def _check_names(out: Path, treatment: str) -> None:
    faults = []
    if out.suffix.lower() != ".csv":
        faults.append(f"{out} is not the name of a .csv file; {REMEDY}")
    if treatment in OUTCOME or not treatment.isidentifier():
        faults.append(
            f'--treatment: "{treatment}" cannot name the column of the arms; choose a word other '
            f"than {', '.join(OUTCOME)}"
        )
    if faults:
        raise InputError(map(Fault, faults))


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _patients(read: Mapping[str, Digitised], events: Mapping[str, int]) -> pd.DataFrame:
    """Every arm's patients: columns synthetic, arm, time, event."""
    parts, faults = [], []
    for arm, curve in read.items():
        try:
            found = reconstruct_patients(curve, events.get(arm))
        except InputError as error:
            faults += [Fault(f'events of arm "{arm}": {error}', value=events[arm])]
            continue
        parts.append(found.assign(synthetic=True, arm=arm))
    if faults:
        raise InputError(faults)
    return pd.concat(parts, ignore_index=True)[["synthetic", "arm", "time", "event"]]


# --- What there is to say ---


def digitised_answer(read: Mapping[str, Digitised], patients: pd.DataFrame, unit: str) -> Answer:
    """How near the patients are to what was read, arm by arm, and how the arms compare."""
    arms = {arm: kaplan_meier(rows["time"], rows["event"]) for arm, rows in _by_arm(patients)}
    agreed = {arm: agreement(curve, arms[arm]) for arm, curve in read.items()}
    table = pd.DataFrame([_row(arm, arms[arm], agreed[arm]) for arm in read])
    figure = plot_digitised(
        arms,
        {arm: (curve.read[:, 0], curve.read[:, 1]) for arm, curve in read.items()},
        {arm: (curve.risk_time, curve.at_risk) for arm, curve in read.items()},
        unit=unit,
    )
    notes = [f"{arm}: {note}." for arm, curve in read.items() for note in curve.notes]
    notes += [
        f"{arm}: the curve of these patients is up to {found.max_absolute_error:.3f} from the "
        "points; the numbers at risk and the curve hardly go together, so check both."
        for arm, found in agreed.items()
        if found.max_absolute_error > POOR
    ]
    return Answer(
        "\n".join(compared(patients)),
        _shown(table, unit),
        {"agreement": table},
        {"digitised": figure},
        (*notes, CAUTION),
    )


def _by_arm(patients: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    yield from patients.groupby("arm", sort=False)


def _row(arm: str, estimate: KaplanMeier, found: Agreement) -> dict[str, object]:
    median = quantile(estimate)
    return {
        "arm": arm,
        "patients": estimate.n,
        "events": estimate.events,
        "median": median.estimate,
        "median_lower": median.lower,
        "median_upper": median.upper,
        "points": found.points,
        "rmse": found.rmse,
        "mean_absolute_error": found.mean_absolute_error,
        "max_absolute_error": found.max_absolute_error,
        "ks_p": found.ks_p,
        "max_at_risk_difference": int(abs(found.at_risk).max()),
    }


def _shown(table: pd.DataFrame, unit: str) -> pd.DataFrame:
    """The table in the digits that it deserves."""
    errors = ["rmse", "mean_absolute_error", "max_absolute_error"]
    shown = table.drop(columns=["median_lower", "median_upper", "points", "ks_p"]).astype(object)
    shown["median"] = [
        "not reached" if np.isnan(time) else f"{time:.3g}" for time in table["median"]
    ]
    shown[errors] = [[f"{error:.4f}" for error in row] for row in table[errors].to_numpy()]
    names = {"patients": "n", "median": f"median, {unit}", "rmse": "RMSE",
             "mean_absolute_error": "mean error", "max_absolute_error": "max error",
             "max_at_risk_difference": "at risk off by"}  # fmt: skip
    return shown.rename(columns=names)


def compared(patients: pd.DataFrame) -> Iterator[str]:
    """The log-rank test, and Cox's hazard ratio of each later arm against the first."""
    arms = patients["arm"].unique()
    if len(arms) == 1:
        yield "One arm: there is nothing to compare it with."
        return
    time, event, arm = (patients[name].to_numpy() for name in ("time", "event", "arm"))
    if not event.any():
        yield "No event: there are no hazards to compare."
        return
    indicators = (arm[:, None] == arms[1:]).astype(float)
    fitted = cox(time, event, indicators, list(arms[1:]))
    method = "Cox"
    if fitted.infinite:
        fitted, method = cox(time, event, indicators, list(arms[1:]), firth=True), "Cox with Firth"
    lower, upper = fitted.interval(method="profile" if fitted.firth else "wald")
    yield f"Log-rank P = {p_value(log_rank(time, event, arm).p)} among the reconstructed patients."
    for name, estimate, *ends in zip(arms[1:], fitted.coefficient, lower, upper, strict=True):
        ratio, low, high = (number(float(np.exp(value))) for value in (estimate, *ends))
        yield f"{name} against {arms[0]}: hazard ratio {ratio} (95% CI {low} to {high}, {method})."
