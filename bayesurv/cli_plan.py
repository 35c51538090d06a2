"""Options that describe a cohort and its model, and the plan that they make."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from bayesurv.plan import Plan

KEYS = (
    "time", "event", "formula", "unit", "entry", "upper", "cause", "id", "treatment", "baseline",
    "missing", "endpoint", "horizon", "classical", "member", "landmark", "enter_at", "start",
    "method",
)  # fmt: skip

Source = Annotated[
    Path, typer.Argument(help="A plan (.toml), or a cohort: .csv, .tsv, .parquet or .xlsx.")
]
Formula = Annotated[
    str | None, typer.Option(help='Right-hand side, e.g. "cti2 + bulky + stage + (1|centre)".')
]
Time = Annotated[
    str | None, typer.Option(metavar="COL", help="Time of the event, or of the last contact.")
]
Event = Annotated[str | None, typer.Option(metavar="COL", help="1 for an event, 0 for censored.")]
Unit = Annotated[str | None, typer.Option(help="Of all times: days, weeks, months or years.")]
Entry = Annotated[
    str | None, typer.Option(metavar="COL", help="Time from which a patient is at risk.")
]
Upper = Annotated[
    str | None, typer.Option(metavar="COL", help="The event was in (time, upper]; may be empty.")
]
Id = Annotated[
    str | None,
    typer.Option(metavar="COL", help="The patient; has one row, or with --entry several."),
]
Treatment = Annotated[
    str | None, typer.Option(metavar="COL", help="Arms that curves and figures compare.")
]
Baselines = Annotated[
    list[str] | None,
    typer.Option(
        help="weibull (unless given), exponential, gompertz, piecewise-exponential or m-spline; "
        "may be repeated."
    ),
]
Endpoint = Annotated[str | None, typer.Option(help="Name of the endpoint's folder.")]
Missing = Annotated[
    str | None, typer.Option(help='Patients with missing covariates: "error" or "drop".')
]
Cause = Annotated[
    str | None, typer.Option(metavar="COL", help="What each event was; empty where there is none.")
]
Landmark = Annotated[
    float | None,
    typer.Option(metavar="T", help="Only patients still at risk at T, followed from there."),
]
EnterAt = Annotated[
    float | None,
    typer.Option(metavar="T", help="At risk from T at the earliest; time still from the origin."),
]
Member = Annotated[
    str | None,
    typer.Option(metavar="COL", help="The file is an ensemble: the member each row belongs to."),
]
Start = Annotated[
    str | None,
    typer.Option(metavar="COL", help="When treatment started; empty: never. Before it, untreated."),
]
Method = Annotated[
    str | None,
    typer.Option(help='"nuts" unless given, or "laplace": milliseconds, not for what is reported.'),
]
Seed = Annotated[int | None, typer.Option(help="Same seed, same numbers.")]


def plan_from(source: Path, given: dict[str, Any]) -> "Plan":
    """Read the plan, or make one from the options; a plan takes none of those but --seed."""
    from bayesurv.data.faults import Fault, InputError
    from bayesurv.plan import Plan, read_plan

    options = {key: given[key] for key in KEYS if given.get(key) not in (None, [])}
    if source.suffix.lower() != ".toml":
        name = options.pop("endpoint", _endpoint_name(given["time"], given["event"]))
        return Plan.from_options(name, file=str(source), seed=given["seed"], **options)
    if options:
        named = ", ".join(f"--{key.replace('_', '-')}" for key in options)
        message = f"{named} cannot be added to a plan; write it in the plan, or leave it out"
        raise InputError([Fault(message, source.name)])
    return read_plan(source).with_seed(given["seed"])


def _endpoint_name(time: str | None, event: str | None) -> str:
    """Name shared by columns such as os_months and os_event."""
    from bayesurv.report.origin import UNNAMED

    first, second = ((name or "").partition("_")[0].lower() for name in (time, event))
    plain = first == second and first.isascii() and first.isalnum()
    return first if plain else UNNAMED
