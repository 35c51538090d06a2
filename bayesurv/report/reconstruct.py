"""Cohorts reconstructed from a summary, as files: the ensemble, its targets, what it identifies."""

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from bayesurv.data.faults import Fault, InputError, listed
from bayesurv.data.reconstruct.draw import Reconstruction
from bayesurv.data.reconstruct.ensemble import Ensemble, digest, reconstruct
from bayesurv.data.reconstruct.summary import Summary, read_summary
from bayesurv.frequentist.identified import identified, largest_gaps, quantities
from bayesurv.frequentist.recomputed import recomputed
from bayesurv.plots.reconstruct import plot_identified
from bayesurv.plots.style import figure_files, p_value, save_all
from bayesurv.report.answer import Answer
from bayesurv.report.files import REMEDY, check_files, write_files
from bayesurv.report.origin import command, versions
from bayesurv.report.watcher import Watcher

SIBLINGS = ("targets.csv", "residuals.csv", "identified.csv", "provenance.json")
STARTS = 100
MOST_PAIRS = 500
SYNTHETIC = (
    "Every row is synthetic: these cohorts are consistent with what is printed, and none of them "
    "is the patients. They are no sample from a distribution with a name: each comes from a random "
    "start of its own, moved until the printed numbers hold. What differs between members is at "
    "least that uncertain; what agrees may still be wrong if a reading of the print is."
)


def run_reconstruct(
    source: str, members: int, seed: int, out: Path, watcher: Watcher | None = None
) -> Answer:
    """Draw an ensemble and write `out` and, beside it, its targets and what it identifies.

    A run that was ended goes on where it stopped when the same is asked again.

    Raises
    ------
    InputError
        As `read_summary` and `reconstruct`; or a file cannot be written.
    """
    watcher = watcher or Watcher()
    if out.suffix.lower() != ".parquet" or members < 1:
        wrong = f"{out} is not the name of a .parquet file; {REMEDY}" if members > 0 else None
        raise InputError([Fault(wrong or f"--members: {members} is not above 0")])
    targets, residuals, found, mark = (out.with_name(f"{out.stem}.{name}") for name in SIBLINGS)
    figures = figure_files(found.with_suffix(""))
    inputs = [Path(source)] if Path(source).is_file() else []
    check_files((out, targets, residuals, found, *figures, mark), inputs, mark)
    summary = read_summary(source)
    partial = out.with_name(f".{out.name}.partial")
    watcher.step(f"Drawing {members} cohorts")
    ensemble = reconstruct(summary, members, seed, partial=partial, progress=watcher.share)
    watcher.step("Looking at them with the classical analysis")
    answer = reconstruct_answer(ensemble)
    provenance = {
        "bayesurv": version("bayesurv"),
        "command": command(),
        "versions": versions(),
        "seed": seed,
        "members": members,
        "summary": {"title": summary.title, "source": summary.source, "doi": summary.doi,
                    "licence": summary.licence, "sha256": digest(summary, seed)},
        "notes": list(answer.notes),
        "files": [path.name for path in (out, targets, residuals, found, *figures, mark)],
    }  # fmt: skip
    kept = out.with_name(f".{out.name}.new")
    ensemble.patients.to_parquet(kept, index=False, compression="zstd")
    save_all(answer.figures["identified"], found.with_suffix(""))
    write_files(
        {
            targets: answer.tables["targets"].to_csv(index=False),
            residuals: answer.tables["residuals"].to_csv(index=False),
            found: answer.tables["identified"].to_csv(index=False),
            mark: json.dumps(provenance, indent=2) + "\n",
        }
    )
    kept.replace(out)
    partial.unlink(missing_ok=True)
    return answer


def reconstruct_answer(ensemble: Ensemble) -> Answer:
    """What the members have of each printed number, and what they agree on."""
    summary = ensemble.summary
    cohorts = [rows for _, rows in ensemble.patients.groupby("member")]
    residuals = residual_table(summary, cohorts)
    targets = target_table(summary, residuals)
    drawing = Reconstruction(summary)
    starts = [drawing.random_start(number, ensemble.seed) for number in range(STARTS)]
    table = identified(
        [quantities(summary, rows) for rows in cohorts],
        [quantities(summary, rows) for rows in starts],
    )
    return Answer(
        sentence(summary, targets, len(cohorts)),
        shown(targets),
        {"targets": targets, "residuals": residuals, "identified": table},
        {"identified": plot_identified(table)},
        (*spread(summary, cohorts, starts, table), SYNTHETIC),
    )


def residual_table(summary: Summary, cohorts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Each printed number in each member: member, target, quantity, printed, found, residual."""
    rows = [
        {"member": member, **vars(each)}
        for member, patients in enumerate(cohorts)
        for each in recomputed(summary, patients)
    ]
    columns = ["member", "target", "quantity", "printed", "found", "residual"]
    return pd.DataFrame(rows, columns=columns)


def target_table(summary: Summary, residuals: pd.DataFrame) -> pd.DataFrame:
    """Each printed number over the members.

    Columns: target, quantity, kind, status, printed, lowest, median, highest, met (members),
    members, best_residual, reason (why it is not met, or how the print is read).
    """
    by_name = {target.name: target for target in summary.target}
    rows = []
    for (name, quantity), each in residuals.groupby(["target", "quantity"], sort=False):
        target, met = by_name[str(name)], int((each["residual"] == 0).sum())
        finite = each["found"].replace([np.inf, -np.inf], np.nan)
        rows.append(
            {
                "target": name,
                "quantity": quantity,
                "kind": target.kind,
                "status": target.status,
                "printed": each["printed"].iloc[0],
                "lowest": finite.min(),
                "median": finite.median(),
                "highest": finite.max(),
                "met": met,
                "members": len(each),
                "best_residual": each["residual"].min(),
                "reason": target.reason or target.reading or _near(met, len(each)),
            }
        )
    return pd.DataFrame(rows)


def _near(met: int, members: int) -> str:
    if met == members:
        return ""
    return (
        "the search ended near it: the printed digits are more than it could settle beside the rest"
    )


# --- Words ---


def sentence(summary: Summary, targets: pd.DataFrame, members: int) -> str:
    """How many of the printed numbers every member has, and which none has."""
    sought = targets[targets["status"] != "unmet"]
    every, none = sought[sought["met"] == members], sought[sought["met"] == 0]
    some = sought[(sought["met"] > 0) & (sought["met"] < members)]
    said = (
        f"{members} synthetic cohorts of {sum(summary.patients)} patients that have every printed "
        f"count, range and median; {len(every)} of {len(sought)} printed results of tests and "
        "models round to what is printed in every one"
    )
    if len(some):
        said += f", {len(some)} in some ({_named(some)})"
    return f"{said}; in none: {_named(none) if len(none) else 'nothing that was searched for'}."


def _named(rows: pd.DataFrame) -> str:
    return listed(f"{row.target}: {row.quantity} {row.printed}" for row in rows.itertuples())


def shown(targets: pd.DataFrame) -> pd.DataFrame:
    """The targets as they are printed on the screen."""
    return pd.DataFrame(
        {
            "target": targets["target"],
            "": targets["quantity"],
            "printed": targets["printed"],
            "members": [_span(row) for row in targets.itertuples()],
            "met in": [f"{row.met} of {row.members}" for row in targets.itertuples()],
        }
    )


def _span(row: object) -> str:
    lowest, highest = row.lowest, row.highest  # type: ignore[attr-defined]
    if row.quantity == "P":  # type: ignore[attr-defined]
        low, high = p_value(lowest), p_value(highest)
        return low if low == high else f"{low} to {high}"
    return f"{lowest:.3g} to {highest:.3g}"


def spread(
    summary: Summary,
    cohorts: Sequence[pd.DataFrame],
    starts: Sequence[pd.DataFrame],
    table: pd.DataFrame,
) -> tuple[str, ...]:
    """Whether members are many solutions or one, and what they leave open."""
    said = []
    if len(cohorts) > 1:
        gaps, begun = (_gaps(summary, each) for each in (cohorts, starts))
        unlike = f"{100 * gaps.mean():.0f} points of survival apart at the widest (never under "
        unlike += f"{100 * gaps.min():.0f}); random starts are {100 * begun.mean():.0f} apart"
        said.append(f"The members are not one solution: two of them are on average {unlike}.")
    for verdict in ("pinned down", "left open"):
        names = table.loc[table["verdict"] == verdict, "quantity"]
        said.append(f"{verdict.capitalize()}: {listed(names) or 'nothing'}.")
    unmet = [target for target in summary.target if target.status == "unmet"]
    said += [f"Not searched for: {target.name}: {target.reason}." for target in unmet]
    return tuple(said)


def _gaps(summary: Summary, cohorts: Sequence[pd.DataFrame]) -> np.ndarray:
    generator = np.random.default_rng(0)
    every = [(i, j) for i in range(len(cohorts)) for j in range(i)]
    if len(every) > MOST_PAIRS:
        every = [every[i] for i in generator.choice(len(every), MOST_PAIRS, replace=False)]
    return largest_gaps(summary, cohorts, every)
