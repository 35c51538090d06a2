"""The command for binary outcomes: responses and adverse events in two arms."""

from pathlib import Path
from typing import Annotated

import typer

response_commands = typer.Typer()


@response_commands.command()
def respond(
    cohort: Annotated[
        Path, typer.Argument(help="One row a patient: .csv, .tsv, .parquet or .xlsx.")
    ],
    treatment: Annotated[
        str, typer.Option(metavar="COL", help="The arms: a covariate with two levels.")
    ],
    response: Annotated[
        list[str] | None,
        typer.Option(metavar="COL", help="A good outcome, 0 or 1; may be repeated."),
    ] = None,
    event: Annotated[
        list[str] | None,
        typer.Option(metavar="COL", help="A harmful outcome, 0 or 1; may be repeated."),
    ] = None,
    formula: Annotated[
        str | None,
        typer.Option(help='Right-hand side, e.g. "cti2 + bulky"; else the treatment alone.'),
    ] = None,
    prior: Annotated[
        list[str] | None,
        typer.Option(help='E.g. "coefficient=OddsRatio(0.25, 4)" or "risk=Beta(1, 1)".'),
    ] = None,
    id: Annotated[
        str | None, typer.Option(metavar="COL", help="The patient, who has one row.")
    ] = None,
    missing: Annotated[
        str, typer.Option(help='Patients with missing covariates: "error" or "drop".')
    ] = "error",
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the results.")] = Path(
        "bayesurv-response"
    ),
    seed: Annotated[int | None, typer.Option(help="Same seed, same numbers.", min=0)] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write results of a failed fit, marked as failed.")
    ] = False,
) -> None:
    """Compare responses and adverse events of two arms: risks, and how sure a difference is."""
    from bayesurv.report.folder import check_output
    from bayesurv.report.response import Question, run_respond
    from bayesurv.report.screen import progress, show_answer

    check_output(out)
    outcomes = {"response": response or [], "event": event or []}
    asked = Question(cohort, outcomes, treatment, formula, prior or [], id, missing, seed)
    with progress() as watcher:
        answer, failed = run_respond(asked, out, force=force, watcher=watcher)
    show_answer(answer, out, failed)
