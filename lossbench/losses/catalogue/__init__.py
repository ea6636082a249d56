"""The loss functions: one file per idea, each function its formula."""
