"""Commands that count where the patients are, and add up what hospitals counted."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bayesurv.report.registry import Aggregated

registry_commands = typer.Typer()

Out = Annotated[Path, typer.Option(metavar="FILE", help="File for the counts: .parquet.")]


@registry_commands.command()
def aggregate(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="Patients: a .parquet or .csv file, a pattern or folder of them, or an address of "
            "Ibis such as duckdb://file.duckdb, postgres://user@host/database or pyspark://.",
        ),
    ],
    plan: Annotated[
        Path, typer.Option(metavar="PLAN.toml", help="The plan, the same in every hospital.")
    ],
    out: Out = Path("counts.parquet"),
    centre: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The centre of all these patients, if no column has it."),
    ] = None,
    table: Annotated[
        str | None, typer.Option(help="Table or schema.table, if SOURCE is an address.")
    ] = None,
    cuts: Annotated[
        str | None,
        typer.Option(help='Inner ends of the intervals, e.g. "30,90,180"; else the plan has them.'),
    ] = None,
    fewest: Annotated[
        int, typer.Option(metavar="K", min=2, help="Cells that tell of fewer patients are small.")
    ] = 5,
    coarsen: Annotated[
        bool,
        typer.Option("--coarsen", help="Join intervals until no cell is small."),
    ] = False,
    allow_small_cells: Annotated[
        bool,
        typer.Option("--allow-small-cells", help="Write small cells too, which tell of patients."),
    ] = False,
    max_patterns: Annotated[
        int, typer.Option(min=1, help="Most combinations of covariates.")
    ] = 10_000,
) -> None:
    """Count events and person-time by covariate and interval; no patient's row is written."""
    from bayesurv.data.registry.patterns import Limits
    from bayesurv.report.registry import run_aggregate
    from bayesurv.report.screen import progress

    with progress() as watcher:
        made = run_aggregate(
            source,
            plan,
            out,
            table=table,
            centre=centre,
            cuts=None if cuts is None else _numbers(cuts),
            limits=Limits(fewest, max_patterns),
            coarsen=coarsen,
            allow_small=allow_small_cells,
            watcher=watcher,
        )
    _show(made, out)


@registry_commands.command()
def pool(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILES...", help="Counts from bayesurv aggregate.")
    ],
    out: Out = Path("pooled.parquet"),
    fewest: Annotated[
        int, typer.Option(metavar="K", min=2, help="Cells with fewer patients are reported.")
    ] = 5,
) -> None:
    """Add up the counts of several hospitals, as if all patients had been counted together."""
    from bayesurv.report.registry import run_pool
    from bayesurv.report.screen import progress

    with progress() as watcher:
        made = run_pool(files, out, fewest, watcher)
    _show(made, out)


def _numbers(text: str) -> list[float]:
    from bayesurv.data.faults import Fault, InputError

    message = f'--cuts reads like "30,90,180", rising from above 0; got "{text}"'
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        raise InputError([Fault(message)]) from None
    if not all(a < b for a, b in zip([0.0, *numbers], [*numbers, float("inf")], strict=True)):
        raise InputError([Fault(message)])
    return numbers


def _show(made: "Aggregated", out: Path) -> None:
    """Print what was counted, what wider intervals cost, the notes, and where the file is."""
    from rich.table import Table

    from bayesurv.report.screen import console

    table = Table(*map(str, made.shown))
    for row in made.shown.itertuples(index=False):
        table.add_row(*map(str, row))
    console.print(table)
    if made.cost is not None:
        cost = Table("endpoint", "term", "standard error", "in wider intervals", "change")
        for row in made.cost.itertuples():
            change = f"{row.after / row.before - 1:+.1%}"
            cost.add_row(row.endpoint, row.term, f"{row.before:.4g}", f"{row.after:.4g}", change)
        console.print(cost)
    for note in made.notes:
        console.print(f"Note: {note}")
    console.print(f"The counts are in {out}", soft_wrap=True)
