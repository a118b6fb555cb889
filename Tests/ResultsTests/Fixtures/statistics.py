# What statistics.json was made with: numbers of schema-3.sqlite that groksweep had no part in.
#   python3 statistics.py schema-3.sqlite > statistics.json      (Python 3.11, lifelines 0.30.3, scipy 1.17.1, numpy, pandas)
#
# Medians are the first epoch at which the estimate is at most 1/2, in exact fractions; lifelines gives the intervals,
# log(-log) with Greenwood's variance, but that it takes an estimate of 0 for a bound, which has no variance.
import json
import sqlite3
import sys
from fractions import Fraction

import numpy as np
import pandas as pd
from lifelines import KaplanMeierFitter
from scipy import stats

store = sqlite3.connect(sys.argv[1])
runs = pd.read_sql("SELECT * FROM runs", store)
curves = pd.read_sql("SELECT * FROM curves", store)


def median(events, censored):
    survival = Fraction(1)
    for epoch in sorted(set(events)):
        at_risk = sum(e >= epoch for e in events) + sum(c >= epoch for c in censored)
        survival *= 1 - Fraction(events.count(epoch), at_risk)
        if survival <= Fraction(1, 2):
            return epoch
    return None


def interval(events, censored):
    if not events:
        return None, None
    fitted = KaplanMeierFitter().fit(events + censored, [1] * len(events) + [0] * len(censored))
    bounds = fitted.confidence_interval_.iloc[1:]
    estimate = fitted.survival_function_.iloc[1:, 0]
    low = bounds.index[bounds.iloc[:, 0] <= 0.5]
    high = bounds.index[(bounds.iloc[:, 1] <= 0.5) & (estimate > 0)]
    return tuple(int(found[0]) if len(found) else None for found in (low, high))


def number(value):
    return None if value is None or np.isnan(value) else float(value)


def pooled(frame, seed):
    freedom = len(frame) - frame[seed].nunique()
    if freedom == 0:
        return None
    deviations = frame.logs - frame.groupby(seed).logs.transform("mean")
    return number(np.sqrt((deviations**2).sum() / freedom))


times = []
for (sweep, setting), frame in runs.groupby(["sweep", "setting"], sort=False):
    grokked = frame[frame.grokking_epoch.notna()].assign(logs=lambda f: np.log10(f.grokking_epoch))
    events = [int(e) for e in grokked.grokking_epoch]
    censored = [int(e) for e in frame.censored_after.dropna()]
    memorized = [int(e) for e in frame.memorization_epoch.dropna()]
    never = [int(e) for e in frame[frame.memorization_epoch.isna()].epochs]
    low, high = interval(events, censored)
    row = dict(sweep=sweep, setting=setting, median=median(events, censored), low=low, high=high,
               memorization=median(memorized, never), sd=None, sd_of_model_seed=None, sd_of_data_seed=None,
               mean=None, mean_low=None, mean_high=None)
    if len(events) > 1:
        row |= dict(sd=number(grokked.logs.std(ddof=1)), sd_of_model_seed=pooled(grokked, "data_seed"),
                    sd_of_data_seed=pooled(grokked, "model_seed"))
    if len(events) == len(frame):
        row["mean"] = float(stats.gmean(events))
        ends = stats.t.interval(0.95, len(events) - 1, loc=grokked.logs.mean(), scale=stats.sem(grokked.logs))
        row |= dict(mean_low=float(10 ** ends[0]), mean_high=float(10 ** ends[1]))
    times.append(row)

measures = ["train_loss", "test_loss", "train_accuracy", "test_accuracy", "sum_squared_weights", "gini_w_e", "gini_w_l",
            "restricted_loss", "excluded_loss", "logit_fve", "cosine_loss_test"]
predictors = []
for sweep, frame in runs.groupby("sweep", sort=False):
    last = frame.grokking_epoch.max()
    known = frame[frame.grokking_epoch.notna() | (frame.censored_after >= last)]
    known = known.assign(place=known.grokking_epoch.fillna(last + 1))
    for landmark in ["memorization", "100", "300", "1000", "3000"]:
        rows = []
        for run in known.itertuples():
            since = run.memorization_epoch if landmark == "memorization" else int(landmark)
            curve = curves[(curves.point == run.point) & (curves.epoch >= since)].sort_values("epoch")
            if len(curve) == 0 or run.grokking_epoch <= curve.epoch.iloc[0]:
                continue
            rows.append(curve.iloc[0].to_dict() | dict(
                setting=run.setting, place=run.place, grokked=run.place <= last, memorization_epoch=run.memorization_epoch))
        for measure in (["memorization_epoch"] if landmark == "memorization" else []) + measures:
            table = pd.DataFrame(rows)
            if len(table) == 0 or table[measure].notna().sum() == 0:
                continue
            table = table[table[measure].notna()]
            def centred(ranks):
                return ranks - ranks.mean()
            within = table.groupby("setting")[[measure, "place"]].transform(lambda c: centred(stats.rankdata(c)))
            squares = (within[measure] ** 2).sum() * (within.place**2).sum()
            enough = len(table) >= 3
            defined = enough and table[measure].nunique() > 1 and table.place.nunique() > 1
            predictors.append(dict(
                sweep=sweep, measure=measure, landmark=landmark, runs=len(table), grokked=int(table.grokked.sum()),
                left_out=len(frame) - len(table),
                spearman=float(stats.spearmanr(table[measure], table.place).statistic) if defined else None,
                within=float((within[measure] * within.place).sum() / np.sqrt(squares)) if enough and squares > 0 else None))

print(json.dumps(dict(times=times, predictors=predictors), indent=1))
