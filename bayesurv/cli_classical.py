"""The command for the classical analysis by itself, without a sampler."""

from pathlib import Path
from typing import Annotated

import typer

from bayesurv.cli_plan import (
    Cause,
    Endpoint,
    EnterAt,
    Entry,
    Event,
    Formula,
    Id,
    Landmark,
    Missing,
    Source,
    Start,
    Time,
    Treatment,
    Unit,
    Upper,
    plan_from,
)

classical_commands = typer.Typer()


@classical_commands.command()
def classical(
    source: Source,
    time: Time = None,
    event: Event = None,
    formula: Formula = None,
    unit: Unit = None,
    entry: Entry = None,
    upper: Upper = None,
    cause: Cause = None,
    id: Id = None,
    treatment: Treatment = None,
    horizon: Annotated[
        float | None, typer.Option(help="Of restricted means; else the shorter arm's follow-up.")
    ] = None,
    endpoint: Endpoint = None,
    missing: Missing = None,
    landmark: Landmark = None,
    enter_at: EnterAt = None,
    start: Start = None,
    threshold: Annotated[
        float, typer.Option(help="Univariable P up to which the screening rule chooses.")
    ] = 0.10,
    resamples: Annotated[
        int, typer.Option(help="Bootstrap samples that show how little the rule settles.", min=1)
    ] = 500,
    seed: Annotated[int, typer.Option(help="Same seed, same resamples.", min=0)] = 0,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the results.")] = Path(
        "bayesurv-classical"
    ),
) -> None:
    """Kaplan-Meier, log-rank, Cox, Firth, Schoenfeld, competing risks: no Bayes, no sampler."""
    from bayesurv.report.classical_answer import run_classical
    from bayesurv.report.folder import check_output
    from bayesurv.report.screen import show_answer

    check_output(out)
    plan = plan_from(source, dict(locals()))
    show_answer(run_classical(plan, out, threshold, resamples, seed), out, failed=False)
