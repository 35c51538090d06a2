"""Commands that make a cohort out of clinical tables."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import pandas as pd

    from bayesurv.data.endpoints import Derived

data_commands = typer.Typer()


@data_commands.command()
def derive(
    tables: Annotated[
        list[str],
        typer.Argument(
            metavar="TABLES...",
            help="patients.csv, and any of assessments.csv, adverse_events.csv and labs.csv (or "
            "patients=FILE ...); or one .xlsx with those sheets.",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="File for the analysis table.")] = Path(
        "cohort.csv"
    ),
    date_format: Annotated[
        str, typer.Option(help='Of every date that is text, e.g. "DD/MM/YYYY"; never guessed.')
    ] = "YYYY-MM-DD",
    cutoff: Annotated[
        str | None, typer.Option(metavar="DATE", help="No date may be later: YYYY-MM-DD.")
    ] = None,
    unit: Annotated[str, typer.Option(help="Of all times: days, weeks, months or years.")] = (
        "months"
    ),
    origin: Annotated[
        str,
        typer.Option(
            help="Day from which times count: salvage-start, failure, decision, apheresis or "
            "conditioning."
        ),
    ] = "salvage-start",
    efs: Annotated[
        str,
        typer.Option(
            help="Adverse events that end EFS: E1 none; E2 related, not haematological, grade 3 or "
            "more; E3 related, grade 4 or more; E4 related, grade 5."
        ),
    ] = "E2",
    unknown_related: Annotated[
        str, typer.Option(help="Whether an event of unknown relation is related: no or yes.")
    ] = "no",
    pfs_censor: Annotated[
        str, typer.Option(help="Where PFS without event ends: last-assessment or last-contact.")
    ] = "last-assessment",
    response_window: Annotated[
        str, typer.Option(metavar="DAYS", help="Days on which an assessment is that of day 30.")
    ] = "20-45",
    relapse_origin: Annotated[
        str, typer.Option(help="Time to relapse counts from: response or infusion.")
    ] = "response",
    day_zero: Annotated[
        str,
        typer.Option(help="A follow-up that ends on the day of salvage: refuse or half-day."),
    ] = "refuse",
    swimmer: Annotated[
        bool,
        typer.Option(
            "--swimmer",
            help="Draw each patient's course too, a bar for each: FILE's name with .swimmer.png, "
            ".svg and .pdf. It shows patients: not for passing on.",
        ),
    ] = False,
) -> None:
    """Derive EFS, PFS, OS, responses and covariates from dates, with an audit of every value."""
    from bayesurv.data.endpoints import Options
    from bayesurv.report.derive import run_derive

    options = Options(
        origin=origin,
        unit=unit,
        efs=efs,
        unknown_related=unknown_related,
        pfs_censor=pfs_censor,
        response_window=_window(response_window),
        relapse_origin=relapse_origin,
        day_zero=day_zero,
    )
    last = None if cutoff is None else _date(cutoff)
    derived, seen = run_derive(
        tables, out, options, date_format=date_format, cutoff=last, swimmer=swimmer
    )
    _show(derived, seen, out)
    if swimmer:
        typer.echo(f"Each patient's course is in {out.with_suffix('')}.swimmer.png, .svg and .pdf")


@data_commands.command()
def template(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the tables.")] = Path(
        "clinical-tables"
    ),
    workbook: Annotated[
        bool, typer.Option("--workbook", help="One Excel workbook in place of CSV files.")
    ] = False,
) -> None:
    """Write the empty clinical tables that derive reads, and their data dictionary."""
    from bayesurv.report.derive import write_template

    names = write_template(out, workbook=workbook)
    typer.echo(f"Wrote {', '.join(names)} into {out}")


def _window(text: str) -> tuple[int, int]:
    from bayesurv.data.faults import Fault, InputError

    first, _, last = text.partition("-")
    if not (first.isdecimal() and last.isdecimal()):
        raise InputError([Fault(f'--response-window reads like "20-45"; got "{text}"')])
    return int(first), int(last)


def _date(text: str) -> date:
    from bayesurv.data.faults import Fault, InputError

    try:
        return date.fromisoformat(text)
    except ValueError:
        message = f'--cutoff reads like "2022-05-31"; got "{text}"'
        raise InputError([Fault(message)]) from None


def _show(derived: "Derived", seen: "pd.DataFrame", out: Path) -> None:
    """Print the flow, the follow-up, the notes, and where the files are."""
    flow = derived.flow.astype(object)
    typer.echo(flow.where(flow.notna(), "").to_string(index=False))
    typer.echo(f"\nFollow-up in {derived.options.unit}, median by reverse Kaplan-Meier:")
    typer.echo(seen.round(1).to_string(index=False, na_rep="not reached"))
    for note in derived.notes:
        typer.echo(f"Note: {note}")
    stem = out.with_suffix("")
    typer.echo(f"Wrote {out}; how each value came about is in {stem}.audit.csv and {stem}.rules.md")
