"""Sweeps: many trials from one configuration.

plan.py       the only place that expands a grid: file + command line -> trials. Pure
cost.py       what a trial is expected to cost; shards of equal cost. Pure
run.py        the scheduler: hands trials out until each is over
messages.py   what the scheduler and those who train tell each other, and what an executor is
local.py      executor: worker processes on this machine
ray.py        executor: tasks on a Ray cluster
cluster.py    starting or joining a Ray cluster
worker.py     one who trains: jobs in, messages out
status.py   how a sweep stands: counts, time left, the best losses. Pure
journal.py    sweep.jsonl, what happened when
listing.py    the trials as a list
"""
