"""Sweeps: many trials from one configuration.

plan.py    the only place that expands a grid: file + command line -> experiments. Pure
local.py   one trial after the other, in this process
"""
