"""The command that calibrates the models of a plan by simulation."""

from pathlib import Path
from typing import Annotated

import typer

calibrate_commands = typer.Typer()


@calibrate_commands.command()
def calibrate(
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="A plan (.toml).")],
    refits: Annotated[int, typer.Option(help="Simulated cohorts, each fitted.")] = 500,
    endpoint: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of the plan; all unless given.")
    ] = None,
    baseline: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of the plan; all unless given.")
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(help="nuts or laplace, by which each is fitted; else the plan's."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Same seed, same numbers; else the plan's.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", help="Fits at a time; unless given, one a processor."),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the results.")] = Path(
        "bayesurv-calibration"
    ),
) -> None:
    """Check by simulation that a plan's models find the parameters that made the data."""
    from bayesurv.plan import read_plan
    from bayesurv.report.calibrate import Asked, run_calibrate
    from bayesurv.report.folder import check_output
    from bayesurv.report.screen import progress, show_answer

    check_output(out)
    read = read_plan(plan).with_seed(seed)
    with progress() as watcher:
        answer = run_calibrate(
            read, Asked(refits, endpoint, baseline, method, workers), out, watcher
        )
    show_answer(answer, out, failed=False)
