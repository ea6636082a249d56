"""lossbench: which loss function wins on MNIST, where, and how sure that is."""

__version__ = "0.1.0"
