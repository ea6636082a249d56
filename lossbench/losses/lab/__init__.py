"""Tools for `lossbench losses --measure`, `--check` and `--plot`."""
