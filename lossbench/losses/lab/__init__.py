"""Tools behind `lossbench losses --measure`, `--check` and `--plot`."""
