"""The command that compares two arms from several time zeros."""

from pathlib import Path
from typing import Annotated

import typer

from bayesurv.cli_plan import (
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

time_zero_commands = typer.Typer()


@time_zero_commands.command("time-zero")
def time_zero(
    source: Source,
    time: Time = None,
    event: Event = None,
    formula: Formula = None,
    unit: Unit = None,
    entry: Entry = None,
    upper: Upper = None,
    id: Id = None,
    treatment: Treatment = None,
    endpoint: Endpoint = None,
    missing: Missing = None,
    landmark: Landmark = None,
    enter_at: EnterAt = None,
    start: Start = None,
    within: Annotated[
        float | None,
        typer.Option(metavar="T", help="Treatment within T of time 0 against none; needs --start."),
    ] = None,
    most_added: Annotated[
        int,
        typer.Option(help="Most early deaths put back into the arm that has none.", min=1, max=100),
    ] = 15,
    earliest: Annotated[
        float | None,
        typer.Option(metavar="T", help="Of those deaths; else a tenth of the arm's first exit."),
    ] = None,
    prior: Annotated[
        str, typer.Option(help="Of the log hazard ratio: Normal, StudentT or HazardRatio.")
    ] = "Normal(0, 0.75)",
    resamples: Annotated[
        int, typer.Option(help="Bootstrap samples of clone-censor-weight.", min=1)
    ] = 500,
    seed: Annotated[int, typer.Option(help="Same seed, same numbers.", min=0)] = 0,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the results.")] = Path(
        "bayesurv-time-zero"
    ),
) -> None:
    """Compare two arms from several time zeros: landmark, delayed entry, start of treatment."""
    from bayesurv.report.folder import check_output
    from bayesurv.report.screen import progress, show_answer
    from bayesurv.report.time_zero import asked_of, needed_treatment, run_time_zero

    check_output(out)
    given = dict(locals())
    clock = {key: given.pop(key) for key in ("landmark", "enter_at", "start")}
    if source.suffix.lower() != ".toml":
        given["formula"] = formula or needed_treatment(treatment)
    plan, asked = asked_of(
        plan_from(source, given), clock, within, most_added, earliest, prior, resamples, seed
    )
    with progress() as watcher:
        watcher.step("Comparing")
        answer = run_time_zero(plan, asked, out)
    show_answer(answer, out, failed=False)
