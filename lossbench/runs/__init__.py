"""The run folder, the only contract between training and analysis: names, writing, reading, locking, grouping."""
