"""When a study is looked at before its final analysis."""

import numpy as np

from bayesurv.planning.keys import DesignKeys
from bayesurv.planning.studies import Simulated


def look_times(keys: DesignKeys, simulated: Simulated) -> np.ndarray:
    """Calendar time of each interim analysis, `(look, study)`.

    nan where a look does not take place, because its time comes no earlier than the final
    analysis, or because so many events never happen.
    """
    looks, count = keys.looks, len(simulated.finish)
    if looks is None:
        return np.empty((0, count))
    patients = simulated.entered.shape[1]
    if looks.by == "time":
        times = np.repeat(np.array(looks.at)[:, None], count, axis=1)
    elif looks.by == "patients":
        times = _order_statistic(simulated.entered, [share * patients for share in looks.at])
    else:
        events = simulated.studies.event
        happened = np.where(events, simulated.entered + simulated.studies.time, np.inf)
        planned = _planned_events(keys, patients)
        times = _order_statistic(happened, [share * planned for share in looks.at])
    return np.where(times < simulated.finish, times, np.nan)


def _planned_events(keys: DesignKeys, patients: int) -> int:
    planned = keys.looks.planned_events if keys.looks is not None else None
    if planned is None:
        raise ValueError("looks by events need the planned events")
    return planned[keys.patients.index(patients)] if len(planned) > 1 else planned[0]


def _order_statistic(values: np.ndarray, ranks: list[float]) -> np.ndarray:
    """The ceil(rank)-th smallest value of each study, `(rank, study)`; infinite beyond the last."""
    ordered = np.sort(values, axis=1)
    ordered = np.concatenate([ordered, np.full((len(values), 1), np.inf)], axis=1)
    places = np.ceil(np.array(ranks) - 1e-9).astype(int) - 1
    return ordered[:, np.clip(places, 0, values.shape[1])].T
