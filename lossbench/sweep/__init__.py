"""Sweeps: many trials from one configuration.

plan.py        expansion of a configuration and overrides into trials
combinations.py combinations as experiments, each with the settings to try if the sweep tunes
values.py      values of the parameters: a grid, or random draws
space.py       the settings to try: whole grids, quasi-random draws
cost.py        expected cost of a trial; shards of equal cost
own_losses.py  check of the users' losses before any trial is trained
comparisons.py the comparisons that a sweep decides, grouped as `compare` does
tune.py        the stage that tunes: its trials, the choices, the trials to compare
decide.py      seeds are added until each comparison is decided: the next trial, the looks
verdicts.py    verdicts in words: per loss, per look, in total
scheduler.py   dispatch of trials to an executor until all are finished
status.py      finished, running and remaining trials; time left; best losses
journal.py     events, and `sweep.jsonl`
listing.py     the trials as a table, CSV or JSON
outcome.py     the result of a sweep, for Python users
executors/     worker processes on this machine; tasks on a Ray cluster
"""
