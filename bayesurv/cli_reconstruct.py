"""The command that draws cohorts from what a publication prints."""

from pathlib import Path
from typing import Annotated

import typer

reconstruct_commands = typer.Typer()


@reconstruct_commands.command()
def reconstruct(
    summary: Annotated[
        str,
        typer.Argument(
            metavar="SUMMARY",
            help='A .toml file of published aggregates, or "cti2", those of the founding paper.',
        ),
    ],
    members: Annotated[int, typer.Option(help="Cohorts to draw.")] = 200,
    seed: Annotated[int, typer.Option(help="Same seed, same cohorts.", min=0)] = 2025,
    out: Annotated[Path, typer.Option(metavar="FILE", help="File for the cohorts.")] = Path(
        "ensemble.parquet"
    ),
) -> None:
    """Draw many synthetic cohorts that each satisfy what a publication prints."""
    from bayesurv.report.reconstruct import run_reconstruct
    from bayesurv.report.screen import progress, show_answer

    try:
        with progress() as watcher:
            answer = run_reconstruct(summary, members, seed, out, watcher)
    except KeyboardInterrupt:
        typer.echo("What was drawn is kept: the same command goes on from there.", err=True)
        raise
    show_answer(answer, out, failed=False)
