"""Sample a compiled model with nutpie's NUTS, or approximate it where that is asked for."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from bayesurv.inference.diagnostics import SamplingError, diagnose, failures
from bayesurv.inference.trace import to_tree
from bayesurv.inference.weighted import as_tree, diagnose_weights, weighted_draws

if TYPE_CHECKING:
    import pandas as pd
    import pymc as pm
    import xarray as xr


METHODS = NUTS, LAPLACE = ("nuts", "laplace")


@dataclass(frozen=True)
class Sampling:
    """Settings of NUTS: `draws` are kept of each chain, after `tune` that are not.

    With the method "laplace" as many draws come from `inference.laplace`, in milliseconds, unless
    their importance weights are no good: then from NUTS.
    """

    chains: int = 4
    draws: int = 1000
    tune: int = 1000
    target_accept: float = 0.95
    seed: int = 0
    method: str = NUTS

    def stricter(self) -> "Sampling":
        """Settings of the one automatic retry."""
        accept = 1 - (1 - self.target_accept) / 10
        return replace(self, draws=2 * self.draws, tune=2 * self.tune, target_accept=accept)

    def describe(self) -> dict[str, Any]:
        """Settings by name."""
        return asdict(self)


@dataclass(frozen=True)
class Run:
    """Draws, the settings they were drawn with, and the checks that they passed or not."""

    tree: "xr.DataTree"
    settings: Sampling
    diagnostics: "pd.DataFrame"

    @property
    def failures(self) -> list[str]:
        """One sentence for each check that failed."""
        return failures(self.diagnostics)


class ModelCache:
    """Compiled models of this process by their shape, so that a refit compiles nothing."""

    def __init__(self) -> None:
        self._compiled: dict[Any, Any] = {}

    def compiled(self, shape: Any, make: Callable[[], "pm.Model"]) -> Any:
        """Return the compiled model of a shape, building and compiling it when it is new."""
        from bayesurv.inference.compile import compile_model

        if shape not in self._compiled:
            self._compiled[shape] = compile_model(make())
        return self._compiled[shape]


@cache
def model_cache() -> ModelCache:
    """The process' one cache of compiled models."""
    return ModelCache()


Progress = Callable[[float], None]


def draw(compiled: Any, settings: Sampling, progress: Progress | None = None) -> "xr.DataTree":
    """Run NUTS once; groups `posterior` and `sample_stats` with dims (chain, draw, ...).

    The same seed gives the same numbers, whatever the number of cores. An interrupt stops the
    chains and is passed on. `progress` is told the share of the draws that are done.
    """
    import nutpie

    def tell(chains: list[Any]) -> None:
        total = settings.chains * (settings.tune + settings.draws)
        if progress is not None:
            progress(sum(chain.finished_draws for chain in chains) / total)

    sampler = nutpie.sample(
        compiled,
        draws=settings.draws,
        tune=settings.tune,
        chains=settings.chains,
        seed=settings.seed,
        target_accept=settings.target_accept,
        progress_bar=False,
        progress_callback=None if progress is None else tell,
        return_raw_trace=True,
        blocking=False,
    )
    try:
        return to_tree(sampler.wait(), compiled, settings.draws)
    except BaseException:
        sampler.cancel()
        raise


def sample(
    compiled: Any, settings: Sampling, progress: Progress | None = None, force: bool = False
) -> Run:
    """Run NUTS, check it, and run it once more with stricter settings where the checks fail.

    Where the settings ask for the method "laplace", that comes first, and NUTS only where the
    weights fail their checks; the settings of the run say which it was.

    Raises
    ------
    SamplingError
        The second run fails the checks too and `force` is false.
    """
    if settings.method == LAPLACE:
        found = weighted_draws(compiled, settings.chains * settings.draws, settings.seed)
        if found.reliable:
            return Run(as_tree(found, compiled, settings.chains), settings, diagnose_weights(found))
        settings = replace(settings, method=NUTS)
    for attempt in (settings, settings.stricter()):
        tree = draw(compiled, attempt, progress)
        run = Run(tree, attempt, diagnose(tree))
        if not run.failures:
            break
    if run.failures and not force:
        raise SamplingError(run.failures)
    return run
