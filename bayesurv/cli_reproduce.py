"""The command that reproduces the founding paper, whole."""

from pathlib import Path
from typing import Annotated

import typer

reproduce_commands = typer.Typer()


@reproduce_commands.command()
def reproduce(
    ensemble: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Of `bayesurv reconstruct cti2`; else the shipped one."),
    ] = None,
    members: Annotated[
        int | None, typer.Option(metavar="N", help="The first N of its cohorts; else all.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same numbers.", min=0)] = 0,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the results.")] = Path(
        "bayesurv-reproduce"
    ),
) -> None:
    """Reproduce the founding paper on cohorts that have every number it prints."""
    from bayesurv.report.folder import check_output
    from bayesurv.report.reproduce import Asked, run_reproduce
    from bayesurv.report.screen import progress, show_answer

    check_output(out)
    with progress() as watcher:
        answer = run_reproduce(Asked(ensemble, members, seed), out, watcher)
    show_answer(answer, out, failed=False)
