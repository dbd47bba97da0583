"""Customers of CDNOW in, moments of the posterior by long random-walk Metropolis chains out, as chains.json.

Run once, by hand, as a script. The likelihoods are written here anew from the papers, in plain numpy and
scipy, with time in weeks; nothing of the package's own likelihoods, priors or samplers is used.
Chains run side by side: each step proposes for all of them at once.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
from scipy.optimize import minimize
from scipy.special import gammaln
from scipy.stats import norm

from cxsim.data.cdnow import load_cdnow
from cxsim.data.rfm import summarise

CHAINS, WARM_UP, KEPT = 20, 4000, 30_000
# Chains that seldom visit a far part of the posterior are longer by this factor.
LONGER = {"two_hundred/mbgnbd": 4}
SEED = 20_240_601
DAYS = 7.0
LENGTHS = (0.5, 1.0, 1.0, 3.0)
OUT = Path(__file__).with_suffix(".json")


def bgnbd(theta, data, first=0.0):
    """Fader, Hardie & Lee (2005), equation (6); with first=1, Batislam, Denizel & Filiztekin (2007)."""
    r, alpha, a, b = (np.exp(theta[:, i, None]) for i in range(4))
    x, last, age, weight = data["x"], data["last"], data["age"], data["weight"]
    counts, place = np.unique(x, return_inverse=True)
    n = counts + first
    common = gammaln(r + counts) - gammaln(r) + r * np.log(alpha) + gammaln(a + b) - gammaln(a + b + n)
    common = common + gammaln(b + n) - gammaln(b)
    log_odds = np.where(n > 0, np.log(a) - np.log(np.where(n > 0, b + n - 1.0, 1.0)), -np.inf)
    alive = -(r + x) * np.log(alpha + age)
    left = log_odds[:, place] - (r + x) * np.log(alpha + last)
    return (common[:, place] + np.logaddexp(alive, left)) @ weight


def mbgnbd(theta, data):
    return bgnbd(theta, data, first=1.0)


NODES, WEIGHTS = np.polynomial.legendre.leggauss(14)


def paretonbd(theta, data):
    """Schmittlein, Morrison & Colombo (1987): left at t in (last, age), with t integrated out over log(alpha + t)."""
    r, alpha, s, beta = (np.exp(theta[:, i, None]) for i in range(4))
    x, last, age, weight = data["x"], data["last"], data["age"], data["weight"]
    counts, place = np.unique(x, return_inverse=True)
    common = (gammaln(r + counts) - gammaln(r) + r * np.log(alpha))[:, place] + s * np.log(beta)
    low, high = np.log(alpha + last), np.log(alpha + age)
    start = -(r + x) * low - s * np.log(beta + last)
    alive = np.exp(-(r + x) * high - s * np.log(beta + age) - start)
    half = 0.5 * (high - low)
    gone = np.zeros_like(half)
    for node, node_weight in zip(NODES, WEIGHTS, strict=True):
        grow = half * (1.0 + node)
        here = np.exp(low + grow)
        fall = (s + 1.0) * np.log((beta + here - alpha) / (beta + last))
        gone += node_weight * np.exp(-(r + x) * grow - fall) * here
    gone *= s * half / (beta + last)
    return (common + start + np.log(alive + gone)) @ weight


def gamma_gamma(theta, data):
    """Fader & Hardie (2013), note 025, equation (1a)."""
    p, q, v = (np.exp(theta[:, i, None]) for i in range(3))
    x, m, weight = data["x"], data["m"], data["weight"]
    counts, place = np.unique(x, return_inverse=True)
    common = (gammaln(p * counts + q) - gammaln(p * counts))[:, place] - gammaln(q) + q * np.log(v)
    return (common + (p * x - 1.0) * np.log(m) + p * x * np.log(x) - (p * x + q) * np.log(x * m + v)) @ weight


def bent(theta, span):
    """Return log-parameters of Pareto/NBD for (log r, log alpha, log s, log(s log(1 + span / beta))), and the Jacobian.

    The last is how much leaving there is within `span`. The data know it well even where s and beta run off together,
    so that in these coordinates the long ridge of the posterior is straight, and chains walk along it.
    """
    ratio = np.expm1(np.minimum(np.exp(theta[:, 3] - theta[:, 2]), 700.0))
    jacobian = np.log((1.0 + ratio) * np.log1p(ratio) / ratio)
    return np.column_stack([theta[:, :3], np.log(span / ratio)]), jacobian


# Model, its parameters, and where the prior has the middle of each logarithm: a number, or None for the data's scale.
MODELS = {
    "bgnbd": (bgnbd, {"r": 1.0, "alpha": None, "a": 1.0, "b": 1.0}),
    "mbgnbd": (mbgnbd, {"r": 1.0, "alpha": None, "a": 1.0, "b": 1.0}),
    "paretonbd": (paretonbd, {"r": 1.0, "alpha": None, "s": 1.0, "beta": None}),
    "gamma_gamma": (gamma_gamma, {"p": 2.0, "q": 2.0, "v": None}),
}
PRIOR_SD = 2.5


def orders(rfm):
    past = ["frequency", "recency_days", "age_days"]
    distinct = rfm.group_by(past).agg(weight=pl.len()).sort(past).cast(pl.Float64)
    x, last, age, weight = (distinct[name].to_numpy() for name in [*past, "weight"])
    return {"x": x, "last": last / DAYS, "age": age / DAYS, "weight": weight, "scale": rfm["age_days"].mean() / DAYS}


def spends(rfm):
    pair = ["frequency", "monetary_value"]
    spent = rfm.filter((pl.col("frequency") > 0) & (pl.col("monetary_value") > 0))
    distinct = spent.group_by(pair).agg(weight=pl.len()).sort(pair).cast(pl.Float64)
    x, m, weight = (distinct[name].to_numpy() for name in [*pair, "weight"])
    return {"x": x, "m": m, "weight": weight, "scale": float((x * m * weight).sum() / (x * weight).sum())}


def run(log_density, size, rng, steps):
    """Return draws of shape (CHAINS, steps, size) and the share of proposals that were accepted."""
    top = minimize(
        lambda t: -log_density(t[None, :])[0], np.zeros(size), method="Nelder-Mead", options={"maxiter": 4000}
    )
    here = top.x + 0.2 * rng.standard_normal((CHAINS, size))
    value, covariance, kept, accepted = log_density(here), 0.01 * np.eye(size), [], 0
    history = []
    for step in range(WARM_UP + steps):
        if step in {500, 1000, 2000, WARM_UP}:
            recent = np.concatenate(history[len(history) // 2 :])
            covariance = np.cov(recent.T) * 2.38**2 / size
        if step in {0, 500, 1000, 2000, WARM_UP}:
            factor = np.linalg.cholesky(covariance)
        # Steps of several lengths, for posteriors whose tails are longer than a normal one's.
        length = rng.choice(LENGTHS, (CHAINS, 1))
        there = here + length * rng.standard_normal((CHAINS, size)) @ factor.T
        proposed = log_density(there)
        moved = np.log(rng.random(CHAINS)) < proposed - value
        here, value = np.where(moved[:, None], there, here), np.where(moved, proposed, value)
        if step < WARM_UP:
            history.append(here)
        else:
            kept.append(here)
            accepted += int(moved.sum())
    return np.stack(kept, axis=1), accepted / (CHAINS * steps)


def split_r_hat(draws):
    halves = np.concatenate(np.split(draws, 2, axis=1))
    length = halves.shape[1]
    within = halves.var(axis=1, ddof=1).mean(axis=0)
    between = halves.mean(axis=1).var(axis=0, ddof=1)
    return np.sqrt((length - 1) / length + between / within)


def moments(draws):
    """Return means and sds over all chains, with Monte Carlo errors from what the chains say one by one."""
    flat = draws.reshape(-1, draws.shape[-1])
    error = np.sqrt(CHAINS)
    return {
        "mean": flat.mean(axis=0).tolist(),
        "sd": flat.std(axis=0, ddof=1).tolist(),
        "mean_error": (draws.mean(axis=1).std(axis=0, ddof=1) / error).tolist(),
        "sd_error": (draws.std(axis=1, ddof=1).std(axis=0, ddof=1) / error).tolist(),
        "correlation": np.corrcoef(flat.T).round(4).tolist(),
        "r_hat": split_r_hat(draws).tolist(),
    }


def case(model, rfm, rng, steps):
    likelihood, middles = MODELS[model]
    data = spends(rfm) if model == "gamma_gamma" else orders(rfm)
    means = np.log([data["scale"] if middle is None else middle for middle in middles.values()])
    started = time.process_time()

    def log_density(theta):
        straight, jacobian = bent(theta, data["scale"]) if model == "paretonbd" else (theta, 0.0)
        return likelihood(straight, data) + norm.logpdf(straight, means, PRIOR_SD).sum(axis=1) + jacobian

    walked, accepted = run(log_density, len(means), rng, steps)
    draws = walked
    if model == "paretonbd":
        draws = bent(walked.reshape(-1, len(means)), data["scale"])[0].reshape(walked.shape)
    # Back to days: alpha and beta are times.
    draws = draws + np.array([np.log(DAYS) if name in {"alpha", "beta"} else 0.0 for name in middles])
    found = {"names": list(middles), **moments(draws), "accepted": accepted, "n_draws": CHAINS * steps}
    sys.stdout.write(f"{model} {len(data['x'])} patterns {time.process_time() - started:.0f} s {found}\n")
    sys.stdout.flush()
    return found


def customers():
    """Return all 2,357 customers of the sample at the end of September 1997, and 200 of them spread over the cohort."""
    sample = summarise(load_cdnow(sample=True), until=date(1997, 9, 30)).sort("customer_id")
    return {"sample": sample, "two_hundred": sample.gather_every(11).head(200)}


def main():
    cases = {}
    for group, rfm in customers().items():
        for number, model in enumerate(MODELS):
            rng = np.random.default_rng([SEED, number, rfm.height])
            name = f"{group}/{model}"
            cases[name] = case(model, rfm, rng, KEPT * LONGER.get(name, 1))
            how = (
                f"{CHAINS} random-walk Metropolis chains of {KEPT} steps each, or a multiple, after {WARM_UP} of "
                "warm-up in which alone the covariance of the steps was adapted; log-parameters, times in days; errors "
                "are standard errors over chains; prior: log-parameters normal with sd 2.5 about 0 for r, a, b, s, "
                "log 2 for p, q, and the log mean age (alpha, beta) or log mean order value of repeat orders (v)"
            )
            OUT.write_text(json.dumps({"how": how, "cases": cases}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
