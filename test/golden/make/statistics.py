"""Statistics of NumPy for src/statistics: run by hand, writes test/golden/statistics.json."""
import json
import math
from pathlib import Path

import numpy as np

rng = np.random.default_rng(11)
cases = []
for name, values, bins, span in [
    ("integers", rng.integers(18, 96, 400).astype(float), 13, (0.0, 100.0)),
    ("log-normal", rng.lognormal(3, 1, 300), 20, None),
    ("far from zero", rng.normal(1e6, 1e-3, 250), 10, None),
    ("negative", -rng.gamma(2, 3, 200), 7, (-20.0, -1.0)),
    ("tenths on the edges", np.round(rng.uniform(0, 1, 500), 1), 10, (0.0, 1.0)),
]:
    lo, hi = span or (values.min(), values.max())
    inside = values[(values >= lo) & (values <= hi)]
    counts, edges = np.histogram(values, bins=bins, range=(lo, hi))
    probabilities = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9]
    cases.append({
        "name": name,
        "values": values.tolist(),
        "range": [lo, hi],
        "bins": bins,
        "sum": math.fsum(values),
        "mean": float(np.mean(values.astype(np.longdouble))),
        "std": float(np.std(values.astype(np.longdouble), ddof=1)),
        "counts": counts.tolist(),
        "edges": edges.tolist(),
        "outside": int(len(values) - len(inside)),
        "probabilities": probabilities,
        "quantiles": np.quantile(values, probabilities, method="inverted_cdf").tolist(),
    })
out = Path(__file__).parent.parent / "statistics.json"
out.write_text(json.dumps(cases) + "\n")
