"""Members of an ensemble: a random start for each, both searches, and the table of its patients."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from bayesurv.data.reconstruct.problem import Stage, groups, stages
from bayesurv.data.reconstruct.search import NOTHING, search
from bayesurv.data.reconstruct.state import GRID, State, Structure
from bayesurv.data.reconstruct.summary import Summary, Variable

ROUNDS = (
    ((150_000, 0.3, 3e-3), *[(40_000, 0.03, 3e-4)] * 4),  # of an endpoint with its variables
    ((100_000, 0.3, 3e-2),),  # of other variables
)  # steps, from which temperature, to which
RESTARTS = 10  # of the search of other variables, until it has met everything
ATTEMPTS = 6  # at a member, from a random start each
CLOSE = 0.08  # left outside all intervals together, in standard errors: not worth a new start
DECIMALS = 2  # of the times that are written
UNMET = 1e6  # added to that where a hard target is not met
PRECIOUS = 10.0  # weight in that of what other variables should have met


type Times = tuple[np.ndarray, np.ndarray, np.ndarray]  # time, event and share (endpoint, row)


@dataclass(frozen=True)
class Member:
    """One synthetic cohort.

    patients : one row each, in random order.
    excess : how far the statistic of each target is outside its rounding interval, 0 where it is
        met: z of a P (the logarithm of an exact one), the logarithm of a ratio or limit, a time.
        The last is of the conditions that make a member possible.
    starts : random starts that it took.
    """

    patients: pd.DataFrame
    excess: np.ndarray
    starts: int


@dataclass(frozen=True)
class Reconstruction:
    """Draws members of a summary, each from a random start of its own."""

    summary: Summary

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The search of times and of what their tests look at, then those of all else."""
        return stages(self.summary)

    def member(self, number: int, seed: int) -> Member:
        """The member of this number; the same whatever is drawn beside it.

        It is begun anew from another start where the searches end far from their targets, a few
        times; then the best is kept.
        """
        generator = np.random.default_rng([seed, number])
        best, least, starts = None, np.inf, 0
        while starts < ATTEMPTS and least > CLOSE:
            starts += 1
            table, excess, left = self._attempt(generator)
            if left < least:
                best, least = (table, excess), left
        assert best is not None
        return Member(*best, starts)

    def _attempt(self, generator: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray, float]:
        """Patients from one random start, what is outside each interval, and that weighed up."""
        times = self._times(self.stages[0].structure, generator)
        codes: dict[str, np.ndarray] = {}
        excess, total = np.zeros(len(self.summary.target) + 1), 0.0
        for stage in self.stages:
            alone = stage.structure.moving < 0
            state, left = self._best(stage, times, codes, generator)
            times, total = (state.time, state.event, state.share), total + left * PRECIOUS**alone
            codes |= dict(zip(stage.names, state.code, strict=True))
            np.maximum.at(excess, stage.printed, self._as_written(stage, state, generator))
        hard = [target.status == "hard" for target in self.summary.target]
        if (excess[:-1][hard] > NOTHING).any():
            total += UNMET
        return self._table(times, codes, generator), excess, total

    def _as_written(self, stage: Stage, state: State, generator: np.random.Generator) -> np.ndarray:
        """How far targets are outside their intervals when times are rounded as in the table."""
        written = _kept(state)
        written.time[:] = np.round(written.time, DECIMALS)
        search(stage.structure, stage.targets, written, 0, generator, 1.0, 1.0)
        return written.excess * stage.targets.scale

    def random_start(self, number: int, seed: int) -> pd.DataFrame:
        """A cohort that keeps the structure and was not searched for anything."""
        generator = np.random.default_rng([seed, number, 1])
        times = self._times(self.stages[0].structure, generator)
        codes: dict[str, np.ndarray] = {}
        for stage in self.stages:
            state = self._start(stage, times, codes, generator)
            search(stage.structure, stage.targets, state, 0, generator, 1.0, 1.0)
            times = (state.time, state.event, state.share)
            codes |= dict(zip(stage.names, state.code, strict=True))
        return self._table(times, codes, generator)

    def _best(
        self,
        stage: Stage,
        times: Times,
        codes: dict[str, np.ndarray],
        generator: np.random.Generator,
    ) -> tuple[State, float]:
        """The best state that a search comes by, and what it leaves outside the intervals."""
        alone = stage.structure.moving < 0
        best, least = None, np.inf
        for _ in range(RESTARTS if alone else 1):
            state = self._start(stage, times, codes, generator)
            for steps, hottest, coldest in ROUNDS[alone]:
                searched = stage.structure, stage.targets, state
                left, _ = search(*searched, steps, generator, hottest, coldest)
                if left < least:
                    best, least = _kept(state), left
                if left < NOTHING:
                    return best or state, left
        assert best is not None
        return best, least

    def _times(self, structure: Structure, generator: np.random.Generator) -> Times:
        """Random times, events and shares, (endpoint, row), that keep the structure."""
        n, endpoints = len(structure.arm), structure.inner + 1
        time, event = np.ones((endpoints, n)), np.zeros((endpoints, n), dtype=bool)
        share = np.ones((endpoints, n))
        for a in (0, 1):
            rows = slice(structure.first[a], structure.first[a] + structure.size[a])
            time[0, rows] = random_times(structure, a, generator)
            event[0, rows] = random_events(structure, a, generator)
            for e in range(1, endpoints):
                own = generator.random(structure.size[a]) < generator.uniform(0.05, 0.95)
                first, second = generator.uniform(0.5, 2.5, 2)
                drawn = generator.beta(first, second, structure.size[a])
                share[e, rows] = np.where(own, np.clip(drawn, 0.02, 0.99), 1.0)
        return time, event, share

    def _start(
        self,
        stage: Stage,
        times: Times,
        codes: dict[str, np.ndarray],
        generator: np.random.Generator,
    ) -> State:
        """A random state of what is searched; what was found before stays."""
        structure, targets, summary = stage.structure, stage.targets, self.summary
        known = codes | (self._flags(times) if structure.moving < 0 else {})
        code = np.zeros((len(stage.names), len(structure.arm)), dtype=np.int64)
        for i, name in enumerate(stage.names):
            if name in known:
                code[i] = known[name]
                continue
            variable = summary.named(name)
            assert variable is not None
            for a in (0, 1):
                rows = slice(structure.first[a], structure.first[a] + structure.size[a])
                code[i, rows] = random_levels(variable, summary, a, generator)
        column = np.zeros((len(targets.column_variable), len(structure.arm)))
        for c in np.flatnonzero(targets.column_variable < 0):
            column[c] = targets.column_score[c, structure.arm]
        time, event, share = (each.copy() for each in times)
        return State(
            code=code,
            share=share,
            time=time,
            event=event,
            order=np.zeros(time.shape, dtype=np.int64),
            column=column,
            beta=np.zeros(targets.model_columns.shape),
            statistic=np.zeros(len(targets.kind)),
            excess=np.zeros(len(targets.kind)),
        )

    def _flags(self, times: Times) -> dict[str, np.ndarray]:
        """What conditions ask of the times, as codes."""
        time, event, _ = times
        names = [each.name for each in self.summary.endpoint]
        found = {f"{name}_event": event[e].astype(int) for e, name in enumerate(names)}
        for flag in self.summary.flag:
            e = names.index(flag.endpoint)
            found[flag.name] = (event[e] & (time[e] < flag.before)).astype(int)
        return found

    def _table(
        self, times: Times, codes: dict[str, np.ndarray], generator: np.random.Generator
    ) -> pd.DataFrame:
        """The patients in random order, as a user would have them."""
        summary, arm = self.summary, self.stages[0].structure.arm
        columns: dict[str, object] = {summary.treatment: 1 - arm}
        for variable in summary.variable:
            code = codes[variable.name]
            columns[variable.name] = code if variable.number else np.array(variable.levels)[code]
        for e in reversed(range(len(summary.endpoint))):
            name = summary.endpoint[e].name
            columns[f"{name}_{summary.unit}"] = np.round(times[0][e], DECIMALS)
            columns[f"{name}_event"] = times[1][e].astype(int)
        order = generator.permutation(len(arm))
        table = pd.DataFrame(columns).iloc[order].reset_index(drop=True)
        table.insert(0, "patient", np.arange(1, len(arm) + 1))
        table.insert(1, "synthetic", True)
        return table


def _kept(state: State) -> State:
    return State(*(array.copy() for array in state))


def random_times(structure: Structure, arm: int, generator: np.random.Generator) -> np.ndarray:
    """Sorted times with the arm's range and median; how they lie between is random too."""
    n = int(structure.size[arm])
    low, middle, high = (x[arm] for x in (structure.shortest, structure.middle, structure.longest))
    low = max(low, 1 / GRID)
    if np.isnan(middle):
        inner = _between(low, high, n - 2, generator)
        return np.sort(np.concatenate([[low], inner, [high]]))[:n]
    half = (n - 1) // 2
    before = np.append(low, _between(low, middle, half - 1, generator))
    after = np.append(high, _between(middle, high, half - 1, generator))
    if n % 2:
        centre = [middle]
    else:
        room = min(middle - before.max(), after.min() - middle)
        away = np.floor(generator.random() * room * GRID) / GRID
        centre = [middle - away, middle + away]
    return np.sort(np.concatenate([before, centre, after]))


def _between(low: float, high: float, count: int, generator: np.random.Generator) -> np.ndarray:
    """Times between two others, at random on a scale that is random between plain and log."""
    u = generator.random(max(count, 0)) ** np.exp(generator.normal(0, 0.6))
    bend = generator.random()
    plain, log = low + u * (high - low), low * (high / low) ** u
    return np.clip(np.round((bend * plain + (1 - bend) * log) * GRID) / GRID, low, high)


def random_events(structure: Structure, arm: int, generator: np.random.Generator) -> np.ndarray:
    """Which of an arm's patients had the outermost event, more of the early or of the late ones."""
    n, events = int(structure.size[arm]), int(structure.events[arm])
    if events < 0:
        events = int(generator.integers(n + 1))
    tilt = np.exp(generator.normal(0, 2) * np.linspace(-1, 1, n))
    chosen = generator.choice(n, size=events, replace=False, p=tilt / tilt.sum())
    return np.isin(np.arange(n), chosen)


def random_levels(
    variable: Variable, summary: Summary, arm: int, generator: np.random.Generator
) -> np.ndarray:
    """Levels of an arm's patients: its counts, shared out at random where they are of several."""
    n = summary.patients[arm]
    if variable.number:
        return random_numbers(variable, arm, n, generator)
    codes: list[int] = []
    for levels, counts in groups(variable, summary.patients):
        count = counts[arm]
        kept = variable.least * len(levels) if count else 0
        shares = generator.dirichlet(np.ones(len(levels)))
        drawn = generator.choice(levels, size=max(count - kept, 0), p=shares)
        codes += [*(list(levels) * variable.least if count else []), *drawn]
    return generator.permutation(np.array(codes))[:n]


def random_numbers(
    variable: Variable, arm: int, n: int, generator: np.random.Generator
) -> np.ndarray:
    """Whole numbers with the arm's range and median."""
    assert variable.lower is not None
    assert variable.median is not None
    assert variable.upper is not None
    low, middle, high = variable.lower[arm], variable.median[arm], variable.upper[arm]
    floor, ceiling = int(np.floor(middle)), int(np.ceil(middle))
    half = (n - 1) // 2
    before = np.append(low, generator.integers(low, floor + 1, max(half - 1, 0)))
    after = np.append(high, generator.integers(ceiling, high + 1, max(half - 1, 0)))
    centre = [floor] if n % 2 else [floor, ceiling]
    return generator.permutation(np.concatenate([before, centre, after]))
