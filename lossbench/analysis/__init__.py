"""Analysis of run folders: selection, comparison over seeds, verdicts, gate; needs no TensorFlow."""
