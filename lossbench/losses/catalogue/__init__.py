"""Loss functions: one file per idea, one function per loss."""
