"""Sections and keys of a plan: the type of each."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
)

from bayesurv.data.read import as_text
from bayesurv.inference.sample import Sampling
from bayesurv.plan_checks import (
    DEFAULT_BASELINE,
    Place,
    Problem,
    cell,
    increasing,
    is_by_term,
    known_baselines,
    labelled,
)
from bayesurv.plan_faults import Vocabulary
from bayesurv.plan_file import toml

# --- What one value may be ---


def _level(given: object) -> object:
    return as_text([given])[0] or "" if isinstance(given, str | int | float) else given


def _levels(given: object) -> object:
    return {"levels": given} if isinstance(given, list | tuple) else given


def _names(given: object) -> object:
    return [given] if isinstance(given, str) else given


# Alternatives have tags that begin with <, by which they are told from keys in a fault's place.
def _coefficient_form(given: object) -> str:
    return "<by term>" if is_by_term(given) else _prior_form(given)


def _prior_form(given: object) -> str:
    return "<range>" if isinstance(given, Mapping | Keys) else "<text>"


def _profiles_form(given: object) -> str:
    return "<word>" if isinstance(given, str) else "<tables>"


class Keys(BaseModel):
    """Some keys of a plan; nothing else may stand there, and no type is converted."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


Text = Annotated[str, Field(pattern=r"\S")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
Number = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[Number, Field(gt=0)]
Share = Annotated[float, Field(gt=0, lt=1)]
Level = Annotated[str, BeforeValidator(_level)]
Cell = Annotated[Any, AfterValidator(cell)]
Many = Field(strict=False, min_length=1)  # a list in TOML, a tuple here
Cuts = Annotated[tuple[Positive, ...], Many, AfterValidator(increasing)]
Times = Annotated[tuple[Annotated[Number, Field(ge=0)], ...], Many, AfterValidator(increasing)]
Baselines = Annotated[
    tuple[str, ...], Many, BeforeValidator(_names), AfterValidator(known_baselines)
]
Tables = Annotated[tuple[dict[str, Cell], ...], Many, AfterValidator(labelled)]
Profiles = Annotated[
    Annotated[Literal["observed"], Tag("<word>")] | Annotated[Tables, Tag("<tables>")],
    Discriminator(_profiles_form),
]


class OrdinalKeys(Keys):
    """Levels of an ordinal covariate, first to last, and its coding."""

    levels: Annotated[tuple[Level, ...], Many]
    coding: Literal["monotone", "linear"] = "monotone"


class RangeKeys(Keys):
    """A quantity between lower and upper with probability prob."""

    lower: float
    upper: float
    prob: float = 0.95


OnePrior = Annotated[
    Annotated[str, Tag("<text>")] | Annotated[RangeKeys, Tag("<range>")],
    Discriminator(_prior_form),
]
CoefficientPrior = Annotated[
    Annotated[str, Tag("<text>")]
    | Annotated[RangeKeys, Tag("<range>")]
    | Annotated[dict[str, OnePrior], Tag("<by term>")],
    Discriminator(_coefficient_form),
]

# --- The sections ---


class CohortKeys(Keys):
    """Where the patients are; `file` is absolute once the plan is read.

    `member` is the column that makes the file an ensemble: the member of each row.
    """

    file: Text
    unit: Text
    id: Text | None = None
    member: Text | None = None
    sheet: Text | None = None
    missing: Literal["error", "drop"] = "error"
    reference: dict[str, Level] = {}
    ordinal: dict[str, Annotated[OrdinalKeys, BeforeValidator(_levels)]] = {}


class EndpointKeys(Keys):
    """Columns of one endpoint; `cause` names what each event was, such as infection."""

    time: Text
    event: Text
    entry: Text | None = None
    upper: Text | None = None
    cause: Text | None = None


class TimeZeroKeys(Keys):
    """Where the clock starts: `start` is the column with the time at which treatment started."""

    landmark: Positive | None = None
    enter_at: Positive | None = None
    start: Text | None = None


class ModelKeys(Keys):
    """Formula and baselines; the keys after `baseline` are each for one of the baselines."""

    formula: Text
    baseline: Baselines = DEFAULT_BASELINE
    cuts: Cuts | None = None
    intervals: Annotated[int, Field(ge=2)] | None = None
    smoothing: Literal["random-walk", "independent"] | None = None
    knots: Cuts | None = None
    boundary: Positive | None = None
    scale: Positive | None = None


class PriorKeys(Keys):
    """Priors in their printed form; a table with lower and upper is a range."""

    intercept: str | None = None
    coefficient: CoefficientPrior | None = None
    shape: str | None = None
    slope: str | None = None
    smoothing_sd: str | None = None
    group_sd: str | None = None
    log_hazard: str | None = None
    median_survival: RangeKeys | None = None


class EstimandKeys(Keys):
    """What is asked of the posterior, and whether the classical analysis stands beside it."""

    treatment: Text | None = None
    horizon: Positive | None = None
    times: Times | None = None
    profiles: Profiles | None = None
    rmst_margin: Positive | None = None
    survival_margin: Share | None = None
    causal: Text | None = None
    classical: bool = True


class SamplingKeys(Keys):
    """Settings of the sampler."""

    chains: Annotated[int, Field(ge=2)] = Sampling.chains
    draws: Annotated[int, Field(ge=100)] = Sampling.draws
    tune: Annotated[int, Field(ge=100)] = Sampling.tune
    target_accept: Share = Sampling.target_accept
    seed: Annotated[int, Field(ge=0, lt=2**63)] = Sampling.seed
    method: Literal["nuts", "laplace"] = Sampling.method  # type: ignore[assignment]


class Sections(Keys):
    """A whole plan."""

    cohort: CohortKeys
    endpoint: Annotated[dict[Name, EndpointKeys], Field(min_length=1)]
    time_zero: TimeZeroKeys = TimeZeroKeys()
    model: ModelKeys
    priors: PriorKeys = PriorKeys()
    estimand: EstimandKeys = EstimandKeys()
    sampling: SamplingKeys = SamplingKeys()


SECTIONS: dict[str, type[Keys]] = {
    "cohort": CohortKeys,
    "endpoint": EndpointKeys,
    "time_zero": TimeZeroKeys,
    "model": ModelKeys,
    "priors": PriorKeys,
    "estimand": EstimandKeys,
    "sampling": SamplingKeys,
}


def _keys_at(above: list[str | int]) -> type[Keys]:
    if len(above) == 1 or above[0] == "endpoint":
        return SECTIONS[str(above[0])]
    return OrdinalKeys if "ordinal" in above else RangeKeys


def _own(place: Place, found: Mapping[str, Any]) -> Problem | None:
    """What is said of endpoints, which a plan names itself."""
    if place[0] == "endpoint" and len(place) == 2:
        what = f"{toml(found['input'])} is not a table; name the endpoint, as in [endpoint.os]"
        return place, what
    if place == ("endpoint",):
        return place, "name one endpoint or more, as in [endpoint.os]"
    if place[-1] == "[key]":
        return place[:-1], "this names a folder: use letters, digits, - and _ only"
    return None


VOCABULARY = Vocabulary(SECTIONS, _keys_at, _own)
