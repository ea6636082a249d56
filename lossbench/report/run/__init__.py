"""One run or two on a terminal."""
