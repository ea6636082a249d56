"""The run folder, the only contract between training and analysis: what its files are called, written, read, locked."""
