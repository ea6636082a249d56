"""Executors, which train the trials that the scheduler dispatches: on this machine, or on a Ray cluster.

messages.py     jobs, messages, and the executor interface
local.py        worker processes on this machine
ray.py          tasks on a Ray cluster
ray_cluster.py  starting or joining a cluster
worker.py       the worker process
in_process.py   this process, for losses in memory
"""
