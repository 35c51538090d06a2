"""The command line: arguments in, files out. Heavy modules are imported inside the commands."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bayesurv.cli_borrow import borrow_commands
from bayesurv.cli_calibrate import calibrate_commands
from bayesurv.cli_classical import classical_commands
from bayesurv.cli_data import data_commands
from bayesurv.cli_digitise import digitise_commands
from bayesurv.cli_plan import (
    Baselines,
    Cause,
    Endpoint,
    EnterAt,
    Entry,
    Event,
    Formula,
    Id,
    Landmark,
    Member,
    Method,
    Missing,
    Seed,
    Source,
    Start,
    Time,
    Treatment,
    Unit,
    Upper,
    plan_from,
)
from bayesurv.cli_questions import questions
from bayesurv.cli_reconstruct import reconstruct_commands
from bayesurv.cli_registry import registry_commands
from bayesurv.cli_report import report_commands
from bayesurv.cli_reproduce import reproduce_commands
from bayesurv.cli_response import response_commands
from bayesurv.cli_simulate import simulate_commands
from bayesurv.cli_tables import table_commands
from bayesurv.cli_time_zero import time_zero_commands

if TYPE_CHECKING:
    from bayesurv.plan import Plan

app = typer.Typer(
    help="Bayesian survival analysis of small clinical cohorts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Out = Annotated[Path, typer.Option(metavar="DIR", help="Folder for the results.")]
INTERRUPTED = 130  # the exit code that typer gives to Ctrl-C


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Bayesian survival analysis of small clinical cohorts."""
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"bayesurv {installed('bayesurv')}")
        raise typer.Exit


@app.command()
def fit(
    source: Source,
    time: Time = None,
    event: Event = None,
    formula: Formula = None,
    unit: Unit = None,
    entry: Entry = None,
    upper: Upper = None,
    cause: Cause = None,
    id: Id = None,
    member: Member = None,
    treatment: Treatment = None,
    baseline: Baselines = None,
    endpoint: Endpoint = None,
    missing: Missing = None,
    landmark: Landmark = None,
    enter_at: EnterAt = None,
    start: Start = None,
    out: Out = Path("bayesurv-results"),
    seed: Seed = None,
    method: Method = None,
    classical: Annotated[
        bool | None,
        typer.Option(
            "--classical/--no-classical", help="Cox, log-rank and the rest beside it, unless not."
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write results of a failed fit, marked as failed.")
    ] = False,
) -> None:
    """Fit a cohort: hazard ratios, predicted survival, diagnostics and figures."""
    from bayesurv.report.folder import check_output
    from bayesurv.report.run import run_plan
    from bayesurv.report.screen import progress, show_outcomes

    check_output(out)
    plan = plan_from(source, dict(locals()))
    if plan.cohort.member is not None:
        _fit_ensemble(plan, out, force)
        return
    with progress() as watcher:
        outcomes = run_plan(plan, out, force=force, watcher=watcher)
    show_outcomes(outcomes, out)


def _fit_ensemble(plan: "Plan", out: Path, force: bool) -> None:
    from bayesurv.report.ensemble import run_ensemble
    from bayesurv.report.screen import progress, show_answer

    with progress() as watcher:
        answer, failed = run_ensemble(plan, out, force=force, watcher=watcher)
    show_answer(answer, out, failed)


@app.command()
def prior(
    source: Source,
    time: Time = None,
    event: Event = None,
    formula: Formula = None,
    unit: Unit = None,
    entry: Entry = None,
    upper: Upper = None,
    id: Id = None,
    treatment: Treatment = None,
    baseline: Baselines = None,
    endpoint: Endpoint = None,
    missing: Missing = None,
    out: Out = Path("bayesurv-prior"),
    seed: Seed = None,
) -> None:
    """Show what the priors imply for survival, medians and hazard ratios before any outcome."""
    from bayesurv.report.folder import check_output
    from bayesurv.report.prior import run_prior
    from bayesurv.report.screen import show_prior

    check_output(out)
    plan = plan_from(source, dict(locals()))
    show_prior(run_prior(plan, out), out)


@app.command()
def predict(
    fit: Annotated[Path, typer.Argument(help="A posterior.nc or the folder that holds it.")],
    patients: Annotated[Path, typer.Argument(help="New patients: .csv, .tsv, .parquet, .xlsx.")],
    times: Annotated[
        str | None, typer.Option(help='Times separated by commas, e.g. "3,6,12".')
    ] = None,
    out: Annotated[Path, typer.Option(metavar="FILE", help="File for the predictions.")] = Path(
        "predictions.csv"
    ),
    extrapolate: Annotated[
        bool, typer.Option("--extrapolate", help="Allow times past the end of follow-up.")
    ] = False,
) -> None:
    """Predict the survival of new patients from a saved fit."""
    from bayesurv.report.predict import run_predict
    from bayesurv.report.screen import show_predictions

    table, failed = run_predict(fit, patients, times, out, extrapolate=extrapolate)
    show_predictions(table, out, failed)


app.add_typer(data_commands)
app.add_typer(digitise_commands)
app.add_typer(classical_commands)
app.add_typer(questions)
app.add_typer(reconstruct_commands)
app.add_typer(registry_commands)
app.add_typer(report_commands)
app.add_typer(reproduce_commands)
app.add_typer(response_commands)
app.add_typer(simulate_commands)
app.add_typer(table_commands)
app.add_typer(borrow_commands)
app.add_typer(calibrate_commands)
app.add_typer(time_zero_commands)


def main() -> None:
    """Run a command; bad input ends with exit code 2, failed sampling or a full disk with 1."""
    hook, sys.unraisablehook = sys.unraisablehook, _unraisable
    try:
        app()
    except SystemExit as stop:
        if stop.code == INTERRUPTED:
            typer.echo("Interrupted; no results were written.", err=True)
        raise
    except Exception as error:
        from bayesurv.data.faults import InputError
        from bayesurv.inference.diagnostics import SamplingError

        if not isinstance(error, InputError | SamplingError | OSError):
            raise
        typer.echo(f"Error: {error}", err=True)
        sys.exit(2 if isinstance(error, InputError) else 1)
    finally:
        sys.unraisablehook = hook


def _unraisable(lost: Any) -> None:
    """Repeat a Ctrl-C that got lost in a callback of the compiler; tell the rest as usual."""
    if lost.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(lost)
        return
    import _thread
    import threading

    threading.Timer(0.05, _thread.interrupt_main).start()


if __name__ == "__main__":
    main()
