"""Executors: worker processes on this machine, or tasks on a Ray cluster."""
