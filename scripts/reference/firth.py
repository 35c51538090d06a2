"""Firth's Cox and logistic regressions by firthmodels, which tests itself against R's coxphf.

    pip install firthmodels==0.8.2 pandas
    python scripts/reference/firth.py     # from the repository root

Writes tests/reference/firth.csv, and data/monotone.csv: the data of its test against coxphf.
Ties are Breslow's, the only ones that it knows.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from firthmodels import FirthCoxPH, FirthLogisticRegression

REFERENCE = Path("tests/reference")


def monotone() -> pd.DataFrame:
    """firthmodels, tests/conftest.py, make_cox_separation_data (MIT): no event where group is 0."""
    random, n = np.random.default_rng(42), 100
    x = {
        "group": random.choice([0, 1], n, p=[0.35, 0.65]),
        "x1": random.standard_normal(n),
        "x2": random.uniform(-1, 1, n),
        "x3": random.choice([0, 1], n, p=[0.6, 0.4]),
    }
    predictor = 0.5 * x["x1"] - 0.3 * x["x2"] + 0.7 * x["x3"]
    death = random.exponential(1 / (0.1 * np.exp(predictor)))
    last_seen = random.exponential(scale=15.0, size=n)
    event = (death <= last_seen) & (x["group"] == 1)
    return pd.DataFrame({"time": np.minimum(death, last_seen), "event": event.astype(int), **x})


def read(name: str) -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "data" / f"{name}.csv")


def results(case, model, terms) -> pd.DataFrame:
    model.lrt()
    lower, upper = model.conf_int(method="pl", tol=1e-8, max_iter=500).T
    found = {
        "coefficient": model.coef_,
        "standard_error": model.bse_,
        "p_likelihood-ratio": model.lrt_pvalues_,
        "profile_lower": lower,
        "profile_upper": upper,
    }
    table = pd.DataFrame({name: values[: len(terms)] for name, values in found.items()})
    table.insert(0, "term", terms)
    table.insert(0, "case", case)
    return table.melt(["case", "term"], var_name="quantity")


def cox(case, table, terms):
    model = FirthCoxPH(gtol=1e-6, xtol=1e-6, max_iter=1000)
    model.fit(table[terms].to_numpy(float), (table["event"] == 1, table["time"]))
    return results(case, model, terms)


def logistic(case, table, terms):
    model = FirthLogisticRegression(gtol=1e-6, xtol=1e-6, max_iter=1000)
    model.fit(table[terms].to_numpy(float), table["early"])
    return results(case, model, terms)


monotone().round(12).to_csv(REFERENCE / "data" / "monotone.csv", index=False)
veteran = read("veteran")
known = veteran[(veteran["time"] > 3) | (veteran["event"] == 1)]
known = known.assign(early=(known["time"] <= 3).astype(int))
no_event = veteran.assign(event=veteran["event"].where(veteran["trt"] == 0, 0))
nobody = known.assign(early=known["early"].where(known["prior"] == 0, 0))
every = pd.concat(
    [
        cox("monotone", read("monotone"), ["group", "x1", "x2", "x3"]),
        cox("veteran", veteran, ["trt", "karno10", "age10", "prior"]),
        cox("veteran_separated", no_event, ["trt", "karno10", "age10"]),
        cox("ovarian", read("ovarian"), ["age10", "rx2", "residual"]),
        cox("kidney", read("kidney"), ["age10", "female"]),
        cox("lung", read("lung"), ["age10", "female"]),
        logistic("early", known, ["trt", "karno10", "age10"]),
        logistic("early_separated", nobody, ["trt", "karno10", "prior"]),
    ]
)
every.to_csv(REFERENCE / "firth.csv", index=False, float_format="%.15g")
