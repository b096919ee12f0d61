"""How far the token estimate is from a real vocabulary (o200k), by diff."""

import json
from statistics import fmean, quantiles

from diffs import from_arguments
from rs_bpe import openai

from reviewbot.change.tokens import estimate_tokens

vocabulary = openai.o200k_base()
ratios = [
    estimate_tokens(record["diff"]) / max(vocabulary.count(record["diff"]), 1)
    for record in from_arguments()
]
cuts = quantiles(ratios, n=20)
result = {
    "diffs": len(ratios),
    "mean": fmean(ratios),
    "p5": cuts[0],
    "p50": cuts[9],
    "p95": cuts[-1],
}
print(json.dumps({name: round(value, 3) for name, value in result.items()}))
