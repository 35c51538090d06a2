"""Endpoints from clinical tables, as files: analysis table, audit, patient flow, rules as run."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes

from bayesurv.data.clinical.schema import TABLES, dictionary, template
from bayesurv.data.clinical.tables import named
from bayesurv.data.endpoints import Derived, Options, derive, read_tables
from bayesurv.data.faults import Fault, InputError
from bayesurv.frequentist.kaplan_meier import reverse_kaplan_meier
from bayesurv.frequentist.quantiles import quantile
from bayesurv.plots.style import figure_files, save_all
from bayesurv.plots.swimmer import plot_swimmer, swimmer_patients
from bayesurv.report.files import REMEDY, check_files, write_files
from bayesurv.report.folder import staged
from bayesurv.report.origin import command, versions

SIBLINGS = ("audit.csv", "flow.csv", "rules.md", "provenance.json")
WORKBOOK = "clinical-tables.xlsx"
ORIGINS = {"salvage-start": "start of salvage"}


def run_derive(
    files: Sequence[str],
    out: Path,
    options: Options,
    *,
    date_format: str = "YYYY-MM-DD",
    cutoff: date | None = None,
    swimmer: bool = False,
) -> tuple[Derived, pd.DataFrame]:
    """Derive, and write `out` and beside it its audit, flow, rules and provenance.

    Of cohort.csv these are cohort.audit.csv, cohort.flow.csv, cohort.rules.md and
    cohort.provenance.json; if asked for, also the course of each patient as a figure,
    cohort.swimmer.png, .svg and .pdf. Returns what was derived, and the follow-up by arm.

    Raises
    ------
    InputError
        As `read_tables` and `derive`; or a file cannot be written.
    """
    if out.suffix.lower() != ".csv":
        raise InputError([Fault(f"{out} is not the name of a .csv file; {REMEDY}")])
    audit, flow, rules, mark = (out.with_name(f"{out.stem}.{name}") for name in SIBLINGS)
    paths = [named(file)[1] for file in files]
    drawn = out.with_name(f"{out.stem}.swimmer")
    figures = figure_files(drawn) if swimmer else []
    check_files((out, audit, flow, rules, *figures, mark), paths, mark)
    derived = derive(read_tables(files, date_format=date_format, cutoff=cutoff), options)
    seen = follow_up(derived)
    stated = options.shown() | {"date-format": date_format, "cutoff": str(cutoff or "none")}
    provenance = {
        "bayesurv": version("bayesurv"),
        "command": command(),
        "versions": versions(),
        "options": stated,
        "inputs": {path.name: _digest(path) for path in paths},
        "files": [path.name for path in (out, audit, flow, rules, *figures, mark)],
    }
    write_files(
        {
            audit: derived.audit.to_csv(index=False),
            flow: derived.flow.to_csv(index=False),
            rules: rules_as_run(derived, seen, stated),
            mark: json.dumps(provenance, indent=2) + "\n",
            out: derived.cohort.to_csv(index=False),
        }
    )
    if swimmer:
        save_all(_swimmer(derived), drawn)
    return derived, seen


def _swimmer(derived: Derived) -> Axes:
    cohort, unit = derived.cohort, derived.options.unit
    patients = swimmer_patients(cohort, treatment="cti2", unit=unit)
    patients["arm"] = patients["arm"].replace({"cti2 = 1": "CTI2", "cti2 = 0": "other salvage"})
    origin = ORIGINS.get(derived.options.origin, derived.options.origin)
    return plot_swimmer(patients, unit=unit, origin=origin)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def follow_up(derived: Derived) -> pd.DataFrame:
    """Follow-up for overall survival, by arm: reverse Kaplan-Meier median, and observed range."""
    cohort, unit = derived.cohort, derived.options.unit
    arms = {
        "CTI2": cohort["cti2"] == 1,
        "other salvage": cohort["cti2"] == 0,
        "all": cohort["cti2"].notna(),
    }
    lines = []
    for arm, chosen in arms.items():
        patients = cohort[chosen.to_numpy(dtype=bool)]
        if patients.empty:
            continue
        time = patients[f"os_{unit}"].to_numpy(dtype=float)
        died = patients["os_event"].to_numpy(dtype=bool)
        entry = patients.get(f"entry_{unit}")
        median = quantile(reverse_kaplan_meier(time, died, entry)).estimate
        lines.append((arm, len(patients), int(died.sum()), median, time.min(), time.max()))
    columns = ["arm", "patients", "deaths", "median_follow_up", "shortest", "longest"]
    return pd.DataFrame(lines, columns=columns)


def rules_as_run(derived: Derived, seen: pd.DataFrame, stated: Mapping[str, str]) -> str:
    """The options, notes, flow, follow-up and every rule as it was applied, in Markdown."""
    rules = pd.DataFrame(
        {
            "variable": rule.name.format(unit=derived.options.unit),
            "rule": rule.said,
            "options": ", ".join(name.replace("_", "-") for name in rule.options),
            "source": rule.source,
        }
        for rule in derived.rules
    )
    unit = derived.options.unit
    parts = (
        "# How the cohort was derived",
        f"Times are in {unit}; a month is 30.4375 days. Events count from the start of salvage on, "
        "whatever the origin.",
        "## Options\n",
        *(f"- {name}: {value}" for name, value in stated.items()),
        "\n## Notes\n",
        *(f"- {note}" for note in derived.notes),
        "\n## Patients\n",
        _markdown(derived.flow),
        "\n## Follow-up\n",
        f"Reverse Kaplan-Meier median, and range of the observed times, in {unit}.\n",
        _markdown(seen.round(2)),
        "\n## Rules\n",
        _markdown(rules),
    )
    return "\n".join(parts) + "\n"


def _markdown(table: pd.DataFrame) -> str:
    texts = table.astype(object).where(table.notna(), "").astype(str)
    lines = [table.columns, ["---"] * len(table.columns), *texts.to_numpy().tolist()]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


# --- Empty tables ---


def write_template(out: Path, *, workbook: bool = False) -> list[str]:
    """Write empty tables and the data dictionary into a folder of their own; return their names.

    Raises
    ------
    InputError
        The folder is not empty: tables that were filled in are never replaced.
    """
    with staged(out) as staging:
        if workbook:
            _write_workbook(staging / WORKBOOK)
        else:
            for name, table in {**template(), "dictionary": dictionary()}.items():
                table.to_csv(staging / f"{name}.csv", index=False)
        return sorted(path.name for path in staging.iterdir())


def _write_workbook(path: Path) -> None:
    """One sheet for each table, with the levels to choose from, and the dictionary."""
    try:
        from openpyxl import Workbook
    except ImportError:
        remedy = "pip install 'bayesurv[excel]', or leave --workbook out"
        raise InputError([Fault(f"what writes Excel is not installed: {remedy}")]) from None
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    book = Workbook()
    book.remove(book.active)
    for name, columns in TABLES.items():
        sheet = book.create_sheet(name)
        sheet.append([column.name for column in columns])
        for place, column in enumerate(columns, start=1):
            if column.kind == "level":
                choices = DataValidation("list", formula1=f'"{",".join(column.levels)}"')
                choices.add(f"{get_column_letter(place)}2:{get_column_letter(place)}2000")
                sheet.add_data_validation(choices)
    sheet = book.create_sheet("dictionary")
    described = dictionary()
    sheet.append(list(described))
    for line in described.itertuples(index=False):
        sheet.append(list(line))
    book.save(path)
