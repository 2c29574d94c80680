"""Write sampling.json: what Python and TypeScript must both say about the same strata.

Everything here is worked out row by row in fractions, decimals and scipy's distributions, from the definitions in
the docstrings of `penstock.sampling`; nothing is asked of the package. Run it as ``python tests/golden/write_sampling.py``.

Each case has the statistics arrays (`arrays`), the clause weights, `combine`, `cap` (null: none) and `draws`;
`expect` holds the weights and row probabilities of the strata, the idle clauses and, for each mode, `draws` (once: at
most the drawable rows), histogram (mean, low, high per class and unit; deck: also of the second epoch), coverage of
`num_epochs` epochs, the first epochs at which `shares` of the pool are covered with probability `quantiles` (null:
never), and per class P(seen at most k times), k = 0 .. `max_times`, after each of `times_seen_epochs` (null: no row
has the class). Deck: whole masses, quotas of each epoch and stratum, certificate. Doubles agree to 1e-9 (relative or
absolute), whole numbers exactly. The algorithms: `penstock/sampling/laws/_bands.py` (bands), `_quotas.py` (deck),
`_once.py` (inclusion), `_moments.py` (bars), `_unseen.py` (coverage, epochs), `_binomial.py` (times seen).
"""

from __future__ import annotations

import heapq
import json
import math
from collections import Counter
from decimal import Decimal, getcontext
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path

from scipy import optimize, stats

getcontext().prec = 60

LEVEL = 0.95
EPOCHS = 20
SHARES = (0.5, 0.9, 0.95, 0.99, 1.0)
QUANTILES = (0.05, 0.5, 0.95, 0.99)
TIMES_EPOCHS = (1, 5)
MAX_TIMES = 40


def generator(seed):
    """Numbers in [0, 1) that are the same everywhere."""
    state = seed
    while True:
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        yield (state >> 11) / 2**53


def draw_rows(seed, num_rows, chances, most=1):
    """Class counts of each row: each class comes with its chance, up to `most` times."""
    numbers = generator(seed)
    rows = []
    for _ in range(num_rows):
        row = {}
        for label, chance in enumerate(chances):
            if next(numbers) < chance:
                row[label] = 1 + int(next(numbers) * most)
        rows.append(row)
    return rows


def has(label):
    return lambda row: label in row


def everything(_row):
    return True


def cases():
    """Rows (class -> instances), clauses (condition, weight), how they combine, draws per epoch."""
    article = [{0: 1}] * 165 + [{1: 1}] * 10
    several = draw_rows(1, 400, (0.5, 0.3, 0.12, 0.04, 0.015))
    boxes = draw_rows(2, 120, (0.6, 0.3, 0.1, 0.03), most=6)
    rare = draw_rows(3, 300, (0.7, 0.2, 0.05, 0.02, 0.0))
    small = draw_rows(5, 14, (0.6, 0.4, 0.2), most=3)
    many = draw_rows(4, 360, (0.5, 0.45, 0.4, 0.35, 0.3, 0.25))
    return [
        {"name": "one label, balanced", "rows": article, "classes": 2, "clauses": [(has(1), 16.5), (everything, 1)], "combine": "max", "draws": 175},
        {"name": "one label, two epochs at once", "rows": article, "classes": 2, "clauses": [(has(1), 16.5), (everything, 1)], "combine": "max", "draws": 350},
        {"name": "several labels", "rows": several, "classes": 5, "clauses": [(has(4), 20), (has(3), 8), (has(2), 2.5), (everything, 1)], "combine": "max", "draws": 400},
        {"name": "several labels, sum", "rows": several, "classes": 5, "clauses": [(has(4), 20), (has(3), 8), (has(0), 0.3), (everything, 1)], "combine": "sum", "draws": 400},
        {"name": "boxes", "rows": boxes, "classes": 4, "clauses": [(has(3), 12), (has(2), 4), (lambda row: sum(row.values()) > 5, 2), (everything, 1)], "combine": "max", "draws": 120},
        {"name": "boxes, few draws", "rows": boxes, "classes": 4, "clauses": [(has(3), 12), (has(2), 4), (everything, 1)], "combine": "sum", "draws": 16},
        {"name": "no fallback", "rows": rare, "classes": 5, "clauses": [(has(3), 20), (has(2), 5)], "combine": "max", "draws": 300},
        {"name": "zero weight and idle clauses", "rows": rare, "classes": 5, "clauses": [(has(0), 0), (has(1), 0.5), (everything, 1), (has(4), 9)], "combine": "max", "draws": 300},
        {"name": "zero by product", "rows": rare, "classes": 5, "clauses": [(has(0), 0), (has(3), 7.25)], "combine": "product", "draws": 100},
        {"name": "product of six", "rows": many, "classes": 6, "clauses": [(has(0), 1.1), (has(1), 1.3), (has(2), 1.7), (has(3), 1.9), (has(4), 2.3), (has(5), 2.9)], "combine": "product", "draws": 360},
        {"name": "product with a cap", "rows": many, "classes": 6, "clauses": [(has(0), 1.1), (has(1), 1.3), (has(2), 0.7), (has(3), 1.9), (has(5), 2.9)], "combine": "product", "cap": 4.0, "draws": 500},
        {"name": "no clauses", "rows": boxes, "classes": 4, "clauses": [], "combine": "max", "draws": 120},
        {"name": "one row", "rows": [{0: 3}], "classes": 1, "clauses": [(everything, 2)], "combine": "max", "draws": 4},
        {"name": "a small pool", "rows": small, "classes": 3, "clauses": [(has(2), 6), (has(1), 2), (everything, 1)], "combine": "max", "draws": 14},
        {"name": "a small pool, few draws", "rows": small, "classes": 3, "clauses": [(has(2), 25), (everything, 1)], "combine": "sum", "draws": 3},
        {"name": "far apart", "rows": article, "classes": 2, "clauses": [(has(1), 300), (everything, 1)], "combine": "max", "draws": 175},
    ]  # fmt: skip


def matched(case, row):
    return tuple(bool(condition(row)) for condition, _ in case["clauses"])


def combined(case, pattern, without=None):
    told = [
        weight
        for number, (yes, (_, weight)) in enumerate(zip(pattern, case["clauses"], strict=True))
        if yes and number != without
    ]
    if not case["clauses"]:
        return 1.0
    weight = {"max": lambda: max(told, default=0.0), "sum": lambda: sum(told), "product": lambda: math.prod(told)}[
        case["combine"]
    ]()
    return float(min(weight, case["cap"])) if case.get("cap") else float(weight)


def statistics(case):
    """The arrays of the widget protocol, counted by hand."""
    patterns = [matched(case, row) for row in case["rows"]]
    strata = sorted(set(patterns))
    arrays = {
        name: [] for name in ("sizes", "clause_ids", "class_ids", "rows_with_class", "instances", "instances_squared")
    }
    arrays |= {"clause_offsets": [0], "class_offsets": [0]}
    values = []
    for stratum in strata:
        members = [row for row, pattern in zip(case["rows"], patterns, strict=True) if pattern == stratum]
        arrays["sizes"].append(len(members))
        arrays["clause_ids"] += [number for number, yes in enumerate(stratum) if yes]
        arrays["clause_offsets"].append(len(arrays["clause_ids"]))
        for label in range(case["classes"]):
            counts = [row[label] for row in members if label in row]
            if counts:
                arrays["class_ids"].append(label)
                arrays["rows_with_class"].append(len(counts))
                arrays["instances"].append(sum(counts))
                arrays["instances_squared"].append(sum(count**2 for count in counts))
                values.append(sorted(Counter(counts).items()) if len(set(counts)) > 1 else [])
        arrays["class_offsets"].append(len(arrays["class_ids"]))
    if any(count > 1 for row in case["rows"] for count in row.values()):
        arrays["value_offsets"] = list(accumulate(map(len, values), initial=0))
        arrays["value_counts"] = [count for own in values for count, _ in own]
        arrays["value_rows"] = [rows for own in values for _, rows in own]
    return strata, patterns, arrays


def band(mean, variance, upper):
    """The pointwise interval of a count with these moments."""
    mean, variance = float(mean), float(variance)
    if variance <= 0:
        return mean, mean
    scale = max(1.0, variance / mean)
    spread = stats.norm.ppf(0.5 + LEVEL / 2) * math.sqrt(variance)
    low, high = mean - spread, mean + spread
    if mean < 25 * scale or variance < 25 * scale**2:
        if mean < 25 * scale and 2 * variance >= mean:
            m, v = mean / scale, variance / scale**2
            tails = ((1 - LEVEL) / 2, 1 - (1 - LEVEL) / 2)
            if m - v <= 1e-12 * m:
                law = stats.poisson(m)
            else:
                trials = math.ceil(max(m * m / (m - v), m) * (1 - 1e-9))
                law = stats.binom(trials, m / trials)
            low, high = (float(law.ppf(tail)) * scale for tail in tails)
        low, high = math.floor(low + 1e-9), math.ceil(high - 1e-9)
    return float(min(max(low, 0), upper)), float(min(max(high, 0), upper))


def few_big(parts):
    """The least size of the jumps with a law of their own; None where the sum is nearly normal."""
    rows = Counter()
    for _, jumps, _ in parts:
        for jump, number in jumps.items():
            rows[abs(jump)] += float(number)
    sizes, chosen = sorted(rows), min(rows)
    for place, size in enumerate(sizes):
        squares = sum(rows[one] * one**2 for one in sizes[: place + 1])
        cubes = sum(rows[one] * one**3 for one in sizes[: place + 1])
        if squares**3 >= 25 * cubes**2:
            chosen = sizes[place + 1] if size < sizes[-1] else None
    return chosen


def convolved(left, right):
    law = Counter()
    for a, p in left.items():
        for b, q in right.items():
            law[a + b] += p * q
    return {count: mass for count, mass in law.items() if mass > 1e-16}


def law_of_part(kind, jumps, told):
    """Jumps (jump -> expected rows) of rows whose number is binomial or hypergeometric, each as if put back."""
    mean = float(sum(jumps.values()))
    if kind == "dealt":
        size, taken = told
        number = stats.hypergeom(size, round(mean * size / taken), taken)
    elif kind == "iid":
        number = stats.binom(told, mean / told)
    else:
        gap, _ = told
        number = stats.binom(
            math.ceil(mean * mean / gap * (1 - 1e-9)), mean / math.ceil(mean * mean / gap * (1 - 1e-9))
        )
    law, power, most = Counter(), {0: 1.0}, int(number.ppf(1 - 1e-13))
    for count in range(most + 1):
        for value, mass in power.items():
            law[value] += mass * number.pmf(count)
        power = convolved(power, {jump: float(rows) / mean for jump, rows in jumps.items()})
    return law


def sum_band(fixed, parts, mean, variance, ends):
    """The quantiles of a sum of few rows' instances; `ends` where it is nearly normal."""
    if not parts:
        return fixed, fixed
    chosen = few_big(parts)
    if chosen is None:
        return ends
    law = {0: 1.0}
    for kind, jumps, told in parts:
        big = {jump: rows for jump, rows in jumps.items() if abs(jump) >= chosen}
        part = sum(big.values()) / sum(jumps.values())
        if big:
            law = convolved(law, law_of_part(kind, big, (told[0] * part**2, told[1]) if kind == "fitted" else told))
    if parts[0][0] == "fitted" and spread_of(law) > 1.25 * variance:
        return quantiles_of(parts[0][2][1])
    if any(abs(jump) < chosen for _, jumps, _ in parts for jump in jumps):
        center = sum(count * mass for count, mass in law.items())
        spread = sum(spread_of_rest(kind, jumps, told, chosen) for kind, jumps, told in parts)
        rest = stats.norm(float(mean) - fixed - center, math.sqrt(max(spread, 0.25)))
        middle, reach = round(rest.mean()), math.ceil(9 * rest.std())
        law = convolved(law, {count: rest.pdf(count) for count in range(middle - reach, middle + reach + 1)})
    low, high = quantiles_of(law)
    ends = [extremes(jumps, *told) if kind == "dealt" else (-math.inf, math.inf) for kind, jumps, told in parts]
    return fixed + max(low, sum(least for least, _ in ends)), fixed + min(high, sum(most for _, most in ends))


def spread_of_rest(kind, jumps, told, chosen):
    """The variance of what the jumps below a size add: rows as if put back, their number by its own variance."""
    rest = {jump: float(rows) for jump, rows in jumps.items() if abs(jump) < chosen}
    number = sum(rest.values())
    if not number:
        return 0.0
    mean = sum(jump * rows for jump, rows in rest.items()) / number
    square = sum(jump**2 * rows for jump, rows in rest.items()) / number
    if kind == "dealt":
        size, taken = told
        spread = float(stats.hypergeom(size, round(number * size / taken), taken).var())
    else:
        gap = number**2 / told if kind == "iid" else told[0] * (number / float(sum(jumps.values()))) ** 2
        spread = number - gap
    return number * (square - mean**2) + spread * mean**2


def quantiles_of(law):
    counts, total = sorted(law), sum(law.values())
    reached = list(accumulate(law[count] / total for count in counts))
    return [next(c for c, p in zip(counts, reached, strict=True) if p >= tail - 1e-10) for tail in (0.025, 0.975)]


def given_number(rows, draws):
    """The law of the sum of independent rows (chance, instances), given that `draws` of them come."""
    law = {(0, 0): 1.0}
    for chance, count in rows:
        after = Counter()
        for (number, total), mass in law.items():
            after[number, total] += mass * (1 - chance)
            if number < draws:
                after[number + 1, total + count] += mass * chance
        law = after
    return {total: mass for (number, total), mass in law.items() if number == draws}


def spread_of(law):
    center = sum(count * mass for count, mass in law.items())
    return sum((count - center) ** 2 * mass for count, mass in law.items())


def extremes(jumps, size, taken):
    rows = [jump for jump, expected in jumps.items() for _ in range(round(float(expected) * size / taken))]
    rows = sorted(rows + [0] * (size - len(rows)))
    return sum(rows[:taken]), sum(rows[size - taken :])


def most_common(rows):
    """The number of instances with the most rows (count -> rows), the smallest of these."""
    return max(sorted(rows), key=lambda count: rows[count])


def parted(rows, taken):
    """What choosing some of these rows (their instances) brings for certain, and a part for what it does not."""
    fixed, sign = 0, 1
    if 2 * taken > len(rows):
        fixed, sign, taken = sum(rows), -1, len(rows) - taken
    often = Counter(rows)
    usual = most_common(often)
    jumps = {sign * (k - usual): Fraction(n * taken, len(rows)) for k, n in often.items() if k != usual}
    return fixed + sign * usual * taken, [("dealt", jumps, (len(rows), taken))] if jumps and taken else []


def counts_of(case, label, unit):
    return [(row.get(label, 0) if unit == "instances" else int(label in row)) for row in case["rows"]]


def bars(case, moments, draws, split):
    """Mean and band of each class for both units, by functions of the counts of the rows."""
    single = all(count == 1 for row in case["rows"] for count in row.values())
    told = {}
    for unit in ("instances", "samples"):
        upper = draws if single or unit == "samples" else math.inf
        rows = []
        for label in range(case["classes"]):
            counts = counts_of(case, label, unit)
            mean, variance = moments(counts)
            several = max(counts) > 1 and variance > 1e-12
            ends = band(mean, variance, upper)
            rows.append((float(mean), *(sum_band(*split(counts), mean, variance, ends) if several else ends)))
        told[unit] = {
            "mean": [row[0] for row in rows],
            "low": [row[1] for row in rows],
            "high": [row[2] for row in rows],
        }
    return told


def curve(case, unseen, drawable):
    points = [unseen(epoch) for epoch in range(1, EPOCHS + 1)]
    bands = [band(mean, max(variance, 0), drawable) for mean, variance in points]
    return {
        "unique": [float(drawable - mean) for mean, _ in points],
        "low": [float(drawable - high) for _, high in bands],
        "high": [float(drawable - low) for low, _ in bands],
    }


def few_left(missed, allowed):
    """P(at most `allowed` of independent rows are missed), one row after the other."""
    law = [1.0] + [0.0] * allowed
    for chance in missed:
        law = [law[0] * (1 - chance)] + [law[j] * (1 - chance) + law[j - 1] * chance for j in range(1, allowed + 1)]
    return sum(law)


class UnseenChain:
    """The rows of each group seen so far, draw by draw: a Markov chain, for small pools."""

    def __init__(self, groups):
        self.groups = groups
        self.laws = [{(0,) * len(groups): 1.0}]

    def at_most(self, draws, allowed):
        while len(self.laws) <= draws:
            self.laws.append(self.drawn(self.laws[-1]))
        rows = sum(number for _, number in self.groups)
        return sum(chance for seen, chance in self.laws[draws].items() if rows - sum(seen) <= allowed)

    def drawn(self, law):
        after = Counter()
        for seen, chance in law.items():
            after[seen] += chance * sum(had * share for had, (share, _) in zip(seen, self.groups, strict=True))
            for group, (share, number) in enumerate(self.groups):
                if seen[group] < number:
                    more = (*seen[:group], seen[group] + 1, *seen[group + 1 :])
                    after[more] += chance * share * (number - seen[group])
        return after


def first_epochs(case, drawable, at_most):
    """The first epoch at which each share is covered with each probability; null where it never is."""
    told = []
    for share in SHARES:
        allowed = drawable - math.ceil(share * len(case["rows"]) - 1e-9)
        if allowed < 0:
            told.append([None] * len(QUANTILES))
            continue
        row, epoch, chance = [], 1, at_most(1, allowed)
        for quantile in QUANTILES:
            while chance < quantile:
                epoch += 1
                chance = at_most(epoch, allowed)
            row.append(epoch)
        told.append(row)
    return told


def ecdf(case, weights, law):
    """Share of the rows of each class that were seen at most k times."""
    told = []
    for label in range(case["classes"]):
        owners = Counter(weight for row, weight in zip(case["rows"], weights, strict=True) if label in row)
        total = sum(owners.values())
        laws = [(number, law(weight)) for weight, number in owners.items()]
        told.append(
            [sum(number * cdf[k] for number, cdf in laws) / total for k in range(MAX_TIMES + 1)] if total else None
        )
    return told


def independent(case, weights, draws):  # noqa: C901  one law, several questions
    """Mode iid."""
    total = sum(map(Fraction, weights))
    shares = [Fraction(weight) / total for weight in weights]
    groups = Counter(share for share in shares if share)
    exact = [(Decimal(s.numerator) / Decimal(s.denominator), number) for s, number in groups.items()]
    drawable = sum(groups.values())

    def moments(counts):
        share = sum(s * k for s, k in zip(shares, counts, strict=True))
        square = sum(s * k * k for s, k in zip(shares, counts, strict=True))
        return draws * share, draws * (square - share**2)

    def split(counts):
        chances = Counter()
        for share, count in zip(shares, counts, strict=True):
            chances[count] += share
        usual = most_common(chances)
        jumps = {k - usual: draws * share for k, share in chances.items() if k != usual and share}
        return draws * usual, [("iid", jumps, draws)] if jumps else []

    def unseen(epoch):
        n = epoch * draws
        missed = [((1 - share) ** n, share, number) for share, number in exact]
        mean = sum(q * number for q, _, number in missed)
        variance = sum(number * q * (1 - q) for q, _, number in missed)
        if len(missed) > 32:
            variance -= n * sum(number * share * q for q, share, number in missed) ** 2
        else:
            for i, (q, share, number) in enumerate(missed):
                for j, (other, with_share, others) in enumerate(missed):
                    pairs = number * (others - (i == j))
                    variance += pairs * ((1 - share - with_share) ** n - q * other) if pairs else 0
        return mean, variance

    chain = UnseenChain([(float(share), number) for share, number in groups.items()])

    def at_most(epoch, allowed):
        if drawable < 64:
            return chain.at_most(epoch * draws, allowed)
        if allowed < 10:
            return few_left([math.exp(-epoch * draws * float(share)) for share in shares if share], allowed)
        mean, variance = map(float, unseen(epoch))
        return (
            float(stats.norm.cdf((allowed + 0.5 - mean) / math.sqrt(variance)))
            if variance > 0
            else float(mean <= allowed)
        )

    def seen(epochs):
        def law(weight):
            return stats.binom.cdf(range(MAX_TIMES + 1), epochs * draws, float(Fraction(weight) / total)).tolist()

        return law

    return {
        "draws": draws,
        "histogram": bars(case, moments, draws, split),
        "coverage": curve(case, unseen, drawable),
        "epochs_to_cover": first_epochs(case, drawable, at_most),
        "times_seen": {str(epochs): ecdf(case, weights, seen(epochs)) for epochs in TIMES_EPOCHS},
    }


def without_replacement(case, weights, asked):  # noqa: C901  one law, several questions
    """Mode once."""
    drawable = sum(weight > 0 for weight in weights)
    draws = min(asked, drawable)
    groups = Counter(weight for weight in weights if weight)
    if draws == drawable:
        time = math.inf
    else:
        highest = max(groups)
        time = optimize.brentq(
            lambda t: sum(-number * math.expm1(-weight / highest * t) for weight, number in groups.items()) - draws,
            0, 1e9, xtol=1e-300, rtol=8.9e-16, maxiter=10_000,
        ) / highest  # fmt: skip
    included = [-math.expm1(-weight * time) if weight else 0.0 for weight in weights]
    spread = [pi * (1 - pi) for pi in included]

    def moments(counts):
        center = sum(v * k for v, k in zip(spread, counts, strict=True)) / sum(spread) if sum(spread) else 0
        return (
            math.fsum(pi * k for pi, k in zip(included, counts, strict=True)),
            math.fsum(v * (k - center) ** 2 for v, k in zip(spread, counts, strict=True)),
        )

    def split(counts):
        live = [(pi, v, k) for pi, v, k in zip(included, spread, counts, strict=True) if pi]
        if draws == drawable or len(groups) == 1:
            return parted([k for _, _, k in live], draws)
        chances = Counter()
        for pi, _, count in live:
            chances[count] += pi
        usual = most_common(chances)
        fixed = draws * usual + sum(k - usual for pi, _, k in live if pi > 0.5)
        jumps = Counter()
        for pi, _, k in live:
            if k != usual:
                jumps[(k - usual) * (-1 if pi > 0.5 else 1)] += min(pi, 1 - pi)
        number = math.fsum(v for _, v, k in live if k != usual)
        linear = math.fsum(v * (-1 if pi > 0.5 else 1) for pi, v, k in live if k != usual)
        gap = sum(jumps.values()) - (number - linear**2 / sum(spread))
        told = gap, given_number([(pi, k) for pi, _, k in live], draws)
        return fixed, [("fitted", dict(jumps), told)] if jumps else []

    def unseen(epoch):
        missed = [(1 - pi) ** epoch for pi in included if pi]
        alone = variance = math.fsum(q * (1 - q) for q in missed)
        if sum(spread):
            linear = math.fsum(v * (1 - pi) ** (epoch - 1) for pi, v in zip(included, spread, strict=True))
            variance -= epoch * linear**2 / math.fsum(spread)
        return math.fsum(missed), variance if variance > 1e-12 * alone else 0.0

    def at_most(epoch, allowed):
        if allowed < 10:
            return few_left([(1 - pi) ** epoch for pi in included if pi], allowed)
        mean, variance = unseen(epoch)
        return (
            float(stats.norm.cdf((allowed + 0.5 - mean) / math.sqrt(variance)))
            if variance > 0
            else float(mean <= allowed + 1e-9)
        )

    def seen(epochs):
        def law(weight):
            pi = -math.expm1(-weight * time) if weight else 0.0
            return stats.binom.cdf(range(MAX_TIMES + 1), epochs, pi).tolist()

        return law

    return {
        "draws": draws,
        "histogram": bars(case, moments, draws, split),
        "coverage": curve(case, unseen, drawable),
        "epochs_to_cover": first_epochs(case, drawable, at_most),
        "times_seen": {str(epochs): ecdf(case, weights, seen(epochs)) for epochs in TIMES_EPOCHS},
    }


def whole_masses(products):
    """The share of each stratum in parts of 2**40, in doubles, one after the other."""
    total = 0.0
    for product in products:
        total += product
    return [max(math.floor(product / total * 2**40 + 0.5), 1) if product else 0 for product in products]


def dealing(masses, sizes, draws):
    """Cumulative quotas at the end of each epoch by a queue of exact event times, and the certificate."""
    whole = sum(masses)
    queue = [(Fraction(whole, 2 * mass), number) for number, mass in enumerate(masses) if mass]
    heapq.heapify(queue)
    had = [0] * len(masses)
    totals, certificate = [list(had)], None
    while len(totals) <= EPOCHS or certificate is None:
        for _ in range(draws):
            _, number = heapq.heappop(queue)
            had[number] += 1
            heapq.heappush(queue, (Fraction((2 * had[number] + 1) * whole, 2 * masses[number]), number))
        totals.append(list(had))
        if certificate is None and all(q >= n for q, n, mass in zip(had, sizes, masses, strict=True) if mass):
            certificate = len(totals) - 1
    return totals, certificate


def dealt_moments(counts, before, after):
    """Mean and variance of what a stratum of rows with these counts adds to an epoch."""
    n, drawn = len(counts), after - before
    average = Fraction(sum(counts), n)
    one = Fraction(sum(k * k for k in counts), n) - average**2
    first = min(drawn, n - before % n)
    parts = (first, (drawn - first) % n)
    return drawn * average, sum(Fraction(part * (n - part), max(n - 1, 1)) * one for part in parts)


def dealt_times(members, quotas, label):
    """Share of the rows of a class seen at most k times."""
    number = sum(label in row for own in members for row in own)
    told = [0.0] * (MAX_TIMES + 1)
    for own, quota in zip(members, quotas, strict=True):
        often, more = divmod(quota, len(own))
        steps = [0.0 if k < often else 1 - more / len(own) if k == often else 1.0 for k in range(MAX_TIMES + 1)]
        told = [value + sum(label in row for row in own) * step for value, step in zip(told, steps, strict=True)]
    return [value / number for value in told] if number else None


def dealt(case, strata, patterns, sizes, draws):
    """Mode deck."""
    masses = whole_masses([size * combined(case, stratum) for size, stratum in zip(sizes, strata, strict=True)])
    totals, certificate = dealing(masses, sizes, draws)
    members = [[row for row, own in zip(case["rows"], patterns, strict=True) if own == stratum] for stratum in strata]
    order = [row for own in members for row in own]
    case = {**case, "rows": order}
    drawable = sum(size for size, mass in zip(sizes, masses, strict=True) if mass)

    def moments(epoch):
        def of_class(counts):
            ends = [sum(sizes[: number + 1]) for number in range(len(sizes))]
            parts = [counts[end - size : end] for end, size in zip(ends, sizes, strict=True)]
            both = [dealt_moments(*part) for part in zip(parts, totals[epoch], totals[epoch + 1], strict=True)]
            return sum(mean for mean, _ in both), sum(variance for _, variance in both)

        return of_class

    def split(epoch):
        def of_class(counts):
            fixed, parts = 0, []
            ends = [sum(sizes[: number + 1]) for number in range(len(sizes))]
            for size, end, before, after in zip(sizes, ends, totals[epoch], totals[epoch + 1], strict=True):
                rest = min(after - before, size - before % size)
                last = (after - before - rest) % size
                fixed += (after - before - rest - last) // size * sum(counts[end - size : end])
                for taken in (rest, last):
                    told = parted(counts[end - size : end], taken)
                    fixed += told[0]
                    parts += told[1]
            return fixed, parts

        return of_class

    def left(epoch):
        return drawable - sum(min(q, n) for q, n, mass in zip(totals[epoch], sizes, masses, strict=True) if mass)

    unique = [float(drawable - left(epoch)) for epoch in range(1, EPOCHS + 1)]
    return {
        "draws": draws,
        "histogram": bars(case, moments(0), draws, split(0)),
        "histogram_epoch_1": bars(case, moments(1), draws, split(1)),
        "coverage": {"unique": unique, "low": unique, "high": unique},
        "epochs_to_cover": first_epochs(case, drawable, lambda epoch, allowed: float(left(epoch) <= allowed)),
        "times_seen": {
            str(epochs): [dealt_times(members, totals[epochs], label) for label in range(case["classes"])]
            for epochs in TIMES_EPOCHS
        },
        "masses": masses,
        "quotas": [
            [b - a for a, b in zip(before, after, strict=True)] for before, after in pairwise(totals[: EPOCHS + 1])
        ],
        "certificate": certificate,
    }


def answered(case):
    strata, patterns, arrays = statistics(case)
    weights = [combined(case, pattern) for pattern in patterns]
    squares = sum(Fraction(weight) ** 2 for weight in weights)
    idle = [
        number for number in range(len(case["clauses"]))
        if all(combined(case, stratum, number) == combined(case, stratum) if len(case["clauses"]) > 1 else combined(case, stratum) == (case["combine"] == "product") for stratum in strata)
    ]  # fmt: skip
    total = sum(map(Fraction, weights))
    return {
        "name": case["name"],
        "num_rows": len(case["rows"]),
        "num_strata": len(strata),
        "num_classes": case["classes"],
        "num_clauses": len(case["clauses"]),
        "level": "clauses",
        "arrays": arrays,
        "weights": [float(weight) for _, weight in case["clauses"]],
        "combine": case["combine"],
        "cap": case.get("cap"),
        "draws": case["draws"],
        "expect": {
            "stratum_weights": [combined(case, stratum) for stratum in strata],
            "probabilities": [float(Fraction(combined(case, stratum)) / total) for stratum in strata],
            "effective_sample_size": float(total**2 / squares),
            "no_effect": idle,
            "iid": independent(case, weights, case["draws"]),
            "deck": dealt(case, strata, patterns, arrays["sizes"], case["draws"]),
            "once": without_replacement(case, weights, case["draws"]),
        },
    }


def main():
    told = {
        "band_level": LEVEL,
        "num_epochs": EPOCHS,
        "shares": SHARES,
        "quantiles": QUANTILES,
        "times_seen_epochs": TIMES_EPOCHS,
        "max_times": MAX_TIMES,
        "cases": [answered(case) for case in cases()],
    }
    path = Path(__file__).with_name("sampling.json")
    path.write_text(json.dumps(told, separators=(",", ":"), allow_nan=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
