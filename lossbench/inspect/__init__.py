"""One run or two: details, differences, verification."""
