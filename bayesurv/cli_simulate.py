"""The command that plans a study by simulation."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

simulate_commands = typer.Typer()


class Engine(StrEnum):
    """What analyses the simulated studies."""

    pymc = "pymc"
    jax = "jax"


@simulate_commands.command()
def simulate(
    design: Annotated[Path, typer.Argument(metavar="DESIGN", help="A design (.toml).")],
    replicates: Annotated[
        int | None, typer.Option(metavar="N", help="Studies for each size and truth.")
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="A Dask scheduler, e.g. tcp://10.0.0.1:8786."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Processes here; unless given, one for each core."),
    ] = None,
    engine: Annotated[
        Engine, typer.Option(help="pymc, or jax for all studies of a batch in one program.")
    ] = Engine.pymc,
    seed: Annotated[int | None, typer.Option(help="Same seed, same numbers.")] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the results.")] = Path(
        "bayesurv-simulate"
    ),
) -> None:
    """Plan a study: power, type I error, assurance and sample size, by simulation."""
    from bayesurv.report.screen import progress, show_answer
    from bayesurv.report.simulate import Options, run_simulate

    if scheduler is not None and workers is not None:
        raise typer.BadParameter("--workers is for this machine, --scheduler for a cluster")
    options = Options(replicates, seed, workers, scheduler, engine.value)
    try:
        with progress() as watcher:
            answer = run_simulate(design, out, options, watcher)
    except KeyboardInterrupt:
        typer.echo("Finished batches are kept: the same command goes on from there.", err=True)
        raise
    show_answer(answer, out, failed=False)
