"""Sections and keys of DESIGN.toml: the type of each."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from bayesurv.data.faults import Fault, InputError, listed, nearest
from bayesurv.data.follow_up import DAYS
from bayesurv.models.distributions import Distribution
from bayesurv.models.priors import REAL, HazardRatio, family_names, parse_prior
from bayesurv.plan_checks import increasing
from bayesurv.plan_keys import (
    Cuts,
    Keys,
    Many,
    Name,
    Number,
    Positive,
    PriorKeys,
    Share,
    Text,
)


def _one_or_more(given: object) -> object:
    return given if isinstance(given, list | tuple) else [given]


def _known_unit(name: str) -> str:
    if name not in DAYS:
        raise ValueError(f'"{name}" is not {listed(DAYS)}.{nearest(name, DAYS)}')
    return name


def parse_effect(text: str) -> Distribution:
    """The distribution of a log hazard ratio from its printed form.

    Raises
    ------
    InputError
        It cannot be read, or is of something else.
    """
    found = parse_prior(text)
    if isinstance(found, HazardRatio):
        return found.distribution()
    if isinstance(found, REAL):
        return found
    message = f"{text} is not of a log hazard ratio; use {family_names((*REAL, HazardRatio))}"
    raise InputError([Fault(message)])


def _effect(text: str) -> str:
    try:
        parse_effect(text)
    except InputError as error:
        raise ValueError(str(error).removeprefix("prior: ")) from None
    return text


def _pair(given: tuple[int, ...]) -> tuple[int, ...]:
    if len(given) != 2:
        raise ValueError("must be two numbers, treated and control, such as [27, 34]")
    return given


def _distinct(given: tuple[float, ...]) -> tuple[float, ...]:
    for value in given:
        if given.count(value) > 1:
            raise ValueError(f"{value:g} is given twice")
    return given


NotNegative = Annotated[Number, Field(ge=0)]
Probability = Annotated[Number, Field(ge=0, le=1)]
Whole = Annotated[int, Field(ge=1)]
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Effect = Annotated[str, AfterValidator(_effect)]
Unit = Annotated[str, AfterValidator(_known_unit)]
Sizes = Annotated[
    tuple[Annotated[int, Field(ge=4, le=100_000)], ...],
    Many,
    BeforeValidator(_one_or_more),
    AfterValidator(increasing),
]
Ratios = Annotated[
    tuple[Positive, ...], Many, BeforeValidator(_one_or_more), AfterValidator(_distinct)
]
Thresholds = Annotated[
    tuple[Share, ...], Many, BeforeValidator(_one_or_more), AfterValidator(_distinct)
]
Bounds = Annotated[tuple[Probability, ...], Many, BeforeValidator(_one_or_more)]


class LooksKeys(Keys):
    """Interim analyses: at calendar times, at shares of the patients, or of the planned events."""

    by: Literal["time", "patients", "events"]
    at: Annotated[tuple[Positive, ...], Many, AfterValidator(increasing)]
    planned_events: Annotated[tuple[Whole, ...], Many, BeforeValidator(_one_or_more)] | None = None


class DesignKeys(Keys):
    """Who is treated, when patients enter, and how long they are followed."""

    unit: Unit
    patients: Sizes
    treatment: Variable = "treatment"
    treated: Share | None = None
    ratio: Annotated[tuple[Whole, ...], Many, AfterValidator(_pair)] | None = None
    allocation: Literal["fixed", "random"] = "fixed"
    accrual: NotNegative | None = None
    accrual_rate: Positive | None = None
    follow_up: NotNegative | None = None
    follow_up_each: Positive | None = None
    dropout_yearly: Annotated[Number, Field(ge=0, lt=1)] | None = None
    dropout_hazard: NotNegative | None = None
    horizon: Positive | None = None
    looks: LooksKeys | None = None


class BaselineKeys(Keys):
    """Survival of a control patient with none of the covariates: stated, or that of a saved fit."""

    name: Literal["exponential", "weibull", "piecewise-exponential"] | None = None
    median: Positive | None = None
    shape: Positive | None = None
    cuts: Cuts | None = None
    hazards: Annotated[tuple[Positive, ...], Many] | None = None
    fit: Text | None = None


class CovariateKeys(Keys):
    """A binary covariate: its share in each arm, and its hazard ratio."""

    treated: Probability
    control: Probability
    hazard_ratio: Positive = 1.0


class NonProportionalKeys(Keys):
    """A hazard ratio that changes with time since entry."""

    kind: Literal["delayed", "waning", "crossing"]
    hazard_ratio: Positive
    until: Positive
    since: Positive | None = None
    early: Positive | None = None


class TruthKeys(Keys):
    """What is true in the simulated studies."""

    baseline: BaselineKeys
    hazard_ratio: Ratios = (1.0,)
    prior: Effect | None = None
    covariates: dict[Variable, CovariateKeys] = {}
    non_proportional: dict[Name, NonProportionalKeys] = {}


class AnalysisKeys(Keys):
    """The model by which every study is analysed."""

    formula: Text | None = None
    baseline: Text = "weibull"
    cuts: Cuts | None = None
    smoothing: Literal["random-walk", "independent"] | None = None
    knots: Cuts | None = None
    boundary: Positive | None = None
    scale: Positive | None = None
    ci_prob: Share = 0.95
    draws: Annotated[int, Field(ge=200, le=100_000)] = 1000


class DecisionKeys(Keys):
    """When a study succeeds: P(hazard ratio < margin) reaches a threshold."""

    margin: Positive = 1.0
    threshold: Thresholds = (0.975,)
    efficacy: Bounds | None = None
    futility: Bounds | None = None
    target: Share = 0.8


class RunningKeys(Keys):
    """A study that is under way: its fit, and what is still to come, counted from now."""

    fit: Text
    follow_up: Positive
    treatment: Text | None = None
    patients: Annotated[int, Field(ge=0, le=100_000)] = 0
    accrual: NotNegative | None = None
    treated: Share | None = None
    dropout_yearly: Annotated[Number, Field(ge=0, lt=1)] = 0.0
    plan: Text | None = None
    under_observation: Text | None = None


class SimulationKeys(Keys):
    """How many studies are simulated for each number of patients and each truth."""

    replicates: Annotated[int, Field(ge=2, le=10_000_000)] = 1000
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0


class DesignSections(Keys):
    """A whole DESIGN.toml."""

    design: DesignKeys | None = None
    truth: TruthKeys | None = None
    analysis: AnalysisKeys = AnalysisKeys()
    priors: PriorKeys = PriorKeys()
    decision: DecisionKeys = DecisionKeys()
    running: RunningKeys | None = None
    simulation: SimulationKeys = SimulationKeys()


SECTIONS: dict[str, type[Keys]] = {
    "design": DesignKeys,
    "truth": TruthKeys,
    "analysis": AnalysisKeys,
    "priors": PriorKeys,
    "decision": DecisionKeys,
    "running": RunningKeys,
    "simulation": SimulationKeys,
}
INNER: dict[tuple[str, str], type[Keys]] = {
    ("design", "looks"): LooksKeys,
    ("truth", "baseline"): BaselineKeys,
    ("truth", "covariates"): CovariateKeys,
    ("truth", "non_proportional"): NonProportionalKeys,
}
