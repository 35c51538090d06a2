"""The command line: arguments in, files out. Heavy modules are imported inside the commands."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from bayesurv.plan import Plan

app = typer.Typer(
    help="Bayesian survival analysis of small clinical cohorts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Source = Annotated[
    Path, typer.Argument(help="A plan (.toml), or a cohort: .csv, .tsv, .parquet or .xlsx.")
]
Formula = Annotated[
    str | None, typer.Option(help='Right-hand side, e.g. "cti2 + bulky + stage + (1|centre)".')
]
Column = Annotated[str | None, typer.Option(metavar="COL")]
Out = Annotated[Path, typer.Option(metavar="DIR", help="Folder for the results.")]
Seed = Annotated[int | None, typer.Option(help="Same seed, same numbers.")]


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
    time: Column = None,
    event: Column = None,
    formula: Formula = None,
    unit: Annotated[str | None, typer.Option(help="days, weeks, months or years.")] = None,
    entry: Column = None,
    upper: Column = None,
    id: Column = None,
    treatment: Column = None,
    baseline: Annotated[
        list[str] | None, typer.Option(help="weibull unless given; may be repeated.")
    ] = None,
    endpoint: Annotated[str | None, typer.Option(help="Name of the endpoint's folder.")] = None,
    missing: Annotated[str | None, typer.Option(help='"error" or "drop".')] = None,
    out: Out = Path("bayesurv-results"),
    seed: Seed = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write results of a failed fit, marked as failed.")
    ] = False,
) -> None:
    """Fit a cohort: hazard ratios, predicted survival, diagnostics and figures."""
    from bayesurv.report.folder import check_output
    from bayesurv.report.run import run_plan
    from bayesurv.report.screen import progress, show_outcomes

    check_output(out)
    plan = _plan(source, dict(locals()))
    with progress() as watcher:
        outcomes = run_plan(plan, out, force=force, watcher=watcher)
    show_outcomes(outcomes, out)


@app.command()
def prior(
    source: Source,
    time: Column = None,
    event: Column = None,
    formula: Formula = None,
    unit: Annotated[str | None, typer.Option(help="days, weeks, months or years.")] = None,
    entry: Column = None,
    upper: Column = None,
    id: Column = None,
    treatment: Column = None,
    baseline: Annotated[
        list[str] | None, typer.Option(help="weibull unless given; may be repeated.")
    ] = None,
    endpoint: Annotated[str | None, typer.Option(help="Name of the endpoint's folder.")] = None,
    missing: Annotated[str | None, typer.Option(help='"error" or "drop".')] = None,
    out: Out = Path("bayesurv-prior"),
    seed: Seed = None,
) -> None:
    """Show what the priors imply for survival, medians and hazard ratios before any outcome."""
    from bayesurv.report.folder import check_output
    from bayesurv.report.prior import run_prior
    from bayesurv.report.screen import show_prior

    check_output(out)
    plan = _plan(source, dict(locals()))
    show_prior(run_prior(plan, out), out)


@app.command()
def predict(
    fit: Annotated[Path, typer.Argument(help="A posterior.nc or the folder that holds it.")],
    patients: Annotated[Path, typer.Argument(help="New patients: .csv, .tsv, .parquet, .xlsx.")],
    times: Annotated[
        str | None, typer.Option(help='Times separated by commas, e.g. "3,6,12".')
    ] = None,
    out: Annotated[Path, typer.Option(metavar="FILE")] = Path("predictions.csv"),
    extrapolate: Annotated[
        bool, typer.Option("--extrapolate", help="Allow times past the end of follow-up.")
    ] = False,
) -> None:
    """Predict the survival of new patients from a saved fit."""
    from bayesurv.report.predict import run_predict
    from bayesurv.report.screen import show_predictions

    table = run_predict(fit, patients, times, out, extrapolate=extrapolate)
    show_predictions(table, out)


def _plan(source: Path, given: dict[str, Any]) -> "Plan":
    """Read the plan, or make one from the options; a plan takes no option but --seed."""
    from bayesurv.data.faults import Fault, InputError
    from bayesurv.plan import Plan, read_plan

    keys = ("time", "event", "formula", "unit", "entry", "upper", "id", "treatment", "baseline")
    options = {key: given[key] for key in (*keys, "missing", "endpoint") if given[key]}
    if source.suffix.lower() != ".toml":
        name = options.pop("endpoint", None) or _endpoint_name(given["time"], given["event"])
        return Plan.from_options(name, file=str(source), seed=given["seed"], **options)
    if options:
        named = ", ".join(f"--{key}" for key in options)
        raise InputError([Fault(f"{named}: the plan says this; change it there", source.name)])
    return read_plan(source).with_seed(given["seed"])


def _endpoint_name(time: str | None, event: str | None) -> str:
    """Name shared by columns such as os_months and os_event; "endpoint" if there is none."""
    first, second = (str(name).partition("_")[0].lower() for name in (time, event))
    return first if first == second and first.isalnum() else "endpoint"


def main() -> None:
    """Run a command; an error in the input ends with exit code 2, failed sampling with 1."""
    try:
        app()
    except Exception as error:
        from bayesurv.data.faults import InputError
        from bayesurv.inference.diagnostics import SamplingError

        if not isinstance(error, InputError | SamplingError):
            raise
        typer.echo(f"Error: {error}", err=True)
        sys.exit(2 if isinstance(error, InputError) else 1)


if __name__ == "__main__":
    main()
